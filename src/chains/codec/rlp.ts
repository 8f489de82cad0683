/** What RLP holds: bytes, or a list of the same (Ethereum yellow paper, appendix B). */
export type Rlp = Uint8Array | readonly Rlp[]

type Item = { readonly value: Rlp; readonly end: number }
type Header = { readonly list: boolean; readonly start: number; readonly end: number }

/** An envelope, its access list, one entry of that, the storage keys of the entry (EIP-2930). */
const deepestList = 4

/** The item that `bytes` are, in its only valid spelling; undefined for anything else. */
export function decodeRlp(bytes: Uint8Array): Rlp | undefined {
  const item = readItem(bytes, 0, 0)
  return item?.end === bytes.length ? item.value : undefined
}

function readItem(bytes: Uint8Array, at: number, depth: number): Item | undefined {
  const header = readHeader(bytes, at)
  if (header === undefined || header.end > bytes.length) return undefined
  const { list, start, end } = header
  if (!list) return { value: bytes.slice(start, end), end }
  if (depth === deepestList) return undefined
  const value = readList(bytes.subarray(0, end), start, depth + 1)
  return value && { value, end }
}

function readList(bytes: Uint8Array, start: number, depth: number): readonly Rlp[] | undefined {
  const values: Rlp[] = []
  for (let at = start; at < bytes.length; ) {
    const item = readItem(bytes, at, depth)
    if (item === undefined) return undefined
    values.push(item.value)
    at = item.end
  }
  return values
}

function readHeader(bytes: Uint8Array, at: number): Header | undefined {
  const first = bytes[at]
  if (first === undefined) return undefined
  if (first < 0x80) return { list: false, start: at, end: at + 1 }
  const list = first >= 0xc0
  const size = first - (list ? 0xc0 : 0x80)
  const start = at + 1
  if (size > 55) return readLongHeader(bytes, start, size - 55, list)
  // A byte below 0x80 stands for itself.
  if (!list && size === 1 && (bytes[start] ?? 0) < 0x80) return undefined
  return { list, start, end: start + size }
}

function readLongHeader(
  bytes: Uint8Array,
  at: number,
  digits: number,
  list: boolean,
): Header | undefined {
  const start = at + digits
  // Four bytes of length are more than anything here holds, and keep the arithmetic exact.
  if (digits > 4 || start > bytes.length || bytes[at] === 0) return undefined
  const size = bytes.subarray(at, start).reduce((sum, byte) => sum * 256 + byte, 0)
  return size > 55 ? { list, start, end: start + size } : undefined
}
