import { isatty } from 'node:tty'
import { KmsError } from '../base/errors.ts'
import { readInto } from '../base/native.ts'
import { allocateSecret, type Secret } from './secret.ts'

/** No password, mnemonic or key text is longer. */
export const maxSecretLength = 4096
const newline = 0x0a
const carriageReturn = 0x0d
/** What Ctrl-C sends while the echo is off. */
const interrupt = 3

/**
 * The first line of an open file, read byte by byte into locked memory, so that what follows it
 * stays unread. The newline is not part of it.
 *
 * @param wait is called before each byte is read; a person's take their time
 * @returns undefined when the file ends before anything came
 */
export function readSecretLine(fd: number, wait?: () => void): Secret | undefined {
  const line = allocateSecret(maxSecretLength + 2) // room for \r\n
  try {
    const length = fill(line, fd, wait)
    if (length === undefined) {
      line.wipe()
      return undefined
    }
    line.shrink(length)
    return line
  } catch (fault) {
    line.wipe()
    throw fault
  }
}

function fill(line: Secret, fd: number, wait?: () => void): number | undefined {
  const byteAt = (i: number): number => line.use(bytes => bytes[i] ?? 0)
  const isTyped = isatty(fd)
  for (let at = 0; at < line.length; at++) {
    wait?.()
    const isEnd = readInto(fd, line.address + at, 1) === 0
    if (isEnd) return at === 0 ? undefined : checkedLength(at)
    const byte = byteAt(at)
    if (isTyped && byte === interrupt) throw new KmsError('interrupted', 'interrupted')
    if (byte === newline) {
      return checkedLength(at > 0 && byteAt(at - 1) === carriageReturn ? at - 1 : at)
    }
  }
  throw tooLong()
}

function checkedLength(length: number): number {
  if (length <= maxSecretLength) return length
  throw tooLong()
}

function tooLong(): KmsError {
  return new KmsError('usage', `a secret is longer than ${maxSecretLength} bytes`)
}
