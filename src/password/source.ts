import { closeSync, constants, fstatSync, openSync, type Stats } from 'node:fs'
import { equalBytes } from '../base/bytes.ts'
import { KmsError } from '../base/errors.ts'
import { readSecretLine } from '../secret/input.ts'
import type { Secret } from '../secret/secret.ts'
import { promptSecret } from './prompt.ts'

/** Where a password can come from. `read` is called once; the caller wipes what it gives. */
export type PasswordSource = {
  readonly name: string
  /** @param isNew the password will protect a new vault: a person is asked twice */
  read(isNew: boolean): Secret
}

/** The first line of an inherited descriptor. */
export function fdSource(fd: number): PasswordSource {
  return { name: `descriptor ${fd}`, read: () => lineOf(fd, `descriptor ${fd}`) }
}

/** The first line of a file that nobody but its owner can read. */
export function fileSource(path: string): PasswordSource {
  return {
    name: 'password file',
    read() {
      const fd = openPasswordFile(path)
      try {
        refuseShared(fstatSync(fd))
        return lineOf(fd, 'the password file')
      } finally {
        closeSync(fd)
      }
    },
  }
}

/** A variable's value, already taken out of the environment. */
export function environmentSource(name: string, take: () => Secret): PasswordSource {
  return { name, read: () => refuseEmpty(take(), name) }
}

/** A person at the terminal. */
export const promptSource: PasswordSource = {
  name: 'terminal',
  read(isNew) {
    const password = refuseEmpty(
      promptSecret(isNew ? 'Password for the new vault' : 'Password of the vault'),
      'the password',
    )
    if (isNew) refuseTypo(password)
    return password
  },
}

/** A mistyped password of a new vault would lock its owner out for ever. */
function refuseTypo(password: Secret): void {
  using repeated = promptSecret('The same password again')
  const same = password.use(a => repeated.use(b => equalBytes(a, b)))
  if (same) return
  password.wipe()
  throw new KmsError('usage', 'the two passwords are not the same')
}

function openPasswordFile(path: string): number {
  try {
    return openSync(path, constants.O_RDONLY)
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown'
    throw new KmsError('usage', `the password file cannot be opened (${code})`)
  }
}

function refuseShared({ mode, uid }: Stats): void {
  if (process.platform === 'win32') return
  const isOwn = uid === 0 || uid === process.geteuid?.()
  if (isOwn && (mode & 0o077) === 0) return
  throw new KmsError('unsafe-permissions', 'others can read or replace the password file', {
    hint: 'chmod 600 it, and let it belong to the user who runs tatum-kms',
  })
}

function lineOf(fd: number, name: string): Secret {
  return refuseEmpty(readSecretLine(fd), name)
}

function refuseEmpty(secret: Secret | undefined, name: string): Secret {
  if (secret !== undefined && secret.length > 0) return secret
  throw new KmsError('usage', `${name} holds no password`)
}
