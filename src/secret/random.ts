import { randomFillSync } from 'node:crypto'
import { uuidText } from '../base/bytes.ts'
import { allocateSecret, type Secret } from './secret.ts'

/** `length` bytes from the operating system's generator, straight into locked memory. */
export function randomSecret(length: number): Secret {
  const secret = allocateSecret(length)
  secret.use(bytes => {
    randomFillSync(bytes)
  })
  return secret
}

/** Random bytes that may be seen: salts, nonces, ids. */
export function randomPublicBytes(length: number): Uint8Array {
  return randomFillSync(new Uint8Array(length))
}

/** A random UUID (RFC 9562 version 4), lower case. */
export function randomUuid(): string {
  const bytes = randomPublicBytes(16)
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80
  return uuidText(bytes)
}
