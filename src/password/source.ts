import { closeSync, constants, existsSync, fstatSync, openSync, type Stats } from 'node:fs'
import { join } from 'node:path'
import { KmsError } from '../base/errors.ts'
import { maxSecretLength, readSecretLine } from '../secret/input.ts'
import type { Secret } from '../secret/secret.ts'
import { promptSecret } from './prompt.ts'
import { equalPair } from './twice.ts'

/** Where a password can come from. `read` is called once; the caller wipes what it gives. */
export type PasswordSource = {
  readonly name: string
  /** @param isNew the password will protect a new vault: a person is asked twice */
  read(isNew: boolean): Secret
}

/** The first line of an inherited descriptor. */
export function fdSource(fd: number): PasswordSource {
  const name = `descriptor ${fd}`
  return {
    name,
    read() {
      refuseUnreadable(statsOf(fd), name)
      return lineOf(fd, name)
    },
  }
}

/** The first line of a file that nobody but its owner can read. */
export function fileSource(path: string): PasswordSource {
  return {
    name: 'password file',
    read: () => firstLineOf(path, 'the password file', 0o077),
  }
}

/** The credential `vault-password` that systemd passed on in `folder`; undefined when there is none. */
export function credentialSource(folder: string): PasswordSource | undefined {
  const name = 'vault-password'
  if (!existsSync(join(folder, name))) return undefined
  return { name: `the credential ${name}`, read: () => readPresent(folder, name) }
}

/** The first line of a credential of systemd; undefined when there is none of that name. */
export function readCredential(folder: string, name: string): Secret | undefined {
  return existsSync(join(folder, name)) ? readPresent(folder, name) : undefined
}

/** It belongs to root, and its group bits are the mask of the list that lets the service's user in. */
function readPresent(folder: string, name: string): Secret {
  return firstLineOf(join(folder, name), `the credential ${name}`, 0o037)
}

/** What is a password as a whole: the value of a variable, or what a secret manager keeps. */
export function wholeSource(name: string, take: () => Secret): PasswordSource {
  return { name, read: () => checkedPassword(take(), name) }
}

/** The password as one line, which is how every process of ours reads it; else it is wiped. */
export function checkedPassword(secret: Secret, name: string): Secret {
  return refuseEmpty(refuseLines(secret, name), name)
}

/** A person at the terminal. */
export const promptSource: PasswordSource = {
  name: 'terminal',
  read(isNew) {
    const ask = (): Secret =>
      refuseEmpty(
        promptSecret(isNew ? 'Password for the new vault' : 'Password of the vault'),
        'the password',
      )
    return isNew ? equalPair(ask, () => promptSecret('The same password again')) : ask()
  },
}

function firstLineOf(path: string, name: string, forbidden: number): Secret {
  const fd = openReadable(path, name)
  try {
    const stats = fstatSync(fd)
    refuseUnreadable(stats, name)
    refuseShared(stats, name, forbidden)
    return lineOf(fd, name)
  } finally {
    closeSync(fd)
  }
}

function openReadable(path: string, name: string): number {
  try {
    return openSync(path, constants.O_RDONLY)
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown'
    throw new KmsError('usage', `${name} cannot be opened (${code})`)
  }
}

function statsOf(fd: number): Stats {
  try {
    return fstatSync(fd)
  } catch {
    throw new KmsError('usage', `descriptor ${fd} is not open`)
  }
}

/** A number that was not passed on may be a folder or, inside this process, an event queue. */
function refuseUnreadable(stats: Stats, name: string): void {
  if (stats.isFile() || stats.isFIFO() || stats.isSocket() || stats.isCharacterDevice()) return
  throw new KmsError('usage', `${name} is neither a file nor a pipe`)
}

function refuseShared({ mode, uid }: Stats, name: string, forbidden: number): void {
  if (process.platform === 'win32') return
  const isOwn = uid === 0 || uid === process.geteuid?.()
  if (isOwn && (mode & forbidden) === 0) return
  throw new KmsError('unsafe-permissions', `others can read or replace ${name}`, {
    hint: 'chmod 600 it, and let it belong to the user who runs tatum-kms',
  })
}

function lineOf(fd: number, name: string): Secret {
  return refuseEmpty(readSecretLine(fd), name)
}

/** The signer reads its password as one line: of anything else it would get another one than we. */
function refuseLines(secret: Secret, name: string): Secret {
  const isLine = secret.use(
    bytes => bytes.length <= maxSecretLength && !bytes.includes(0x0a) && bytes.at(-1) !== 0x0d,
  )
  if (isLine) return secret
  secret.wipe()
  throw new KmsError('usage', `${name} holds a line break or more than ${maxSecretLength} bytes`)
}

function refuseEmpty(secret: Secret | undefined, name: string): Secret {
  if (secret !== undefined && secret.length > 0) return secret
  throw new KmsError('usage', `${name} holds no password`)
}
