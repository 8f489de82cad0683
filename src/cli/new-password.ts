import { isatty } from 'node:tty'
import { KmsError } from '../base/errors.ts'
import { promptSecret } from '../password/prompt.ts'
import { fdSource, fileSource } from '../password/source.ts'
import { equalPair } from '../password/twice.ts'
import { readSecretLine } from '../secret/input.ts'
import type { Secret } from '../secret/secret.ts'
import type { Context } from './context.ts'

/**
 * A password that is to open the vault from now on: from a file or descriptor, twice at the
 * terminal, or two equal lines of stdin when that is no terminal. The caller wipes it.
 */
export function newPassword({ text, descriptor }: Context): Secret {
  const fd = text('new-password-fd')
  if (fd !== undefined) return fdSource(descriptor(fd, '--new-password-fd')).read(true)
  const file = text('new-password-file')
  if (file !== undefined) return fileSource(file).read(true)
  return isatty(0) ? askTwice() : readTwice()
}

function askTwice(): Secret {
  return equalPair(
    () => promptSecret('New password'),
    () => promptSecret('The same password again'),
  )
}

function readTwice(): Secret {
  const line = (): Secret => {
    const secret = readSecretLine(0)
    if (secret !== undefined && secret.length > 0) return secret
    throw new KmsError(
      'usage',
      'stdin is not a terminal and does not hold the new password twice',
      {
        hint: 'give it with --new-password-file or --new-password-fd',
      },
    )
  }
  return equalPair(line, line)
}
