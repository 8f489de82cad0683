/**
 * Scalars as numbers and back. noble goes through text for this (`BigInt('0x…')`), and text of a key
 * stays in memory longer than anything else of it; here there is none.
 */

/** 32 bytes, big endian. */
export function numberOf(bytes: Uint8Array): bigint {
  const view = new DataView(bytes.buffer, bytes.byteOffset, 32)
  const high = (view.getBigUint64(0) << 64n) | view.getBigUint64(8)
  const low = (view.getBigUint64(16) << 64n) | view.getBigUint64(24)
  return (high << 128n) | low
}

/** `value`, below 2^256, as 32 bytes, big endian. */
export function bytesOf(value: bigint): Uint8Array {
  const bytes = new Uint8Array(32)
  const view = new DataView(bytes.buffer)
  for (let at = 0; at < 4; at++) {
    view.setBigUint64(8 * at, BigInt.asUintN(64, value >> BigInt(64 * (3 - at))))
  }
  return bytes
}

/** Up to 64 bytes, a multiple of 8 of them, little endian. */
export function littleEndianNumberOf(bytes: Uint8Array): bigint {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  let value = 0n
  for (let at = bytes.length - 8; at >= 0; at -= 8) {
    value = (value << 64n) | view.getBigUint64(at, true)
  }
  return value
}

/** `value`, below 2^256, as 32 bytes, little endian. */
export function littleEndianBytesOf(value: bigint): Uint8Array {
  return bytesOf(value).reverse()
}
