import { dirname } from 'node:path'
import { equalBytes, hex } from '../base/bytes.ts'
import { type Disk, withLock } from '../base/disk.ts'
import { attempt } from '../base/disk-fault.ts'
import { KmsError } from '../base/errors.ts'
import { ensureFolder, guardedExists, readGuarded } from '../base/guarded-file.ts'
import { replaceFile } from '../base/replace-file.ts'
import type { Secret } from '../secret/secret.ts'
import { openEnvelope, sealEnvelope } from './envelope.ts'
import { decodeHeader, type Header, maxFileLength } from './header.ts'
import { indexBody } from './records.ts'
import { readVaultFile, requireVault, type VaultPlace } from './vault.ts'

/** Magic and version. */
const kindLength = 10

/** Copies the vault as it stands, under its lock, to a new file. Needs no password. */
export function createBackup(place: VaultPlace, target: string): Promise<Header> {
  requireVault(place)
  return withLock(place.disk, place.path, place.lockWaitMs, () => {
    const file = readVaultFile(place)
    const { header } = decodeHeader(file)
    const present = attempt(`cannot look at ${target}`, () => place.disk.look(target))
    if (present !== undefined) {
      throw new KmsError('usage', `${target} exists already; a backup never overwrites`)
    }
    ensureFolder(place.disk, dirname(target))
    // There is no previous file to keep: whatever stands beside it as `.bak` is not ours.
    replaceFile(place.disk, target, file, { keepPrevious: true })
    return header
  })
}

/**
 * Puts the copy at `source` in the vault's place, one generation above all that was ever seen of it,
 * so that nobody takes it for a rollback. The copy must open with the password. What stood in its
 * place is kept as `.bak`; if it is damaged, as `.damaged`, because then `.bak` may be worth more.
 *
 * @param force also over a vault that was written after the copy, or over another vault
 * @param seen the highest generation anybody else knows of this vault (the signer's ledger)
 */
export function restoreBackup(
  place: VaultPlace,
  source: string,
  password: Secret,
  { force, seen = 0n }: { readonly force: boolean; readonly seen?: bigint },
): Promise<{ readonly generation: bigint; readonly wallets: number }> {
  const copy = readGuarded(place.disk, source, maxFileLength)
  if (copy === undefined) throw noBackup(source)
  ensureFolder(place.disk, dirname(place.path))
  return withLock(place.disk, place.path, place.lockWaitMs, () => {
    const { state, keys, body } = openEnvelope(copy, password)
    using _keys = keys
    const present = look(place, copy, force)
    const known = [state.generation, present.generation, seen]
    const generation = known.reduce((highest, other) => (other > highest ? other : highest)) + 1n
    const file = sealEnvelope({ ...state, generation }, keys, body)
    if (present.isDamaged) setAside(place)
    replaceFile(place.disk, place.path, file, { keepPrevious: true })
    return { generation, wallets: indexBody(body).size }
  })
}

function setAside({ disk, path }: VaultPlace): void {
  attempt(`cannot set the damaged ${path} aside`, () => disk.rename(path, `${path}.damaged`))
}

/** Refuses when there is no backup at `path`: to be asked before its password is. */
export function requireBackup(disk: Disk, path: string): void {
  if (!guardedExists(disk, path)) throw noBackup(path)
}

function noBackup(path: string): KmsError {
  return new KmsError('vault-missing', `there is no backup at ${path}`)
}

type Present = { readonly generation: bigint; readonly isDamaged: boolean }

/** What stands in the vault's place, refusing what `force` alone may replace. */
function look(place: VaultPlace, copyFile: Uint8Array, force: boolean): Present {
  const copy = decodeHeader(copyFile).header
  const file = readGuarded(place.disk, place.path, maxFileLength)
  const isDamaged = file !== undefined && headerUnlessDamaged(file) === undefined
  if (isDamaged && !force) refuseStranger(place, file, copyFile)
  // Beside a vault that is gone or damaged, its last good generation is the one that counts.
  const good = file === undefined || isDamaged ? readBackup(place) : file
  const current = good && headerUnlessDamaged(good)
  if (current === undefined) return { generation: 0n, isDamaged }
  const isSame = equalBytes(current.vaultId, copy.vaultId)
  if (!force && !isSame) {
    throw new KmsError('usage', `another vault (${hex(current.vaultId)}) stands at ${place.path}`, {
      hint: '--force replaces it',
    })
  }
  if (!force && current.generation > copy.generation) throw newer(current, copy)
  return { generation: isSame ? current.generation : 0n, isDamaged }
}

function readBackup({ disk, path }: VaultPlace): Uint8Array | undefined {
  return readGuarded(disk, `${path}.bak`, maxFileLength)
}

function newer(current: Header, copy: Header): KmsError {
  return new KmsError(
    'vault-rolled-back',
    `the vault was written after this backup (generation ${current.generation}, backup ${copy.generation})`,
    { hint: '--force restores it all the same; what was added since is lost' },
  )
}

/**
 * What is no vault of this version may hold keys all the same: a wallet file of the original, a
 * vault of a newer tatum-kms. An empty file holds none.
 */
function refuseStranger({ path }: VaultPlace, file: Uint8Array, copy: Uint8Array): void {
  const isAlike = equalBytes(file.subarray(0, kindLength), copy.subarray(0, kindLength))
  if (isAlike || file.length === 0) return
  throw new KmsError('usage', `what stands at ${path} is not a vault of this version`, {
    hint: 'move it away first; --force replaces it',
  })
}

/** A damaged vault is what a backup is for. */
function headerUnlessDamaged(file: Uint8Array): Header | undefined {
  try {
    return decodeHeader(file).header
  } catch {
    return undefined
  }
}
