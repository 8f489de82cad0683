import { readSync } from 'node:fs'
import { KmsError } from '../base/errors.ts'
import { readUpTo } from '../base/open-file.ts'

/** All of stdin as text; refuses more than `maxBytes`. */
export function readStdin(maxBytes: number): string {
  const bytes = readUpTo(into => readSync(0, into, 0, into.length, null), 0, maxBytes + 1)
  if (bytes.length <= maxBytes) return Buffer.from(bytes).toString('utf8')
  throw new KmsError('usage', `stdin is longer than ${maxBytes} bytes`)
}
