const letters = new TextEncoder().encode('ABCDEFGHIJKLMNOPQRSTUVWXYZ234567')
const digitOf = new Map([...letters].map((letter, digit) => [letter, digit]))

/**
 * Base32 (RFC 4648, section 6) without padding, as ASCII bytes, written into caller-given memory, so
 * that a private key never becomes a string.
 *
 * @param out at least 1.6 × as long as `bytes`; answers how much of it was filled
 */
export function encodeBase32(bytes: Uint8Array, out: Uint8Array): number {
  let length = 0
  let held = 0
  let count = 0
  for (const byte of bytes) {
    held = ((held << 8) | byte) & 0xfff
    for (count += 8; count >= 5; count -= 5) {
      out[length++] = letters[(held >> (count - 5)) & 31] ?? 0
    }
  }
  if (count > 0) out[length++] = letters[(held << (5 - count)) & 31] ?? 0
  return length
}

/**
 * The bytes behind base32 text given as ASCII bytes. Only the one text that `encodeBase32` writes for
 * them is accepted: capitals, no letter too many, zeros where the last letter has bits to spare.
 *
 * @returns how much of `out` was filled, or undefined for any other text or what does not fit
 */
export function decodeBase32(text: Uint8Array, out: Uint8Array): number | undefined {
  let length = 0
  let held = 0
  let count = 0
  for (const letter of text) {
    const digit = digitOf.get(letter)
    if (digit === undefined) return undefined
    held = ((held << 5) | digit) & 0xfff
    count += 5
    if (count < 8) continue
    if (length >= out.length) return undefined
    count -= 8
    out[length++] = (held >> count) & 0xff
  }
  const spare = held & ((1 << count) - 1)
  return count < 5 && spare === 0 ? length : undefined
}

/** Base32 text of public bytes. */
export function base32Text(bytes: Uint8Array): string {
  const text = new Uint8Array(Math.ceil(bytes.length * 1.6))
  return Buffer.from(text.subarray(0, encodeBase32(bytes, text))).toString('latin1')
}
