import { base58Checksum, base58Text, endsInChecksum, fromBase58 } from '../../base/base58.ts'
import { concat, fromHex, hex } from '../../base/bytes.ts'
import { remembered } from './remembered.ts'

/**
 * An address on TRON is 41 and the 20 bytes that Ethereum would have, in hex. People write it in
 * base58 with a checksum: `T...` on every network.
 */
export const tronAddressText = remembered(address => {
  const bytes = fromHex(address) ?? new Uint8Array()
  return base58Text(concat(bytes, base58Checksum(bytes)))
})

/** The hex of `T...`; undefined for anything else. */
export function readTronAddressText(text: string): string | undefined {
  const bytes = fromBase58(text, 25)
  if (bytes === undefined || bytes[0] !== 0x41 || !endsInChecksum(bytes)) return undefined
  return hex(bytes.subarray(0, 21))
}
