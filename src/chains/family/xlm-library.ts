import type * as Library from '@stellar/stellar-base'

/**
 * Stellar's own library, which has all of XDR. On first use, and at once: definitions of chains are
 * synchronous, and it takes 20 ms.
 */
export function stellar(): typeof Library {
  const library: typeof Library = require('@stellar/stellar-base')
  return library
}

/** `G…` (SEP-23) */
export function accountText(publicKey: Uint8Array): string {
  return stellar().StrKey.encodeEd25519PublicKey(Buffer.from(publicKey))
}
