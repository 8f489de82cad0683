import type { ByteReader } from '../../base/binary.ts'

/**
 * Solana's compact-u16, the length in front of each list: 7 bits a byte, the lowest first, the top
 * bit set while more follow.
 */
export function encodeCompactU16(value: number): Uint8Array {
  const bytes = []
  let rest = value
  while (rest > 0x7f) {
    bytes.push((rest & 0x7f) | 0x80)
    rest >>= 7
  }
  return Uint8Array.of(...bytes, rest)
}

/** `broken` makes the error for more than 16 bits, and for more bytes than the number takes. */
export function readCompactU16(reader: ByteReader, broken: () => Error): number {
  let value = 0
  for (let shift = 0; shift <= 14; shift += 7) {
    const byte = reader.u8()
    value |= (byte & 0x7f) << shift
    if (byte > 0x7f) continue
    // Solana takes one spelling of a number only ("alias").
    if ((byte === 0 && shift > 0) || value > 0xffff) throw broken()
    return value
  }
  throw broken()
}
