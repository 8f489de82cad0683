import { closeSync, openSync, writeSync } from 'node:fs'
import { KmsError } from '../base/errors.ts'
import { awaitInput, turnEchoOff } from '../base/native.ts'
import { type SignalWatch, watchSignals } from '../base/native-signals.ts'
import { readSecretLine } from '../secret/input.ts'
import type { Secret } from '../secret/secret.ts'

/** Asks at the terminal itself, whatever stdin and stdout are, without showing what is typed. */
export function promptSecret(question: string): Secret {
  const fd = openTerminal('give the password with --password-file or --password-fd')
  try {
    using signals = watchSignals()
    const restore = turnEchoOff(fd)
    try {
      writeSync(fd, `${question}: `)
      const answer = readSecretLine(fd, () => waitForPerson(fd, signals))
      if (answer === undefined) throw new KmsError('usage', 'nothing was entered')
      return answer
    } finally {
      restore()
    }
  } finally {
    closeSync(fd)
  }
}

/** Asks there for a yes; whatever else is typed is a no. */
export function promptYes(question: string): boolean {
  const fd = openTerminal('give --yes where nobody is to be asked')
  try {
    using signals = watchSignals()
    writeSync(fd, `${question} [y/N] `)
    using answer = readSecretLine(fd, () => waitForPerson(fd, signals))
    return answer?.use(bytes => /^y(es)?$/i.test(Buffer.from(bytes).toString('latin1'))) ?? false
  } finally {
    closeSync(fd)
  }
}

/** Not in read(2), behind which a signal would find the echo still off. */
function waitForPerson(fd: number, { caught }: SignalWatch): void {
  do {
    const signal = caught()
    if (signal !== undefined) {
      const code = signal === 'SIGINT' ? 'interrupted' : 'terminated'
      throw new KmsError(code, 'ended by a signal')
    }
  } while (!awaitInput(fd, longestWaitMs))
}

/** A signal just before a wait is noticed behind it. */
const longestWaitMs = 200

function openTerminal(hint: string): number {
  try {
    return openSync(process.platform === 'win32' ? 'CON' : '/dev/tty', 'r+')
  } catch {
    throw new KmsError('usage', 'there is no terminal to ask at', { hint })
  }
}
