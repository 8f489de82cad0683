import { renderUnit } from './render.ts'
import { stamped } from './stamp.ts'
import { texts } from './texts.ts'

type Named = keyof typeof texts

/** A file to install, and what is in it. */
export type PlannedFile = { readonly path: string; readonly text: string; readonly mode: number }

/** What one way of running the service consists of. */
export type Layout = {
  /** To be enabled and started. */
  readonly service: string
  readonly services: readonly string[]
  /** Ours: replaced as long as nobody has changed them. */
  readonly owned: readonly PlannedFile[]
  /** The owner's from the start: written once. */
  readonly settings: readonly PlannedFile[]
  readonly folders: readonly { readonly path: string; readonly mode: number }[]
  /** Names a user that must be there before the service is. */
  readonly users: string | undefined
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

type Kind = {
  readonly units: readonly Named[]
  readonly settings: readonly Named[]
  readonly users?: Named
}

const kinds = {
  single: { units: ['tatum-kms.service'], settings: ['daemon.env'] },
  split: {
    units: ['tatum-kms-front.service', 'tatum-kms-signer.service', 'tatum-kms-signer.socket'],
    settings: ['front.env', 'signer.env'],
    users: 'tatum-kms-sysusers.conf',
  },
} as const satisfies Record<string, Kind>

export const layoutNames = ['single', 'split'] as const

export function layoutOf(
  name: keyof typeof kinds,
  machine: { readonly binary: string; readonly systemd: number },
): Layout {
  const { units, settings, users }: Kind = kinds[name]
  const usersFile = users === undefined ? [] : [`/etc/sysusers.d/tatum-kms.conf`]
  return {
    service: units[0] ?? '',
    services: units,
    owned: [
      ...usersFile.map(path => ({ path, text: stamped(texts['tatum-kms-sysusers.conf']) })),
      ...units.map(unit => ({
        path: `/etc/systemd/system/${unit}`,
        text: stamped(renderUnit(texts[unit], machine)),
      })),
    ].map(file => ({ ...file, mode: 0o644 })),
    settings: settings.map(file => ({
      path: `${settingsFolder}/${file}`,
      text: texts[file],
      mode: 0o600,
    })),
    folders: [
      { path: settingsFolder, mode: 0o755 },
      { path: `${settingsFolder}/policy`, mode: 0o755 },
      { path: `${settingsFolder}/public`, mode: 0o755 },
      { path: rootFolder, mode: 0o755 },
      { path: `${rootFolder}/root`, mode: 0o755 },
      { path: stateFolder, mode: 0o700 },
    ],
    users: usersFile[0],
  }
}
