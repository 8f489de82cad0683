import { renderUnit } from './render.ts'
import { stamped } from './stamp.ts'
import { texts } from './texts.ts'

type Named = keyof typeof texts

export type PlannedFile = { readonly path: string; readonly text: string; readonly mode: number }
export type PlannedFolder = { readonly path: string; readonly mode: number }

/** What one way of running the service consists of. */
export type Layout = {
  /** The one to be enabled and started comes first. */
  readonly units: readonly string[]
  /** Ours: replaced as long as nobody has changed them. */
  readonly owned: readonly PlannedFile[]
  /** The owner's from the start: written once. */
  readonly settings: readonly PlannedFile[]
  readonly folders: readonly PlannedFolder[]
  /** Names users that must be there before the service is. */
  readonly usersFile: string | undefined
}

export const settingsFolder = '/etc/tatum-kms'
export const stateFolder = '/var/lib/tatum-kms'
export const rootFolder = '/usr/local/lib/tatum-kms'
export const vaultFile = `${stateFolder}/wallet.dat`

/** Secrets that only this machine can open, by the name that the service knows them by. */
export const credentials = {
  password: { name: 'vault-password', path: `${settingsFolder}/vault-password.cred` },
  apiKey: { name: 'tatum-api-key', path: `${settingsFolder}/tatum-api-key.cred` },
} as const

const kinds = {
  single: { units: ['tatum-kms.service'], settings: ['daemon.env'], users: [] },
  split: {
    units: ['tatum-kms-front.service', 'tatum-kms-signer.service', 'tatum-kms-signer.socket'],
    settings: ['front.env', 'signer.env'],
    users: ['tatum-kms-sysusers.conf'],
  },
} as const satisfies Record<
  string,
  Readonly<Record<'units' | 'settings' | 'users', readonly Named[]>>
>

export type LayoutName = keyof typeof kinds

export function layoutOf(
  name: LayoutName,
  machine: { readonly binary: string; readonly systemd: number },
): Layout {
  const { units, settings, users }: Readonly<Record<string, readonly Named[]>> = kinds[name]
  return {
    units,
    owned: [
      ...users.map(file => ownedFile(usersFile, texts[file])),
      ...units.map(unit => ownedFile(unitPath(unit), renderUnit(texts[unit], machine))),
    ],
    settings: settings.map(file => ({
      path: `${settingsFolder}/${file}`,
      text: texts[file],
      mode: 0o600,
    })),
    folders,
    usersFile: users.length === 0 ? undefined : usersFile,
  }
}

const usersFile = '/etc/sysusers.d/tatum-kms.conf'

function unitPath(unit: string): string {
  return `/etc/systemd/system/${unit}`
}

function ownedFile(path: string, text: string): PlannedFile {
  return { path, text: stamped(text), mode: 0o644 }
}

const folders: readonly PlannedFolder[] = [
  { path: settingsFolder, mode: 0o755 },
  { path: `${settingsFolder}/policy`, mode: 0o755 },
  { path: `${settingsFolder}/public`, mode: 0o755 },
  { path: rootFolder, mode: 0o755 },
  { path: `${rootFolder}/root`, mode: 0o755 },
  { path: stateFolder, mode: 0o700 },
]
