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
import { attempt, unlessMissing } from './disk-fault.ts'
import { KmsError } from './errors.ts'
import { tryLock } from './lock-file.ts'
import { type FileFacts, factsOf, type OpenFile, openFile, syncFolder } from './open-file.ts'

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
