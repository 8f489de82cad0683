import { readFileSync, statSync } from 'node:fs'
import { KmsError } from '../../base/errors.ts'

const maxBytes = 64 * 1024

/**
 * The text of the file that a variable names. Platforms keep such files up to date through links and
 * with modes of their own, so that neither is looked at.
 */
export function readNamedFile(variable: string, path: string): string {
  try {
    const stats = statSync(path)
    if (stats.isFile() && stats.size <= maxBytes) return readFileSync(path, 'utf8').trim()
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown'
    throw new KmsError('usage', `the file that ${variable} names cannot be read (${code})`)
  }
  throw new KmsError('usage', `what ${variable} names is not a file of at most ${maxBytes} bytes`)
}
