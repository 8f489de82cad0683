import { closeSync, mkdtempSync, openSync, rmSync, unlinkSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A disk that a test can fill, or make read-only. */
export type SmallDisk = Disposable & {
  readonly folder: string
  /** Not a byte more fits on it. */
  fill(): void
  free(): void
  /** Only while no file on it is open for writing. */
  makeReadOnly(): void
}

/** Undefined where mounting is not permitted. */
export function mountSmallDisk(megabytes = 2): SmallDisk | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'kms-small-disk-'))
  const options = ['-t', 'tmpfs', '-o', `size=${megabytes}m,mode=700`, 'tmpfs']
  if (process.platform !== 'linux' || !isDone('mount', ...options, folder)) {
    rmSync(folder, { recursive: true })
    return undefined
  }
  const filler = join(folder, 'filler')
  return {
    folder,
    fill() {
      const page = new Uint8Array(4096)
      const fd = openSync(filler, 'w')
      try {
        for (;;) writeSync(fd, page)
      } catch {
        closeSync(fd)
      }
    },
    free: () => unlinkSync(filler),
    makeReadOnly() {
      if (!isDone('mount', '-o', 'remount,ro', folder)) throw new Error('it is in use')
    },
    [Symbol.dispose]() {
      isDone('umount', '-l', folder)
      rmSync(folder, { recursive: true })
    },
  }
}

function isDone(...command: readonly string[]): boolean {
  return Bun.spawnSync([...command], { stderr: 'ignore' }).exitCode === 0
}
