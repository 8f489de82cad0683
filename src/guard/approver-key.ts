import { ed25519 } from '@noble/curves/ed25519.js'
import { fromHex, hex } from '../base/bytes.ts'

/**
 * An approver's Ed25519 public key, 64 hex digits or base64 of its 32 bytes, in lower-case hex;
 * undefined when it is no key to rely on. Only the one encoding of a point of the large group passes:
 * under a point of small order one signature fits many messages (RFC 8032, 5.1.7 and 8.4).
 */
export function parseApproverKey(text: string): string | undefined {
  const bytes = /^[0-9a-fA-F]{64}$/.test(text) ? fromHex(text) : fromBase64(text)
  return bytes !== undefined && isSound(bytes) ? hex(bytes) : undefined
}

/** Node's decoder skips what it does not know: the one text of these bytes is wanted. */
function fromBase64(text: string): Uint8Array | undefined {
  const bytes = Buffer.from(text, 'base64')
  if (bytes.length !== 32 || bytes.toString('base64') !== text) return undefined
  return Uint8Array.from(bytes)
}

function isSound(bytes: Uint8Array): boolean {
  try {
    // noble's reading by RFC 8032 and not by ZIP 215: a coordinate below the prime.
    const point = ed25519.Point.fromBytes(bytes, false)
    return !point.isSmallOrder() && point.isTorsionFree()
  } catch {
    return false
  }
}
