import { isUtf8 } from 'node:buffer'
import { createDecipheriv, createHash } from 'node:crypto'
import { equalBytes, utf8 } from '../base/bytes.ts'
import type { Disk } from '../base/disk.ts'
import { attempt, unlessMissing } from '../base/disk-fault.ts'
import { KmsError } from '../base/errors.ts'
import { type FileFacts, readUpTo } from '../base/open-file.ts'
import { allocateSecret, type Secret, secretFrom } from '../secret/secret.ts'
import { indexOriginal, type OriginalEntry, readOriginalEntry } from './original-entry.ts'

/**
 * The wallet file of the original tatum-kms: base64 of OpenSSL's salted AES-256-CBC over JSON, made
 * by crypto-js. It carries no tag: damage shows as bad padding, UTF-8 or JSON, or not at all.
 */
export type Original = Disposable & {
  readonly count: number
  /** Oldest first, as a vault lists its own. The caller disposes of each. */
  entries(): Generator<OriginalEntry, void>
}

export const maxOriginalLength = 64 * 2 ** 20
const magic = utf8('Salted__')
const saltLength = 8
const blockLength = 16

/** The file's bytes and facts, whoever else may read it: its contents are judged by `openOriginal`. */
export function readOriginal(
  disk: Disk,
  path: string,
): { readonly bytes: Uint8Array; readonly facts: FileFacts } {
  return attempt(`cannot read ${path}`, () => {
    const file = unlessMissing(() => disk.open(path, 'read'))
    if (file === undefined) throw new KmsError('vault-missing', `there is no file at ${path}`)
    try {
      const facts = file.stat()
      if (facts.kind !== 'file') throw notOriginal(`${path} is not a regular file`)
      const bytes = readUpTo(file.read, 0, Math.min(facts.size, maxOriginalLength) + 1)
      if (bytes.length > maxOriginalLength)
        throw notOriginal(`it is larger than ${maxOriginalLength} bytes`)
      return { bytes, facts }
    } finally {
      file.close()
    }
  })
}

/** Decrypts the file into locked memory and checks that it is one object of flat objects. */
export function openOriginal(file: Uint8Array, password: Secret): Original {
  const { salt, ciphertext } = decodeFile(file)
  using key = evpBytesToKey(password, salt)
  const text = decrypt(key, ciphertext)
  try {
    if (!text.use(bytes => isUtf8(bytes))) throw wrongPassword()
    const places = indexOriginal(text, wrongPassword)
    return {
      count: places.length,
      *entries() {
        // The original puts each new wallet in front of the others.
        for (const place of places.toReversed()) yield readOriginalEntry(text, place)
      },
      [Symbol.dispose]: () => text.wipe(),
    }
  } catch (fault) {
    text.wipe()
    throw fault
  }
}

function decodeFile(file: Uint8Array): { salt: Uint8Array; ciphertext: Uint8Array } {
  if (file.length === 0) throw notOriginal('it is empty')
  const text = Buffer.from(file.buffer, file.byteOffset, file.length).toString('latin1').trimEnd()
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(text)) throw notOriginal('it is not base64')
  const bytes = Buffer.from(text, 'base64')
  if (!equalBytes(bytes.subarray(0, magic.length), magic)) {
    throw notOriginal('it does not begin with Salted__')
  }
  const start = magic.length + saltLength
  const length = bytes.length - start
  if (text.length % 4 !== 0 || length < blockLength || length % blockLength !== 0) {
    throw notOriginal('its end is missing')
  }
  return { salt: bytes.subarray(magic.length, start), ciphertext: bytes.subarray(start) }
}

/** OpenSSL's EVP_BytesToKey with MD5 and one round: 32 bytes of key, then 16 of initial vector. */
function evpBytesToKey(password: Secret, salt: Uint8Array): Secret {
  const key = allocateSecret(48)
  for (let at = 0; at < key.length; at += 16) {
    const hash = createHash('md5')
    if (at > 0) key.use(bytes => hash.update(bytes.subarray(at - 16, at)))
    password.use(bytes => hash.update(bytes))
    using block = secretFrom(hash.update(salt).digest())
    block.use(from => key.use(to => to.set(from, at)))
  }
  return key
}

const chunkLength = 1 << 16

/** In pieces that are wiped at once: outside locked memory there is never more than one of them. */
function decrypt(key: Secret, ciphertext: Uint8Array): Secret {
  const decipher = key.use(bytes =>
    createDecipheriv('aes-256-cbc', bytes.subarray(0, 32), bytes.subarray(32)),
  )
  const text = allocateSecret(ciphertext.length)
  let length = 0
  const keep = (piece: Uint8Array): void => {
    text.use(to => to.set(piece, length))
    length += piece.length
    piece.fill(0)
  }
  try {
    for (let at = 0; at < ciphertext.length; at += chunkLength) {
      keep(decipher.update(ciphertext.subarray(at, at + chunkLength)))
    }
    keep(decipher.final())
    text.shrink(length)
    return text
  } catch {
    text.wipe()
    throw wrongPassword()
  }
}

/** Without a tag nobody can tell the two apart. */
function wrongPassword(): KmsError {
  return new KmsError(
    'wrong-password',
    'wrong password for the old wallet file, or the file is damaged',
  )
}

function notOriginal(what: string): KmsError {
  return new KmsError(
    'vault-damaged',
    `the old wallet file is damaged, or none of the original tatum-kms: ${what}`,
  )
}
