import {
  closeSync,
  constants,
  fchmodSync,
  lstatSync,
  openSync,
  renameSync,
  unlinkSync,
  writeSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { attempt, unlessMissing } from './disk-fault.ts'

const { O_CREAT, O_EXCL, O_NOFOLLOW, O_WRONLY } = constants

/**
 * Replaces a file that says how things are just now: a reader sees the old or the new one, whole.
 * Nothing is synced, because after a power cut it would not be true any more.
 */
export function writeStateFile(path: string, text: string, mode: 0o600 | 0o644): void {
  const temporary = join(dirname(path), `.${basename(path)}.tmp`)
  attempt(`cannot write ${path}`, () => {
    unlessMissing(() => unlinkSync(temporary))
    const fd = openSync(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode)
    try {
      // The mask would otherwise keep it from those that it is for.
      fchmodSync(fd, mode)
      for (let rest = Buffer.from(text); rest.length > 0; ) {
        rest = rest.subarray(writeSync(fd, rest))
      }
    } finally {
      closeSync(fd)
    }
    renameSync(temporary, path)
  })
}

/** Takes away a socket that its process left behind; nothing else is removed. */
export function removeSocket(path: string): void {
  attempt(`cannot remove ${path}`, () =>
    unlessMissing(() => {
      if (lstatSync(path).isSocket()) unlinkSync(path)
    }),
  )
}
