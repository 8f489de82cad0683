import { dirname } from 'node:path'
import { equalBytes, hex } from '../base/bytes.ts'
import {
  type Disk,
  ensureFolder,
  guardedExists,
  readGuarded,
  replaceFile,
  withLock,
} from '../base/disk.ts'
import { KmsError } from '../base/errors.ts'
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
    if (place.disk.look(target) !== undefined) {
      throw new KmsError('usage', `${target} exists already; a backup never overwrites`)
    }
    ensureFolder(place.disk, dirname(target))
    // There is no previous file to keep: whatever stands beside it as `.bak` is not ours.
    replaceFile(place.disk, target, file, { keepPrevious: true })
    return header
  })
}

/**
 * Puts the copy at `source` in the vault's place, one generation above both, so that nobody takes
 * it for a rollback. The copy must open with the password.
 *
 * @param force also over a vault that was written after the copy, or over another vault
 */
export function restoreBackup(
  place: VaultPlace,
  source: string,
  password: Secret,
  { force }: { readonly force: boolean },
): Promise<{ readonly generation: bigint; readonly wallets: number }> {
  const copy = readGuarded(place.disk, source, maxFileLength)
  if (copy === undefined) throw noBackup(source)
  ensureFolder(place.disk, dirname(place.path))
  return withLock(place.disk, place.path, place.lockWaitMs, () => {
    const { state, keys, body } = openEnvelope(copy, password)
    using _keys = keys
    const current = currentGeneration(place, copy, force)
    const copied = state.generation
    const generation = current > copied ? current + 1n : copied + 1n
    const file = sealEnvelope({ ...state, generation }, keys, body)
    replaceFile(place.disk, place.path, file, { keepPrevious: true })
    return { generation, wallets: indexBody(body).size }
  })
}

/** Refuses when there is no backup at `path`: to be asked before its password is. */
export function requireBackup(disk: Disk, path: string): void {
  if (!guardedExists(disk, path)) throw noBackup(path)
}

function noBackup(path: string): KmsError {
  return new KmsError('vault-missing', `there is no backup at ${path}`)
}

/** The generation that is there now; 0 where nothing is, or nothing that can be read. */
function currentGeneration(place: VaultPlace, copyFile: Uint8Array, force: boolean): bigint {
  const file = readGuarded(place.disk, place.path, maxFileLength)
  if (file === undefined) return 0n
  if (!force) refuseStranger(place, file, copyFile)
  const copy = decodeHeader(copyFile).header
  const current = headerUnlessDamaged(file)
  if (current === undefined) return 0n
  const isSame = equalBytes(current.vaultId, copy.vaultId)
  if (!force && !isSame) {
    throw new KmsError('usage', `another vault (${hex(current.vaultId)}) stands at ${place.path}`, {
      hint: '--force replaces it',
    })
  }
  if (!force && current.generation > copy.generation) {
    throw new KmsError(
      'vault-rolled-back',
      `the vault was written after this backup (generation ${current.generation}, backup ${copy.generation})`,
      { hint: '--force restores it all the same; what was added since is lost' },
    )
  }
  return isSame ? current.generation : 0n
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
