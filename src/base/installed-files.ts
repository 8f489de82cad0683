import {
  chmodSync,
  closeSync,
  constants,
  fchmodSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  unlinkSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { attempt, unlessMissing } from './disk-fault.ts'
import { writeOut } from './native.ts'
import { syncFolder } from './open-file.ts'

/**
 * Files that an administrator installs into the system, most of them for everybody to read. What
 * this program keeps for itself goes through disk.ts.
 */

const { O_CREAT, O_EXCL, O_NOFOLLOW, O_WRONLY } = constants

/** Undefined where there is none. */
export function readInstalled(path: string): string | undefined {
  return attempt(`cannot read ${path}`, () => unlessMissing(() => readFileSync(path, 'utf8')))
}

/** Puts the text at `path` as a whole: nobody reads a part of it. */
export function install(path: string, text: string, mode: number): void {
  attempt(`cannot write ${path}`, () => {
    const fresh = `${path}.${process.pid}.tmp`
    const fd = openSync(fresh, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode)
    try {
      // Whatever the umask is.
      fchmodSync(fd, mode)
      writeOut(fd, Buffer.from(text))
      fsyncSync(fd)
      renameSync(fresh, path)
    } catch (fault) {
      unlinkSync(fresh)
      throw fault
    } finally {
      closeSync(fd)
    }
    syncFolder(dirname(path))
  })
}

/** Makes the folder, and those above it that are missing; answers whether it was missing. */
export function installFolder(path: string, mode: number): boolean {
  return attempt(`cannot make ${path}`, () => {
    const first = mkdirSync(path, { recursive: true, mode: 0o755 })
    if (first === undefined) return false
    chmodSync(path, mode)
    return true
  })
}

/** Answers whether it was there. */
export function uninstall(path: string): boolean {
  return attempt(`cannot remove ${path}`, () => {
    const facts = unlessMissing(() => lstatSync(path))
    if (facts !== undefined) unlinkSync(path)
    return facts !== undefined
  })
}

/** Removes folders and files that hold nothing, and their folder; answers whether all of it is gone. */
export function uninstallEmpty(path: string): boolean {
  return attempt(`cannot remove ${path}`, () => {
    const facts = unlessMissing(() => lstatSync(path))
    if (facts === undefined) return true
    if (!facts.isDirectory()) {
      const isEmpty = facts.isSymbolicLink() || (facts.isFile() && facts.size === 0)
      if (isEmpty) unlinkSync(path)
      return isEmpty
    }
    const left = readdirSync(path).filter(name => !uninstallEmpty(join(path, name)))
    if (left.length === 0) rmdirSync(path)
    return left.length === 0
  })
}
