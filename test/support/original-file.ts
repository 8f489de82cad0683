import { createCipheriv, createDecipheriv, createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { utf8 } from '../../src/base/bytes.ts'
import { type Secret, secretFrom } from '../../src/secret/secret.ts'

/** Wallet files of the original, read and written apart from the code under test. */
type Recorded = {
  readonly file: string
  readonly password: string
  readonly entries: number
  readonly firstId: string | null
  readonly plaintextSha256: string
}

const folder = join(import.meta.dir, '../vectors/original-wallet-files')

export const recordedFiles: readonly Recorded[] = JSON.parse(
  readFileSync(join(folder, 'manifest.json'), 'utf8'),
).files

export function recordedPath(file: string): string {
  return join(folder, file)
}

export function recordedFile(name: string): Recorded {
  const found = recordedFiles.find(({ file }) => file === name)
  if (found === undefined) throw new Error(`no recorded file ${name}`)
  return found
}

/** Newest first, as the file has them. */
export function decryptOriginal(file: Uint8Array, password: string): Buffer {
  const bytes = Buffer.from(Buffer.from(file).toString(), 'base64')
  const { key, iv } = deriveKey(password, bytes.subarray(8, 16))
  const cipher = createDecipheriv('aes-256-cbc', key, iv)
  return Buffer.concat([cipher.update(bytes.subarray(16)), cipher.final()])
}

export function encryptOriginal(plaintext: string | Uint8Array, password: string): Buffer {
  const salt = Buffer.from('0123456789abcdef', 'hex')
  const { key, iv } = deriveKey(password, salt)
  const cipher = createCipheriv('aes-256-cbc', key, iv)
  const sealed = Buffer.concat([cipher.update(Buffer.from(plaintext)), cipher.final()])
  return Buffer.from(Buffer.concat([Buffer.from('Salted__'), salt, sealed]).toString('base64'))
}

export function secretOf(text: string): Secret {
  return secretFrom(utf8(text))
}

/** A look into a secret that only a test takes. */
export function textOf(secret: Secret | undefined): string | undefined {
  return secret?.use(bytes => Buffer.from(bytes).toString())
}

function deriveKey(password: string, salt: Uint8Array): { key: Buffer; iv: Buffer } {
  let bytes: Buffer = Buffer.alloc(0)
  let block: Buffer = Buffer.alloc(0)
  while (bytes.length < 48) {
    block = createHash('md5').update(block).update(password).update(salt).digest()
    bytes = Buffer.concat([bytes, block])
  }
  return { key: bytes.subarray(0, 32), iv: bytes.subarray(32, 48) }
}
