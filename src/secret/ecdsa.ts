import { secp256k1 } from '@noble/curves/secp256k1.js'
import { concat } from '../base/bytes.ts'
import { KmsError } from '../base/errors.ts'
import type { Signature } from '../base/model.ts'
import { makeNonce } from './nonce.ts'
import { bytesOf, numberOf } from './numbers.ts'
import { randomPublicBytes } from './random.ts'

const { Point } = secp256k1
const { Fn } = Point
const order = Fn.ORDER

/**
 * ECDSA on secp256k1 (SEC 1, 4.1.3) with the nonce of RFC 6979, byte for byte what noble signs.
 *
 * @param lowS s in the lower half of the group (BIP-62)
 */
export function signEcdsa(digest: Uint8Array, key: Uint8Array, lowS: boolean): Signature {
  const secret = numberOf(key)
  const message = numberOf(digest) % order
  if (!Fn.isValidNot0(secret)) throw new KmsError('unexpected', 'a key is none of its curve')
  const nonce = makeNonce(key, bytesOf(message))
  const { x, y } = Point.BASE.multiply(nonce).toAffine()
  const r = x % order
  // The inversion takes as long as its number is hard: it sees one that says nothing of the nonce.
  const blind = blindingFactor()
  const sum = (blind * message + ((blind * secret) % order) * r) % order
  const s = (Fn.inv((blind * nonce) % order) * sum) % order
  if (r === 0n || s === 0n) throw new KmsError('unexpected', 'a nonce came to nothing')
  const isHigh = lowS && s > order / 2n
  const parity = Number(y & 1n) ^ (isHigh ? 1 : 0)
  return {
    bytes: concat(bytesOf(r), bytesOf(isHigh ? order - s : s)),
    // The x of one point in 2^128 is above the order: then recovery needs to know.
    recovery: (x === r ? 0 : 2) | parity,
  }
}

export function secp256k1PublicKey(key: Uint8Array, compressed: boolean): Uint8Array {
  const secret = numberOf(key)
  if (!Fn.isValidNot0(secret)) throw new KmsError('unexpected', 'a key is none of its curve')
  return Point.BASE.multiply(secret).toBytes(compressed)
}

function blindingFactor(): bigint {
  for (;;) {
    const factor = numberOf(randomPublicBytes(32))
    if (factor > 0n && factor < order) return factor
  }
}
