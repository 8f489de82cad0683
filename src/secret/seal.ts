import { type Cipher, createCipheriv, createDecipheriv, type Decipher } from 'node:crypto'
import { gcm } from '@noble/ciphers/aes.js'
import { concat } from '../base/bytes.ts'
import { KmsError } from '../base/errors.ts'
import { randomPublicBytes } from './random.ts'
import { type Secret, secretFrom } from './secret.ts'

/** AES-256-GCM (SP 800-38D) with a 96-bit nonce and a 128-bit tag. */
export const nonceLength = 12
export const tagLength = 16

/**
 * Up to here noble does the work, and wipes its key schedule. node:crypto is thirty times as fast,
 * but leaves pieces of the key in freed memory (measured: test/memscan.test.ts), so that it gets the
 * body of a large vault only: that holds nothing secret.
 */
const longestQuiet = 1 << 20

/** Fresh random nonce, then ciphertext, then tag. */
export function seal(key: Secret, plaintext: Uint8Array, aad: Uint8Array): Uint8Array {
  const nonce = randomPublicBytes(nonceLength)
  return concat(nonce, sealWithNonce(key, nonce, plaintext, aad))
}

/** Ciphertext and tag. The nonce must be fresh for this key. */
export function sealWithNonce(
  key: Secret,
  nonce: Uint8Array,
  plaintext: Uint8Array,
  aad: Uint8Array,
): Uint8Array {
  const sealed = new Uint8Array(plaintext.length + tagLength)
  sealInto(sealed, { key, nonce, plaintext, aad })
  return sealed
}

/** As `sealWithNonce`, into an array of `plaintext` and tag's length. */
export function sealInto(
  sealed: Uint8Array,
  parts: {
    readonly key: Secret
    readonly nonce: Uint8Array
    readonly plaintext: Uint8Array
    readonly aad: Uint8Array
  },
): void {
  const { key, nonce, plaintext, aad } = parts
  if (plaintext.length <= longestQuiet) {
    key.use(bytes => sealed.set(gcm(bytes, nonce, aad).encrypt(plaintext)))
    return
  }
  const cipher = key.use(bytes => createCipheriv('aes-256-gcm', bytes, nonce))
  cipher.setAAD(aad)
  pass(cipher, plaintext, sealed)
  cipher.final()
  sealed.set(cipher.getAuthTag(), plaintext.length)
}

/** The plaintext in locked memory, or undefined when key, nonce, bytes or `aad` are not the sealed ones. */
export function unseal(key: Secret, sealed: Uint8Array, aad: Uint8Array): Secret | undefined {
  const nonce = sealed.subarray(0, nonceLength)
  const plaintext = unsealPublic(key, nonce, sealed.subarray(nonceLength), aad)
  return plaintext === undefined ? undefined : secretFrom(plaintext)
}

/** As `unseal`, for contents that hold nothing secret: an ordinary array. */
export function unsealPublic(
  key: Secret,
  nonce: Uint8Array,
  sealed: Uint8Array,
  aad: Uint8Array,
): Uint8Array | undefined {
  if (nonce.length !== nonceLength || sealed.length < tagLength) return undefined
  if (sealed.length <= longestQuiet) return unsealQuietly(key, nonce, sealed, aad)
  const decipher = key.use(bytes => createDecipheriv('aes-256-gcm', bytes, nonce))
  decipher.setAAD(aad)
  decipher.setAuthTag(sealed.subarray(sealed.length - tagLength))
  const plaintext = new Uint8Array(sealed.length - tagLength)
  pass(decipher, sealed.subarray(0, plaintext.length), plaintext)
  try {
    decipher.final()
    return plaintext
  } catch {
    plaintext.fill(0)
    return undefined
  }
}

function unsealQuietly(
  key: Secret,
  nonce: Uint8Array,
  sealed: Uint8Array,
  aad: Uint8Array,
): Uint8Array | undefined {
  try {
    return key.use(bytes => gcm(bytes, nonce, aad).decrypt(sealed))
  } catch (thrown) {
    // A wiped key is a fault of ours and no wrong key.
    if (thrown instanceof KmsError) throw thrown
    return undefined
  }
}

const pieceLength = 1 << 16

/**
 * In pieces: each is answered in memory of its own, and a large vault must not be there twice. Small
 * ones get memory that was in use just now; larger ones cost more by their pages than by the cipher.
 */
function pass(through: Cipher | Decipher, from: Uint8Array, into: Uint8Array): void {
  for (let at = 0; at < from.length; at += pieceLength) {
    const piece = through.update(from.subarray(at, at + pieceLength))
    into.set(piece, at)
    piece.fill(0)
  }
}
