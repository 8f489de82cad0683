import { createCipheriv, createDecipheriv } from 'node:crypto'
import { concat } from '../base/bytes.ts'
import { randomPublicBytes } from './random.ts'
import { type Secret, secretFrom } from './secret.ts'

/** AES-256-GCM (SP 800-38D) with a 96-bit nonce and a 128-bit tag. */
export const nonceLength = 12
export const tagLength = 16

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
  const cipher = key.use(bytes => createCipheriv('aes-256-gcm', bytes, nonce))
  cipher.setAAD(aad)
  const body = cipher.update(plaintext)
  cipher.final()
  return concat(body, cipher.getAuthTag())
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
  const decipher = key.use(bytes => createDecipheriv('aes-256-gcm', bytes, nonce))
  decipher.setAAD(aad)
  decipher.setAuthTag(sealed.subarray(sealed.length - tagLength))
  const plaintext = decipher.update(sealed.subarray(0, sealed.length - tagLength))
  try {
    decipher.final()
    return plaintext
  } catch {
    plaintext.fill(0)
    return undefined
  }
}
