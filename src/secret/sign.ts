import { createPublicKey, type KeyObject, verify as verifyNative } from 'node:crypto'
import { secp256k1 as noble } from '@noble/curves/secp256k1.js'
import { KmsError } from '../base/errors.ts'
import type { Curve, PublicKey, Signature, SigningRequest } from '../base/model.ts'
import { secp256k1PublicKey, signEcdsa } from './ecdsa.ts'
import {
  type ExpandedKey,
  expandSeed,
  publicKeyOfScalar,
  signExpanded,
  wipeExpanded,
} from './eddsa.ts'
import { order } from './scalar.ts'
import { signSchnorrBch, verifySchnorrBch } from './schnorr-bch.ts'

/**
 * The only place where a private key meets a message. `key` is lent for the call: 32 bytes, 64 for
 * `ed25519-bip32`.
 *
 * @param half the public half of a scalar; ed25519 signs it, too, and it costs as much as the rest
 */
export function sign(
  { algorithm, message }: SigningRequest,
  key: Uint8Array,
  half: (scalar: Uint8Array) => Uint8Array = publicKeyOfScalar,
): Signature {
  switch (algorithm) {
    case 'ecdsa-secp256k1':
      refuseOtherThanDigest(message)
      return signEcdsa(message, key, true)
    case 'ecdsa-secp256k1-any-s':
      refuseOtherThanDigest(message)
      return signEcdsa(message, key, false)
    case 'schnorr-bch':
      refuseOtherThanDigest(message)
      return { bytes: signSchnorrBch(message, key), recovery: 0 }
    case 'ed25519': {
      const expanded = expandSeed(key)
      try {
        return { bytes: signExpanded(expanded, message, half(expanded.scalar)), recovery: 0 }
      } finally {
        wipeExpanded(expanded)
      }
    }
    case 'ed25519-bip32': {
      const expanded = splitExtended(key)
      return { bytes: signExpanded(expanded, message, half(expanded.scalar)), recovery: 0 }
    }
  }
}

function refuseOtherThanDigest({ length }: Uint8Array): void {
  if (length === 32) return
  throw new KmsError('unexpected', 'only a digest of 32 bytes is signed on secp256k1')
}

function splitExtended(key: Uint8Array): ExpandedKey {
  return { scalar: key.subarray(0, 32), prefix: key.subarray(32, 64) }
}

/** True when `signature` is valid for `publicKey`, and for ECDSA when its recovery bit finds it too. */
export function verify(
  request: SigningRequest,
  signature: Signature,
  publicKey: PublicKey,
): boolean {
  try {
    switch (request.algorithm) {
      case 'ecdsa-secp256k1':
      case 'ecdsa-secp256k1-any-s':
        return recovers(request.message, signature, publicKey)
      case 'schnorr-bch':
        return verifySchnorrBch(request.message, signature.bytes, publicKey.bytes)
      case 'ed25519':
      case 'ed25519-bip32':
        return verifyNative(null, request.message, ed25519Key(publicKey), signature.bytes)
    }
  } catch {
    // Noble throws for an r that is no point, an s out of range, a key of a wrong length.
    return false
  }
}

/** What RFC 8410, 4, puts in front of the 32 bytes of a public key. */
const keyHeader = Buffer.from('302a300506032b6570032100', 'hex')

/** For the engine's own Ed25519: what noble has signed is not for noble alone to judge. */
function ed25519Key({ bytes }: PublicKey): KeyObject {
  return createPublicKey({ key: Buffer.concat([keyHeader, bytes]), format: 'der', type: 'spki' })
}

function recovers(digest: Uint8Array, { bytes, recovery }: Signature, key: PublicKey): boolean {
  if (recovery !== 0 && recovery !== 1) return false
  const signature = Uint8Array.of(recovery, ...bytes)
  const recovered = noble.recoverPublicKey(signature, digest, { prehash: false })
  const compressed = noble.Point.fromBytes(key.bytes).toBytes(true)
  return Buffer.compare(recovered, compressed) === 0
}

/** The public half of a private key; `compressed` matters for secp256k1 only. */
export function publicKeyOf(curve: Curve, key: Uint8Array, compressed = true): PublicKey {
  switch (curve) {
    case 'secp256k1':
      return { curve, bytes: secp256k1PublicKey(key, compressed) }
    case 'ed25519': {
      const expanded = expandSeed(key)
      try {
        return { curve, bytes: publicKeyOfScalar(expanded.scalar) }
      } finally {
        wipeExpanded(expanded)
      }
    }
    case 'ed25519-bip32':
      return { curve, bytes: publicKeyOfScalar(splitExtended(key).scalar) }
  }
}

/**
 * secp256k1: a number from 1 to the group order less one. ed25519: any 32 bytes. ed25519-bip32: a
 * scalar whose three lowest bits and whose highest bit are clear (CIP-3), and 32 bytes more.
 */
export function isPrivateKey(curve: Curve, key: Uint8Array): boolean {
  if (key.length !== privateKeyLength(curve)) return false
  switch (curve) {
    case 'secp256k1':
      return key.some(byte => byte !== 0) && Buffer.compare(key, order) < 0
    case 'ed25519':
      return true
    case 'ed25519-bip32':
      return ((key[0] ?? 0) & 0b111) === 0 && ((key[31] ?? 0) & 0b1000_0000) === 0
  }
}

/** In bytes. */
export function privateKeyLength(curve: Curve): number {
  return curve === 'ed25519-bip32' ? 64 : 32
}
