import { concat } from './bytes.ts'
import { KmsError } from './errors.ts'

/** Big-endian unsigned integers, the order in which every format of ours writes them. */
export const u8 = (value: number): Uint8Array => Uint8Array.of(value)
export const u16 = (value: number): Uint8Array => {
  const bytes = new Uint8Array(2)
  new DataView(bytes.buffer).setUint16(0, value)
  return bytes
}
export const u32 = (value: number): Uint8Array => {
  const bytes = new Uint8Array(4)
  new DataView(bytes.buffer).setUint32(0, value)
  return bytes
}
export const u64 = (value: bigint): Uint8Array => {
  const bytes = new Uint8Array(8)
  new DataView(bytes.buffer).setBigUint64(0, value)
  return bytes
}

/** One tagged field: tag u8, length u16, value. */
export function field(tag: number, value: Uint8Array): Uint8Array {
  if (value.length > 0xffff) throw new KmsError('unexpected', 'a field is too long for its format')
  return concat(u8(tag), u16(value.length), value)
}

export type ByteReader = {
  readonly position: number
  readonly remaining: number
  u8(): number
  u16(): number
  u32(): number
  u64(): bigint
  /** A view, not a copy. */
  take(length: number): Uint8Array
  skip(length: number): void
}

/** Reads forward through untrusted bytes; `tooShort` makes the error for reading past the end. */
export function readBytes(bytes: Uint8Array, tooShort: () => Error): ByteReader {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let position = 0
  const advance = (length: number): number => {
    if (length > bytes.length - position) throw tooShort()
    const start = position
    position += length
    return start
  }
  return {
    get position() {
      return position
    },
    get remaining() {
      return bytes.length - position
    },
    u8: () => view.getUint8(advance(1)),
    u16: () => view.getUint16(advance(2)),
    u32: () => view.getUint32(advance(4)),
    u64: () => view.getBigUint64(advance(8)),
    take: length => {
      const start = advance(length)
      return bytes.subarray(start, start + length)
    },
    skip: length => {
      advance(length)
    },
  }
}
