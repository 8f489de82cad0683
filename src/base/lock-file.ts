import { closeSync, constants, fchownSync, openSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { isPresent } from './disk-fault.ts'
import { flockFd, openUnshared } from './native.ts'

const { O_CREAT, O_EXCL, O_NOFOLLOW, O_RDWR } = constants

/**
 * Locks the file at `path`, made when missing, and answers what unlocks it; undefined when another
 * process has it. The system unlocks it when the process ends, however it ends.
 */
export function tryLock(path: string): (() => void) | undefined {
  if (process.platform === 'win32') return openUnshared(path)
  const fd = openLockFile(path)
  try {
    if (flockFd(fd, 'exclusive', true)) return () => closeSync(fd)
  } catch (fault) {
    closeSync(fd)
    throw fault
  }
  closeSync(fd)
  return undefined
}

/** Made with the folder's owner, so that root's one-shot commands do not lock the daemon out. */
function openLockFile(path: string): number {
  try {
    const fd = openSync(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600)
    const { uid, gid } = statSync(dirname(path))
    if (process.getuid?.() === 0) fchownSync(fd, uid, gid)
    return fd
  } catch (thrown) {
    if (!isPresent(thrown)) throw thrown
    return openSync(path, O_RDWR | O_NOFOLLOW)
  }
}
