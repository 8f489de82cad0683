import { pbkdf2Sync, scryptSync } from 'node:crypto'
import { hmac as nobleHmac } from '@noble/hashes/hmac.js'
import { sha256, sha512 } from '@noble/hashes/sha2.js'
import { type Secret, secretFrom } from './secret.ts'

/** scrypt (RFC 7914) cost: memory is 128 · 2^log2N · r bytes. */
export type ScryptCost = { readonly log2N: number; readonly r: number; readonly p: number }

/** 128 MiB and about a quarter of a second on a server core of 2026. */
export const defaultCost: ScryptCost = { log2N: 17, r: 8, p: 1 }

/** 32 bytes from a password. The native scrypt reads the locked bytes and leaves no copy behind. */
export function scrypt(password: Secret, salt: Uint8Array, cost: ScryptCost): Secret {
  const N = 2 ** cost.log2N
  const maxmem = 128 * N * cost.r + 128 * cost.r * cost.p + (1 << 20)
  return password.use(bytes =>
    secretFrom(scryptSync(bytes, salt, 32, { N, r: cost.r, p: cost.p, maxmem })),
  )
}

/** BIP-39: 64 bytes by PBKDF2-HMAC-SHA512, 2048 rounds, over the mnemonic's bytes as they stand. */
export function mnemonicSeed(mnemonic: Secret): Secret {
  return mnemonic.use(bytes => secretFrom(pbkdf2Sync(bytes, 'mnemonic', 2048, 64, 'sha512')))
}

/**
 * CIP-3 (Icarus): 96 bytes by PBKDF2-HMAC-SHA512, 4096 rounds, with no password and the entropy of a
 * mnemonic as the salt.
 */
export function icarusSecret(entropy: Secret): Secret {
  return entropy.use(bytes => secretFrom(pbkdf2Sync('', bytes, 4096, 96, 'sha512')))
}

/** HMAC whose key and answer are secret. noble wipes its state; node:crypto leaves the key behind. */
export function hmac(hash: 'sha256' | 'sha512', key: Uint8Array, ...data: Uint8Array[]): Secret {
  const state = nobleHmac.create(hash === 'sha256' ? sha256 : sha512, key)
  for (const part of data) state.update(part)
  return secretFrom(state.digest())
}

/** HKDF-SHA256 (RFC 5869) for one block of output: 32 bytes bound to `salt` and `info`. */
export function hkdf(key: Secret, salt: Uint8Array, info: Uint8Array): Secret {
  using extracted = key.use(bytes => hmac('sha256', salt, bytes))
  return extracted.use(bytes => hmac('sha256', bytes, info, Uint8Array.of(1)))
}
