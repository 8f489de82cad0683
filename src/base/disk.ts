import {
  constants,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  statSync,
  unlinkSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { attempt, isPresent, unlessMissing } from './disk-fault.ts'
import { KmsError } from './errors.ts'
import { tryLock } from './lock-file.ts'
import {
  copyInto,
  type FileFacts,
  factsOf,
  type OpenFile,
  type Owner,
  openFile,
  type ReadAt,
  readerOf,
  readUpTo,
  sameContents,
  syncFolder,
} from './open-file.ts'

/**
 * The file system as this program uses it. Every file it writes goes through here. Links are never
 * followed to a file; a folder on the way may be one.
 */
export type Disk = {
  /** Who we are; undefined where files have no owners and modes (Windows). */
  user(): number | undefined
  /** A new file, mode 0600. Fails when there is one. */
  create(path: string): OpenFile
  open(path: string, access: 'read' | 'read-write'): OpenFile
  /** What is at `path`, a link itself included; undefined when nothing is. */
  look(path: string): FileFacts | undefined
  /** What `path` leads to. */
  lookThrough(path: string): FileFacts | undefined
  rename(from: string, to: string): void
  unlink(path: string): void
  list(folder: string): readonly string[]
  /** A new folder, mode 0700. */
  makeFolder(folder: string): void
  /** Makes names that came, went or changed in `folder` outlive a power cut. */
  syncFolder(folder: string): void
  /** Locks the file, made when missing; answers what unlocks it, undefined when somebody has it. */
  tryLock(path: string): (() => void) | undefined
}

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

/**
 * The file's bytes, or undefined when there is none. Refuses links, other people's files, and files
 * that anybody but the owner may touch.
 */
export function readGuarded(disk: Disk, path: string, maxBytes: number): Uint8Array | undefined {
  return attempt(`cannot read ${path}`, () => {
    for (let round = 0; round < 10; round++) {
      const file = openRegular(disk, path, 'read')
      if (file === undefined) return undefined
      try {
        const facts = file.stat()
        refuseSharedFile(disk, path, facts)
        const bytes = readUpTo(file.read, 0, Math.min(facts.size, maxBytes) + 1)
        if (bytes.length > maxBytes) {
          throw new KmsError('vault-damaged', `${path} is larger than ${maxBytes} bytes`)
        }
        // One that was replaced meanwhile may have been overwritten while we read.
        if (disk.look(path)?.identity === facts.identity) return bytes
      } finally {
        file.close()
      }
    }
    throw new KmsError('vault-busy', `${path} is replaced again and again while it is read`)
  })
}

/** True when there is a file at `path`; refuses what `readGuarded` would, without reading it. */
export function guardedExists(disk: Disk, path: string): boolean {
  return attempt(`cannot read ${path}`, () => {
    const file = openRegular(disk, path, 'read')
    if (file === undefined) return false
    try {
      refuseSharedFile(disk, path, file.stat())
      return true
    } finally {
      file.close()
    }
  })
}

function openRegular(
  disk: Disk,
  path: string,
  access: 'read' | 'read-write',
): OpenFile | undefined {
  const file = unlessMissing(() => disk.open(path, access))
  if (file === undefined || file.stat().kind === 'file') return file
  file.close()
  throw new KmsError('unsafe-permissions', `${path} is not a regular file`)
}

function refuseSharedFile(disk: Disk, path: string, facts: FileFacts): void {
  refuseForeign(disk, path, facts)
  if (disk.user() === undefined || (facts.mode & 0o077) === 0) return
  throw new KmsError('unsafe-permissions', `${path} may be touched by others than its owner`, {
    hint: `chmod 600 ${path}`,
  })
}

function refuseForeign(disk: Disk, path: string, { uid }: FileFacts): void {
  const user = disk.user()
  // Root administers vaults of the daemon's user; what it writes keeps that owner.
  if (user === undefined || user === 0 || uid === user || uid === 0) return
  throw new KmsError('unsafe-permissions', `${path} belongs to another user (uid ${uid})`, {
    hint: `chown ${user} ${path}, or run this as its owner`,
  })
}

/**
 * Makes `folder` (0700) with what is missing above it. Refuses one where others may write; answers
 * warnings about one they may look into.
 */
export function ensureFolder(disk: Disk, folder: string): readonly string[] {
  const facts = attempt(`cannot make ${folder}`, () => {
    makeFolder(disk, folder)
    return disk.lookThrough(folder)
  })
  if (facts?.kind !== 'folder') throw new KmsError('disk', `${folder} is not a folder`)
  refuseForeign(disk, folder, facts)
  if (disk.user() === undefined) return []
  if ((facts.mode & 0o022) !== 0) {
    throw new KmsError('unsafe-permissions', `others than its owner may write to ${folder}`, {
      hint: `chmod 700 ${folder}`,
    })
  }
  if ((facts.mode & 0o055) === 0) return []
  return [`others than its owner may look into ${folder} (chmod 700 ${folder})`]
}

function makeFolder(disk: Disk, folder: string): void {
  if (disk.lookThrough(folder) !== undefined) return
  const parent = dirname(folder)
  if (parent !== folder) makeFolder(disk, parent)
  try {
    disk.makeFolder(folder)
    disk.syncFolder(parent)
  } catch (thrown) {
    if (!isPresent(thrown)) throw thrown
  }
}

/** Does `work` while no other process does any for this `path`. `<path>.lock` stays behind. */
export async function withLock<T>(
  disk: Disk,
  path: string,
  waitMs: number,
  work: () => T | Promise<T>,
): Promise<T> {
  const unlock = await lock(disk, path, waitMs)
  try {
    return await work()
  } finally {
    unlock()
  }
}

const pollMs = 50

async function lock(disk: Disk, path: string, waitMs: number): Promise<() => void> {
  for (let waited = 0; ; waited += pollMs) {
    const unlock = attempt(`cannot lock ${path}`, () => disk.tryLock(`${path}.lock`))
    if (unlock) return unlock
    if (!(waited < waitMs)) break
    await Bun.sleep(Math.min(pollMs, waitMs - waited))
  }
  throw new KmsError('vault-busy', `another process holds ${path}.lock`, {
    hint: 'wait for it to end, or longer with --lock-wait',
  })
}

const { O_CREAT, O_EXCL, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_RDWR } = constants

/** The disk of this machine. */
export const realDisk: Disk = {
  user: () => process.geteuid?.(),
  create: path => openFile(openSync(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600)),
  // Not blocking: opening a pipe that stands where a file should be would wait for its writer.
  open: (path, access) =>
    openFile(openSync(path, (access === 'read' ? O_RDONLY : O_RDWR) | O_NOFOLLOW | O_NONBLOCK)),
  look: path => unlessMissing(() => factsOf(lstatSync(path))),
  lookThrough: path => unlessMissing(() => factsOf(statSync(path))),
  rename: renameSync,
  unlink: unlinkSync,
  list: folder => readdirSync(folder),
  makeFolder: folder => mkdirSync(folder, 0o700),
  syncFolder,
  tryLock,
}
