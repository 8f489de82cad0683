import { hex } from '../../base/bytes.ts'

/**
 * Bytes from outside, for people: text where they are UTF-8, percent-encoded so that nothing can
 * hide in it, else hex. Different bytes have different texts.
 */
export function byteText(bytes: Uint8Array): string {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
    return encodeURIComponent(text)
  } catch {
    return `hex:${hex(bytes)}`
  }
}
