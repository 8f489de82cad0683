import { writeSync } from 'node:fs'
import { isatty } from 'node:tty'
import { KmsError } from '../base/errors.ts'
import { type LogLevel, priorityOf } from '../base/log.ts'
import type { Secret } from '../secret/secret.ts'

/**
 * The rules of the terminal: stdout is the answer and nothing else, stderr is for people. Lines for
 * people begin with `tatum-kms:`, start in lower case and end without a full stop.
 */
export type Terminal = {
  /** Writes the answer; a newline is added. */
  answer(text: string): void
  /** Writes an answer that holds a secret, straight from locked memory. */
  answerSecret(text: Secret): void
  note(text: string): void
  warn(text: string): void
  error(text: string, hint?: string): void
  /** A picture for a person, beside the answer. */
  draw(lines: string): void
  /** A line that the next one replaces, for a person at the terminal; '' takes it away. */
  progress(line: string): void
  /** A line of the daemon's log, as it is. */
  log(line: string): void
}

export const terminal: Terminal = {
  answer: text => besideProgress(() => writeAll(1, Buffer.from(`${text}\n`))),
  answerSecret: text => besideProgress(() => text.use(bytes => writeAll(1, bytes))),
  note: text => sayToPeople('info', text),
  warn: text => sayToPeople('warning', `warning: ${text}`),
  error(text, hint) {
    sayToPeople('error', `error: ${text}`)
    if (hint !== undefined) sayToPeople('error', `hint: ${hint}`)
  },
  draw: lines => besideProgress(() => writeQuietly(`${lines.trimEnd()}\n`)),
  progress(line) {
    if (!isatty(2)) return
    writeQuietly(clearLine + line)
    shownProgress = line
  },
  log: line => writeQuietly(`${line}\n`),
}

/** From now on each line for people starts with its priority, as journald reads it. */
export function markPriorities(): void {
  arePrioritiesMarked = true
}

let arePrioritiesMarked = false

/** Back to the start of the line, which is cleared. */
const clearLine = '\r\x1b[K'
let shownProgress = ''

/** The line of progress makes room for what stays, and follows it. */
function besideProgress(write: () => void): void {
  if (shownProgress !== '') writeQuietly(clearLine)
  write()
  if (shownProgress !== '') writeQuietly(shownProgress)
}

/** A name of a file is anybody's text: nothing of it may steer the terminal or flood it. */
function sayToPeople(level: LogLevel, text: string): void {
  const shown = text.replaceAll(/\p{Cc}/gu, '?')
  const line = shown.length > longestLine ? `${shown.slice(0, longestLine)}…` : shown
  const priority = arePrioritiesMarked ? `<${priorityOf[level]}>` : ''
  besideProgress(() => writeQuietly(`${priority}tatum-kms: ${line}\n`))
}

const longestLine = 1_000

/** Nobody may be reading stderr any more; that must not change what the program does. */
function writeQuietly(text: string): void {
  try {
    writeAll(2, Buffer.from(text))
  } catch {}
}

/** All of it, in order, before the program goes on: an answer that was cut off is a failure. */
function writeAll(fd: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length; ) {
    try {
      done += writeSync(fd, bytes, done)
    } catch (cause) {
      const code = cause instanceof Error && 'code' in cause ? cause.code : 'unknown'
      // A pipe in non-blocking mode whose reader is slow: wait for it.
      if (code === 'EAGAIN') Bun.sleepSync(1)
      else throw new KmsError('disk', `the answer could not be written (${code})`)
    }
  }
}
