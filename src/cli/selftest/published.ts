import { fromHex, hex } from '../../base/bytes.ts'
import { type Secret, secretFrom } from '../../secret/secret.ts'

/** What everybody may see: keys of published vectors, in and out of locked memory. */

export function bytesOf(digits: string): Uint8Array {
  return fromHex(digits) ?? new Uint8Array()
}

export function secretOf(digits: string): Secret {
  return secretFrom(bytesOf(digits))
}

/** In hex; the secret is wiped. */
export function revealed(secret: Secret): string {
  using shown = secret
  return shown.use(hex)
}
