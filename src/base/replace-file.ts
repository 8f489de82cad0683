import { basename, dirname, join } from 'node:path'
import type { Disk } from './disk.ts'
import { attempt } from './disk-fault.ts'
import { KmsError } from './errors.ts'
import { openRegular } from './guarded-file.ts'
import {
  copyInto,
  type OpenFile,
  type Owner,
  type ReadAt,
  readerOf,
  sameContents,
} from './open-file.ts'

/**
 * Puts `bytes` in the place of the file at `path`, or makes it. A crash at any instant leaves the
 * old file or the new one, whole. The caller holds the lock of `path`.
 *
 * @param keepPrevious keeps the old file as `<path>.bak`; otherwise it and an older `.bak` are
 *   overwritten and removed, as far as the storage underneath really overwrites
 * @param owner of the new file; that of the file it replaces unless given
 */
export function replaceFile(
  disk: Disk,
  path: string,
  bytes: Uint8Array,
  { keepPrevious, owner }: { readonly keepPrevious: boolean; readonly owner?: Owner },
): void {
  const untouched = `cannot write ${path} and left it as it was`
  const access = keepPrevious ? 'read' : 'read-write'
  const previous = attempt(untouched, () => openRegular(disk, path, access))
  try {
    attempt(untouched, () => {
      removeTemporaries(disk, path)
      try {
        const next = owner ?? previous?.stat() ?? ownerOfFolder(disk, path)
        const fresh = writeTemporary(disk, path, readerOf(bytes), next)
        if (previous && keepPrevious) {
          const copy = writeTemporary(disk, backupOf(path), previous.read, previous.stat())
          disk.rename(copy, backupOf(path))
        }
        disk.rename(fresh, path)
      } catch (fault) {
        tidyUp(disk, path)
        throw fault
      }
    })
    attempt(`${path} is written, but a power cut may undo it`, () => disk.syncFolder(dirname(path)))
    if (keepPrevious) return
    attempt(`${path} is written, but an older copy may still be there`, () =>
      eraseOldCopies(disk, path, previous),
    )
  } finally {
    previous?.close()
  }
}

/** What root makes in somebody's folder is theirs: root's own file would lock them out. */
function ownerOfFolder(disk: Disk, path: string): Owner | undefined {
  return disk.user() === 0 ? disk.lookThrough(dirname(path)) : undefined
}

/** Writes and syncs all of `read` beside `path`, reads it back, and answers its name. */
function writeTemporary(disk: Disk, path: string, read: ReadAt, owner: Owner | undefined): string {
  const temporary = join(dirname(path), `.${basename(path)}.${process.pid}.tmp`)
  const file = disk.create(temporary)
  try {
    const { uid, gid } = file.stat()
    if (owner && (owner.uid !== uid || owner.gid !== gid)) file.chown(owner)
    copyInto(file, read)
    file.sync()
  } finally {
    file.close()
  }
  refuseDifference(disk, temporary, read)
  return temporary
}

function refuseDifference(disk: Disk, path: string, read: ReadAt): void {
  const file = disk.open(path, 'read')
  try {
    if (!sameContents(file.read, read)) {
      throw new KmsError('disk', `what was written to ${dirname(path)} reads back differently`)
    }
  } finally {
    file.close()
  }
}

const backupOf = (path: string) => `${path}.bak`

/** What runs left behind that were cut off; the lock says that none is under way. */
function removeTemporaries(disk: Disk, path: string): void {
  const folder = dirname(path)
  const prefix = `.${basename(path)}.`
  for (const name of disk.list(folder)) {
    const isTemporary =
      name.startsWith(prefix) && /^(bak\.)?\d+\.tmp$/.test(name.slice(prefix.length))
    if (isTemporary) disk.unlink(join(folder, name))
  }
}

/** After a failure that is already on its way to the caller: what cannot be removed stays. */
function tidyUp(disk: Disk, path: string): void {
  try {
    removeTemporaries(disk, path)
  } catch {
    // The next write removes them.
  }
}

/**
 * Overwrites only what no other name leads to: a hard link that somebody made is theirs. Whoever is
 * reading the old file just now sees that it was replaced and reads again (`readGuarded`).
 */
function eraseOldCopies(disk: Disk, path: string, previous: OpenFile | undefined): void {
  if (previous?.stat().links === 0) overwrite(previous)
  const backup = openRegular(disk, backupOf(path), 'read-write')
  if (backup === undefined) return
  try {
    if (backup.stat().links === 1) overwrite(backup)
  } finally {
    backup.close()
  }
  disk.unlink(backupOf(path))
  disk.syncFolder(dirname(path))
}

function overwrite(file: OpenFile): void {
  copyInto(file, readerOf(new Uint8Array(file.stat().size)))
  file.sync()
}
