import { readFileSync } from 'node:fs'

/** What the kernel tells in a file under /proc or /sys; undefined where it does not. */
export function readSystemFile(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}
