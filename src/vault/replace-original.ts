import { dirname } from 'node:path'
import { equalBytes } from '../base/bytes.ts'
import type { Disk } from '../base/disk.ts'
import { attempt } from '../base/disk-fault.ts'
import { KmsError } from '../base/errors.ts'
import { readGuarded } from '../base/guarded-file.ts'
import type { Owner } from '../base/open-file.ts'
import { replaceFile } from '../base/replace-file.ts'
import { maxOriginalLength, readOriginal } from './original.ts'

/** Where the original's file is kept when a vault takes its place. */
export function keptOriginal(path: string): string {
  return `${path}.original`
}

/** Whether the original's file is kept already, as a run that was cut off does. Refuses another file. */
export function isOriginalKept(disk: Disk, path: string, original: Uint8Array): boolean {
  const kept = readGuarded(disk, keptOriginal(path), maxOriginalLength)
  if (kept === undefined) return false
  if (equalBytes(kept, original)) return true
  throw new KmsError('disk', `there is another file at ${keptOriginal(path)} already`, {
    hint: 'move it away, then run this again',
  })
}

/**
 * Puts the vault at `fresh` in the place of the original's file at `path`, which is kept beside it,
 * 0600. It is copied, not renamed: at any instant there is a whole file at `path`, and the original
 * is at one of the two names. The caller holds the lock of `path`.
 *
 * @param original what was migrated; when the file says something else by now, nothing is done
 */
export function replaceOriginal(
  disk: Disk,
  { path, fresh, original }: { path: string; fresh: string; original: Uint8Array },
): void {
  const { bytes, facts } = readOriginal(disk, path)
  if (!equalBytes(bytes, original)) {
    throw new KmsError('vault-busy', `${path} was changed while it was migrated`, {
      hint: 'end the original tatum-kms, then run this again',
    })
  }
  const owner = { uid: facts.uid, gid: facts.gid }
  if (!isOriginalKept(disk, path, original)) {
    replaceFile(disk, keptOriginal(path), original, { keepPrevious: true, owner })
  }
  attempt(`cannot put the vault in the place of ${path}, which is as it was`, () => {
    settle(disk, keptOriginal(path), owner)
    settle(disk, fresh, owner)
    disk.syncFolder(dirname(path))
    disk.rename(fresh, path)
  })
  attempt(`${path} is migrated, but a power cut may undo it`, () => disk.syncFolder(dirname(path)))
}

/** The owner's and on disk, whoever wrote it. */
function settle(disk: Disk, path: string, owner: Owner): void {
  const file = disk.open(path, 'read-write')
  try {
    const { uid, gid } = file.stat()
    if (uid !== owner.uid || gid !== owner.gid) file.chown(owner)
    file.sync()
  } finally {
    file.close()
  }
}
