import assert from 'node:assert/strict'

/** CBOR (RFC 8949) for tests: a reader that takes what it is given, and a writer of each form. */

export type Value = bigint | string | boolean | null | Buffer | Value[] | Map<Value, Value> | Tagged
export type Tagged = { readonly tag: bigint; readonly item: Value }

/** The item at `at` and where it ends. */
export function readCbor(bytes: Buffer, at = 0): readonly [Value, number] {
  const first = bytes.readUInt8(at)
  const [argument, start] = readArgument(bytes, at, first & 31)
  const count = Number(argument)
  switch (first >> 5) {
    case 0:
      return [argument, start]
    case 1:
      return [-1n - argument, start]
    case 2:
    case 3: {
      const end = start + count
      assert(end <= bytes.length, 'a string is cut off')
      const content = bytes.subarray(start, end)
      return [first >> 5 === 2 ? content : content.toString(), end]
    }
    case 4:
      return readMany(bytes, start, count)
    case 5: {
      const [items, end] = readMany(bytes, start, 2 * count)
      return [new Map(items.flatMap((key, i) => (i % 2 ? [] : [[key, items[i + 1] ?? null]]))), end]
    }
    case 6: {
      const [item, end] = readCbor(bytes, start)
      return [{ tag: argument, item }, end]
    }
    default:
      return [[false, true, null][count - 20] ?? null, start]
  }
}

function readArgument(bytes: Buffer, at: number, short: number): readonly [bigint, number] {
  if (short < 24) return [BigInt(short), at + 1]
  assert(short < 28, 'an indefinite length')
  const size = 2 ** (short - 24)
  return [BigInt(`0x${bytes.subarray(at + 1, at + 1 + size).toString('hex')}`), at + 1 + size]
}

function readMany(bytes: Buffer, start: number, count: number): readonly [Value[], number] {
  const items: Value[] = []
  let at = start
  while (items.length < count) {
    const [item, end] = readCbor(bytes, at)
    items.push(item)
    at = end
  }
  return [items, at]
}

/** In hex, in the shortest form. */
export function cborOf(value: Value): string {
  if (typeof value === 'bigint') return value < 0n ? head(1, -1n - value) : head(0, value)
  if (typeof value === 'string') return head(3, Buffer.byteLength(value)) + hexOfText(value)
  if (typeof value === 'boolean') return value ? 'f5' : 'f4'
  if (value === null) return 'f6'
  if (Buffer.isBuffer(value)) return head(2, value.length) + value.toString('hex')
  if (Array.isArray(value)) return head(4, value.length) + value.map(cborOf).join('')
  if (value instanceof Map) {
    return head(5, value.size) + [...value].flatMap(entry => entry.map(cborOf)).join('')
  }
  return head(6, value.tag) + cborOf(value.item)
}

/** `size`: bytes of the argument, where it is to be longer than it needs to be. */
export function head(major: number, argument: number | bigint, size?: 1 | 2 | 4 | 8): string {
  const digits = BigInt(argument).toString(16)
  const needed = size ?? ([1, 2, 4, 8] as const).find(bytes => digits.length <= 2 * bytes) ?? 8
  if (size === undefined && BigInt(argument) < 24n) return byte(major * 32 + Number(argument))
  return byte(major * 32 + 24 + Math.log2(needed)) + digits.padStart(2 * needed, '0')
}

function byte(value: number): string {
  return value.toString(16).padStart(2, '0')
}

function hexOfText(text: string): string {
  return Buffer.from(text).toString('hex')
}
