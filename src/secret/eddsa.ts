import { ed25519 } from '@noble/curves/ed25519.js'
import { sha512 } from '@noble/hashes/sha2.js'
import { concat } from '../base/bytes.ts'
import { littleEndianBytesOf, littleEndianNumberOf } from './numbers.ts'

const { Point } = ed25519
const order = Point.Fn.ORDER

/**
 * What signs on ed25519: a scalar and the half that nonces are made of, 32 bytes each. RFC 8032
 * makes them out of a seed; an extended key of CIP-3 is them.
 */
export type ExpandedKey = { readonly scalar: Uint8Array; readonly prefix: Uint8Array }

/** RFC 8032, 5.1.5, steps 1 and 2. The caller wipes the result with `wipeExpanded`. */
export function expandSeed(seed: Uint8Array): ExpandedKey {
  const digest = sha512(seed)
  const scalar = digest.subarray(0, 32)
  scalar[0] = (scalar[0] ?? 0) & 0b1111_1000
  scalar[31] = ((scalar[31] ?? 0) & 0b0111_1111) | 0b0100_0000
  return { scalar, prefix: digest.subarray(32) }
}

export function wipeExpanded({ scalar, prefix }: ExpandedKey): void {
  scalar.fill(0)
  prefix.fill(0)
}

/** RFC 8032, 5.1.5, steps 3 and 4. */
export function publicKeyOfScalar(scalar: Uint8Array): Uint8Array {
  return timesBase(littleEndianNumberOf(scalar) % order)
}

/**
 * RFC 8032, 5.1.6: R‖S.
 *
 * @param publicKey of this scalar and no other: two signatures with different ones give the key away
 */
export function signExpanded(
  { scalar, prefix }: ExpandedKey,
  message: Uint8Array,
  publicKey = publicKeyOfScalar(scalar),
): Uint8Array {
  const secret = littleEndianNumberOf(scalar) % order
  const nonce = hashToScalar(prefix, message)
  const R = timesBase(nonce)
  const challenge = hashToScalar(R, publicKey, message)
  return concat(R, littleEndianBytesOf((nonce + challenge * secret) % order))
}

function hashToScalar(...parts: readonly Uint8Array[]): bigint {
  const hash = sha512.create()
  for (const part of parts) hash.update(part)
  const digest = hash.digest()
  const scalar = littleEndianNumberOf(digest) % order
  digest.fill(0)
  return scalar
}

/** noble's constant-time multiplication. It takes no 0, which only a broken key or hash comes to. */
function timesBase(scalar: bigint): Uint8Array {
  return Point.BASE.multiply(scalar).toBytes()
}
