import type * as Library from 'xrpl/dist/npm/utils'
import { malformed } from './refusals.ts'

/** The binary format of the XRP Ledger, by the ledger's own library. */

/** Bytes of a transaction in upper-case hex. */
export function encodeFields(fields: object): string {
  return guarded(() => load().encode(fields))
}

/** What a single signature is over: the prefix STX and every field that is signed. */
export function encodeForSigning(fields: object): string {
  return guarded(() => load().encodeForSigning(fields))
}

export function decodeFields(blob: string): unknown {
  return guarded(() => load().decode(blob))
}

/** `r…`: base58 of the 20-byte account id with version 0 and a checksum. */
export function encodeAccount(id: Uint8Array): string {
  return load().encodeAccountID(id)
}

export function isAccount(text: string): boolean {
  // 25 bytes have at most 35 letters, and base58 of many takes long.
  return text.length <= 35 && load().isValidClassicAddress(text)
}

type Codec = {
  encode(fields: object): string
  encodeForSigning(fields: object): string
  decode(blob: string): unknown
  encodeAccountID(id: Uint8Array): string
  isValidClassicAddress(text: string): boolean
}

/**
 * On first use, and at once: definitions of chains are synchronous. This part of xrpl has neither
 * the client nor its WebSocket; it takes 10 ms and a third of the space of the whole.
 */
function load(): Codec {
  const library: typeof Library = require('xrpl/dist/npm/utils')
  return library
}

/** Its messages may quote a transaction, so that none of them gets out. */
function guarded<T>(work: () => T): T {
  try {
    return work()
  } catch (cause) {
    throw malformed('the transaction cannot be written in the format of the XRP Ledger', cause)
  }
}
