import { closeSync, openSync, writeSync } from 'node:fs'
import { KmsError } from '../base/errors.ts'
import { turnEchoOff } from '../base/native.ts'
import { readSecretLine } from '../secret/input.ts'
import type { Secret } from '../secret/secret.ts'

/** Asks at the terminal itself, whatever stdin and stdout are, without showing what is typed. */
export function promptSecret(question: string): Secret {
  const fd = openTerminal()
  try {
    const restore = turnEchoOff(fd)
    try {
      writeSync(fd, `${question}: `)
      const answer = readSecretLine(fd)
      if (answer === undefined) throw new KmsError('usage', 'nothing was entered')
      return answer
    } finally {
      restore()
    }
  } finally {
    closeSync(fd)
  }
}

function openTerminal(): number {
  try {
    return openSync(process.platform === 'win32' ? 'CON' : '/dev/tty', 'r+')
  } catch {
    throw new KmsError('usage', 'there is no terminal to ask at', {
      hint: 'give the password with --password-file or --password-fd',
    })
  }
}
