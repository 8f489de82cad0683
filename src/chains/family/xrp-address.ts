import {
  base58Checksum,
  base58Text,
  endsInChecksum,
  fromBase58,
  xrplAlphabet,
} from '../../base/base58.ts'
import { concat, hex } from '../../base/bytes.ts'
import { remembered } from './remembered.ts'

/** The version of a classic address, in front of the 20 bytes of an account id. */
const version = 0

/** `r…`: base58 of an account id with version and checksum. */
export function accountText(id: Uint8Array): string {
  const payload = concat(Uint8Array.of(version), id)
  return base58Text(concat(payload, base58Checksum(payload)), xrplAlphabet)
}

/** The id behind a classic address, in upper-case hex; undefined for anything else. */
export const accountId = remembered(text => {
  const bytes = fromBase58(text, 25, xrplAlphabet)
  if (bytes === undefined || bytes[0] !== version || !endsInChecksum(bytes)) return undefined
  return hex(bytes.subarray(1, 21)).toUpperCase()
})

export function isAccount(text: string): boolean {
  return accountId(text) !== undefined
}
