import { FpIsSquare } from '@noble/curves/abstract/modular.js'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { concat, utf8 } from '../base/bytes.ts'
import { makeNonce } from './nonce.ts'
import { bytesOf, numberOf } from './numbers.ts'

const { Point } = secp256k1
const { Fp } = Point
const order = Point.Fn.ORDER

/**
 * Additional data of RFC 6979, 3.6: the same key and digest never have the same nonce here and with
 * ECDSA, which would give the key away (2019-05-15-schnorr, "Recommended practices").
 */
const nonceDomain = utf8('Schnorr+SHA256  ')

/** Signatures of Bitcoin Cash's upgrade of May 2019 (not of BIP-340): r‖s for a digest of 32 bytes. */
export function signSchnorrBch(digest: Uint8Array, key: Uint8Array): Uint8Array {
  const secret = numberOf(key)
  // The digest as it is, not reduced: so do the nodes (libsecp256k1).
  const nonce = makeNonce(key, digest, nonceDomain)
  const { x, y } = Point.BASE.multiply(nonce).toAffine()
  const r = bytesOf(x)
  const e = challenge(r, Point.BASE.multiply(secret).toBytes(), digest)
  // r says which R is meant: of the two points with this x, the one whose y is a square.
  const k = FpIsSquare(Fp, y) ? nonce : order - nonce
  return concat(r, bytesOf((k + e * secret) % order))
}

/** Throws where `publicKey` is no point. */
export function verifySchnorrBch(
  digest: Uint8Array,
  signature: Uint8Array,
  publicKey: Uint8Array,
): boolean {
  if (digest.length !== 32 || signature.length !== 64) return false
  const r = signature.subarray(0, 32)
  const s = numberOf(signature.subarray(32))
  if (numberOf(r) >= Fp.ORDER || s >= order) return false
  const P = Point.fromBytes(publicKey)
  const e = challenge(r, P.toBytes(), digest)
  const R = Point.BASE.multiplyUnsafe(s).subtract(P.multiplyUnsafe(e))
  if (R.is0()) return false
  const { x, y } = R.toAffine()
  return x === numberOf(r) && FpIsSquare(Fp, y)
}

/** `publicKey` compressed, whatever the wallet's own form is. */
function challenge(r: Uint8Array, publicKey: Uint8Array, digest: Uint8Array): bigint {
  return numberOf(sha256(concat(r, publicKey, digest))) % order
}
