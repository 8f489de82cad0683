import { secp256k1 } from '@noble/curves/secp256k1.js'
import { hmac } from '@noble/hashes/hmac.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { numberOf } from './numbers.ts'

const order = secp256k1.Point.Fn.ORDER

/**
 * The nonce of RFC 6979, 3.2, with HMAC-SHA256: the same key and message always have the same one.
 * noble makes it as well, but joins the key with other bytes in arrays that nobody wipes; here it goes
 * from locked memory into the hash.
 *
 * @param message 32 bytes, as the scheme that signs wants them
 * @param extra additional data (3.6)
 */
export function makeNonce(
  key: Uint8Array,
  message: Uint8Array,
  extra: Uint8Array = new Uint8Array(),
): bigint {
  const V = new Uint8Array(32).fill(1)
  const K = new Uint8Array(32)
  try {
    for (const step of [0, 1]) {
      hmacInto(K, K, V, Uint8Array.of(step), key, message, extra)
      hmacInto(V, K, V)
    }
    for (;;) {
      hmacInto(V, K, V)
      const nonce = numberOf(V)
      if (nonce > 0n && nonce < order) return nonce
      hmacInto(K, K, V, Uint8Array.of(0))
      hmacInto(V, K, V)
    }
  } finally {
    V.fill(0)
    K.fill(0)
  }
}

/** HMAC-SHA256 of `data`; `into` may be one of them. noble wipes its state when it has the answer. */
function hmacInto(into: Uint8Array, key: Uint8Array, ...data: readonly Uint8Array[]): void {
  const state = hmac.create(sha256, key)
  for (const part of data) state.update(part)
  state.digestInto(into)
}
