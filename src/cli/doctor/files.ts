import { dirname, join } from 'node:path'
import { attempt } from '../../base/disk-fault.ts'
import { KmsError } from '../../base/errors.ts'
import { openRegular } from '../../base/guarded-file.ts'
import { readUpTo } from '../../base/open-file.ts'
import { decodeHeader, type Header } from '../../vault/header.ts'
import { checkFolder, openVault, readVaultFile, vaultExists } from '../../vault/vault.ts'
import type { Context } from '../context.ts'
import { stateFolder } from '../operations.ts'
import { sharedJournal } from '../shared-journal.ts'
import { type Check, check, type Finding } from './check.ts'

/** Whether the files are there, nobody else's, and can be used. Nothing is changed. */
export function checkFiles(context: Context): readonly Promise<Check>[] {
  const { place, envFile, now } = context
  return [
    check('vault folder', () => vaultFolder(context)),
    check('vault', () => vault(context)),
    ...(isPasswordAtHand(context) ? [check('password', () => password(context))] : []),
    check('ledger', () => database(context, `${place.path}.ledger`)),
    check('journal', () => journal(context)),
    check('env file', () => environmentFile(context, envFile())),
    check('clock', () => clock(now(), passwordTimes(context))),
  ]
}

function vaultFolder({ place }: Context): Finding {
  const folder = dirname(place.path)
  const [warning] = checkFolder(place)
  if (warning !== undefined) return ['warning', warning]
  if (place.disk.lookThrough(folder) !== undefined) return ['ok', folder]
  return ['warning', `${folder} is not there yet: the first wallet makes it`]
}

function vault(context: Context): Finding {
  const { path } = context.place
  const header = headerOf(context)
  if (header === undefined) {
    return ['warning', `there is no vault at ${path} yet: the first wallet makes it`]
  }
  const { generation, slots } = header
  return ['ok', `${path}, generation ${generation}, passwords: ${slots.length}`]
}

function headerOf({ place }: Context): Header | undefined {
  return vaultExists(place) ? decodeHeader(readVaultFile(place)).header : undefined
}

/** One that nobody need be asked for. */
function isPasswordAtHand({ text, hasPassword }: Context): boolean {
  return hasPassword || text('password-fd') !== undefined || text('password-file') !== undefined
}

function password(context: Context): Finding {
  if (headerOf(context) === undefined) return ['warning', 'there is no vault for it to open yet']
  using secret = context.password()
  using opened = openVault(context.place, secret)
  const wallets = [...opened.list()]
  if ((wallets.at(-1)?.createdAt ?? 0) > context.now()) {
    return ['failed', 'it opens the vault, but a wallet is newer than now: the clock is wrong']
  }
  return ['ok', `it opens the vault; wallets: ${wallets.length}`]
}

/** One that daemons share is asked by the process that has the network. */
function journal(context: Context): Finding {
  if (sharedJournal(context) !== null) return ['ok', 'in a database that daemons share']
  return database(context, join(stateFolder(context), 'payments.sqlite'))
}

const sqliteMagic = 'SQLite format 3\0'

/** Opened as it will be, but neither read as a database nor written: that would leave traces. */
function database({ place: { disk } }: Context, path: string): Finding {
  return attempt(`cannot open ${path}`, () => {
    const file = openRegular(disk, path, 'read-write')
    if (file === undefined) return ['ok', `none at ${path} yet: the daemon makes it`]
    try {
      const { mode, size } = file.stat()
      const magic = Buffer.from(readUpTo(file.read, 0, sqliteMagic.length)).toString('latin1')
      if (size > 0 && magic !== sqliteMagic) {
        throw new KmsError('vault-damaged', `${path} is not a database`)
      }
      if (disk.user() !== undefined && (mode & 0o022) !== 0) {
        return ['failed', `others than its owner may write to ${path}`, `chmod 600 ${path}`]
      }
      return ['ok', path]
    } finally {
      file.close()
    }
  })
}

function environmentFile({ place: { disk } }: Context, path: string | undefined): Finding {
  if (path === undefined) return ['ok', 'none']
  const mode = disk.lookThrough(path)?.mode ?? 0
  if (disk.user() === undefined || (mode & 0o077) === 0) return ['ok', path]
  return ['warning', `others than its owner may read ${path}`, `chmod 600 ${path}`]
}

/** A vault that cannot be read is another check's failure. */
function passwordTimes(context: Context): readonly number[] | undefined {
  try {
    return headerOf(context)?.slots.map(({ createdAt }) => createdAt)
  } catch {
    return undefined
  }
}

/** Long before this program was made. */
const earliest = Date.UTC(2026, 0, 1)

/** @param passwordTimes when each password of the vault was set */
export function clock(now: number, passwordTimes: readonly number[] = []): Finding {
  const time = new Date(now).toISOString()
  if (now < earliest)
    return ['failed', `the clock says ${time}, which cannot be`, 'let NTP set the clock']
  if (passwordTimes.some(setAt => setAt > now))
    return [
      'failed',
      `it says ${time}, but a password of the vault is newer`,
      'let NTP set the clock',
    ]
  return ['ok', time]
}
