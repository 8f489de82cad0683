import type * as Library from 'xrpl/dist/npm/utils'
import { asString } from '../../base/json.ts'
import { malformed } from './refusals.ts'
import { accountId } from './xrp-address.ts'

/** The binary format of the XRP Ledger, by the ledger's own library. */

/** Bytes of a transaction in upper-case hex. */
export function encodeFields(fields: object): string {
  return guarded(() => load().encode(withIds(fields)))
}

/** What a single signature is over: the prefix STX and every field that is signed. */
export function encodeForSigning(fields: object): string {
  return guarded(() => load().encodeForSigning(withIds(fields)))
}

export function decodeFields(blob: string): unknown {
  return guarded(() => load().decode(blob))
}

const accounts = ['Account', 'Destination']

/**
 * With ids in the place of addresses, which the library takes as well: it tries every address as an
 * X-address first, and that takes longer than all else it does.
 */
function withIds(fields: object): object {
  const ids = Object.entries(fields).map(([name, value]) => {
    const id = accounts.includes(name) ? accountId(asString(value) ?? '') : undefined
    return [name, id ?? value]
  })
  return Object.fromEntries(ids)
}

type Codec = {
  encode(fields: object): string
  encodeForSigning(fields: object): string
  decode(blob: string): unknown
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
