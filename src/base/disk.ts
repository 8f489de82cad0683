import { randomBytes } from 'node:crypto'
import { basename, dirname, join } from 'node:path'
import { equalBytes, hex } from './bytes.ts'
import { KmsError } from './errors.ts'
import type { Disk, FileFacts, OpenFile } from './files.ts'

/** Files that must be whole and private whatever happens: every write of the program goes through here. */

export type Owner = { readonly uid: number; readonly gid: number }

/**
 * Puts `bytes` in the place of the file at `path`, or makes it. A crash at any instant leaves the
 * old file or the new one, whole. The caller holds the lock of `path` (`withLock`).
 *
 * @param keepPrevious keeps the old file as `<path>.bak`; else its old copies are overwritten and
 *   removed, as far as the storage underneath really overwrites
 * @param owner of the new file; as the file it replaces unless given
 */
export function replaceFile(
  disk: Disk,
  path: string,
  bytes: Uint8Array,
  { keepPrevious, owner }: { readonly keepPrevious: boolean; readonly owner?: Owner },
): void {
  const doing = `cannot write ${path}`
  const previous = attempt(`${doing}; it is untouched`, () => openRegular(disk, path, 'read-write'))
  try {
    attempt(`${doing}; it is untouched`, () => {
      removeTemporaries(disk, path)
      try {
        const fresh = writeTemporary(disk, path, reader(bytes), owner ?? previous?.stat())
        if (previous && keepPrevious) {
          const copy = writeTemporary(disk, path, previous.read, previous.stat())
          disk.rename(copy, backupOf(path))
        }
        disk.rename(fresh, path)
      } catch (fault) {
        removeQuietly(disk, path)
        throw fault
      }
    })
    attempt(`${path} is replaced, but a power cut may still undo it`, () =>
      disk.syncFolder(dirname(path)),
    )
    if (keepPrevious) return
    attempt(`${path} is replaced, but an older copy may remain`, () =>
      eraseOldCopies(disk, path, previous),
    )
  } finally {
    previous?.close()
  }
}

const chunkLength = 1 << 20
type Read = OpenFile['read']

/** A new file beside `path` with all of `read`, on disk and read back; answers its name. */
function writeTemporary(disk: Disk, path: string, read: Read, owner: Owner | undefined): string {
  const temporary = join(dirname(path), `${temporaryPrefix(path)}${hex(randomBytes(6))}.tmp`)
  const file = disk.create(temporary)
  try {
    const { uid, gid } = file.stat()
    if (owner && (owner.uid !== uid || owner.gid !== gid)) file.chown(owner.uid, owner.gid)
    forEachChunk(read, (chunk, position) => writeAll(file, chunk, position))
    file.sync()
  } finally {
    file.close()
  }
  readBack(disk, temporary, read)
  return temporary
}

function readBack(disk: Disk, path: string, read: Read): void {
  const file = disk.open(path, 'read')
  const differs = new KmsError('disk', 'what was written does not read back the same')
  try {
    let length = 0
    forEachChunk(read, (chunk, position) => {
      if (!equalBytes(readUpTo(file, position, chunk.length), chunk)) throw differs
      length += chunk.length
    })
    if (file.stat().size !== length) throw differs
  } finally {
    file.close()
  }
}
