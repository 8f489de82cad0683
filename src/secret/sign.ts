import { ed25519 } from '@noble/curves/ed25519.js'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { KmsError } from '../base/errors.ts'
import type { Curve, PublicKey, Signature, SigningRequest } from '../base/model.ts'
import { order } from './scalar.ts'

/** The only place where a private key meets a message. `key` is 32 bytes, lent for the call. */
export function sign(request: SigningRequest, key: Uint8Array): Signature {
  switch (request.algorithm) {
    case 'ecdsa-secp256k1': {
      if (request.message.length !== 32) {
        throw new KmsError('unexpected', 'only a digest of 32 bytes is signed with ECDSA')
      }
      // RFC 6979 nonce without extra entropy, low s (BIP-62): the same bytes every time.
      const signature = secp256k1.sign(request.message, key, {
        prehash: false,
        lowS: true,
        format: 'recovered',
      })
      return { bytes: signature.slice(1), recovery: signature[0] ?? 0 }
    }
    case 'ed25519':
      return { bytes: ed25519.sign(request.message, key), recovery: 0 }
  }
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
        return recovers(request.message, signature, publicKey)
      case 'ed25519':
        return ed25519.verify(signature.bytes, request.message, publicKey.bytes)
    }
  } catch {
    // Noble throws for an r that is no point, an s out of range, a key of a wrong length.
    return false
  }
}

function recovers(digest: Uint8Array, { bytes, recovery }: Signature, key: PublicKey): boolean {
  if (recovery !== 0 && recovery !== 1) return false
  const signature = Uint8Array.of(recovery, ...bytes)
  const recovered = secp256k1.recoverPublicKey(signature, digest, { prehash: false })
  const compressed = secp256k1.Point.fromBytes(key.bytes).toBytes(true)
  return Buffer.compare(recovered, compressed) === 0
}

/** The public half of a 32-byte private key; `compressed` matters for secp256k1 only. */
export function publicKeyOf(curve: Curve, key: Uint8Array, compressed = true): PublicKey {
  const bytes =
    curve === 'secp256k1' ? secp256k1.getPublicKey(key, compressed) : ed25519.getPublicKey(key)
  return { curve, bytes }
}

/** secp256k1: a number from 1 to the group order less one. ed25519: any 32 bytes. */
export function isPrivateKey(curve: Curve, key: Uint8Array): boolean {
  if (key.length !== 32) return false
  return curve === 'ed25519' || (key.some(byte => byte !== 0) && Buffer.compare(key, order) < 0)
}
