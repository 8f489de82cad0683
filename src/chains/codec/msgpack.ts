import { concat, concatAll, fromHex, hex, utf8 } from '../../base/bytes.ts'
import { KmsError } from '../../base/errors.ts'

/** The part of MessagePack that transactions of Algorand are made of; numbers are unsigned. */
export type Msgpack = bigint | boolean | string | Uint8Array | MsgpackMap
export type MsgpackMap = ReadonlyMap<string, Msgpack>

/** How a number or a length is written: small ones in one byte, others behind a tag. */
type Format = {
  readonly fixed: number
  /** Only numbers below it are fixed. */
  readonly below: number
  /** Tag and how many bytes follow it. */
  readonly wide: readonly (readonly [tag: number, size: number])[]
}

// https://github.com/msgpack/msgpack/blob/master/spec.md
const formats = {
  number: {
    fixed: 0x00,
    below: 128,
    wide: [
      [0xcc, 1],
      [0xcd, 2],
      [0xce, 4],
      [0xcf, 8],
    ],
  },
  map: {
    fixed: 0x80,
    below: 16,
    wide: [
      [0xde, 2],
      [0xdf, 4],
    ],
  },
  text: {
    fixed: 0xa0,
    below: 32,
    wide: [
      [0xd9, 1],
      [0xda, 2],
      [0xdb, 4],
    ],
  },
  bytes: {
    fixed: 0xc4,
    below: 0,
    wide: [
      [0xc4, 1],
      [0xc5, 2],
      [0xc6, 4],
    ],
  },
} as const satisfies Readonly<Record<string, Format>>

type Kind = keyof typeof formats

const noByte = 0xc2
const yesByte = 0xc3
/** A signed transaction, the transaction, the parameters of an asset. */
const deepestMap = 3

/** The only canonical bytes of a value: shortest forms, the members of maps in order. */
export function encodeMsgpack(value: Msgpack): Uint8Array {
  if (typeof value === 'boolean') return Uint8Array.of(value ? yesByte : noByte)
  if (typeof value === 'bigint') return encodeHead('number', value)
  if (typeof value === 'string') return withLength('text', utf8(value))
  if (value instanceof Uint8Array) return withLength('bytes', value)
  const members = [...value].toSorted(([a], [b]) => compareNames(a, b))
  const parts = members.flatMap(([name, member]) => [encodeMsgpack(name), encodeMsgpack(member)])
  return concat(encodeHead('map', BigInt(members.length)), concatAll(parts))
}

/** The value whose canonical bytes these are; undefined for any others. */
export function decodeMsgpack(bytes: Uint8Array): Msgpack | undefined {
  const item = readItem(bytes, 0, 0)
  return item?.end === bytes.length ? item.value : undefined
}

function withLength(kind: Kind, content: Uint8Array): Uint8Array {
  return concat(encodeHead(kind, BigInt(content.length)), content)
}

function encodeHead(kind: Kind, value: bigint): Uint8Array {
  const { fixed, below, wide }: Format = formats[kind]
  if (value >= 0n && value < below) return Uint8Array.of(fixed + Number(value))
  const fit = wide.find(([, size]) => value >= 0n && value < 1n << BigInt(8 * size))
  if (fit === undefined) throw new KmsError('unexpected', 'a number does not fit into MessagePack')
  const [tag, size] = fit
  const digits = fromHex(value.toString(16).padStart(2 * size, '0')) ?? new Uint8Array()
  return concat(Uint8Array.of(tag), digits)
}

type Item = { readonly value: Msgpack; readonly end: number }
type Head = { readonly kind: Kind; readonly value: bigint; readonly end: number }

function readItem(bytes: Uint8Array, at: number, depth: number): Item | undefined {
  const first = bytes[at]
  if (first === noByte || first === yesByte) return { value: first === yesByte, end: at + 1 }
  const head = readHead(bytes, at)
  if (head === undefined) return undefined
  const { kind, value, end } = head
  if (kind === 'number') return { value, end }
  if (kind === 'map') return depth === deepestMap ? undefined : readMap(bytes, head, depth + 1)
  if (value > bytes.length - end) return undefined
  const content = bytes.slice(end, end + Number(value))
  const read = kind === 'text' ? readText(content) : content
  return read === undefined ? undefined : { value: read, end: end + content.length }
}

function readMap(bytes: Uint8Array, { value: count, end }: Head, depth: number): Item | undefined {
  const members = new Map<string, Msgpack>()
  let at = end
  let last: string | undefined
  for (let i = 0n; i < count; i++) {
    const name = readItem(bytes, at, depth)
    const member = name && readItem(bytes, name.end, depth)
    if (member === undefined || typeof name?.value !== 'string') return undefined
    if (last !== undefined && compareNames(last, name.value) >= 0) return undefined
    members.set(name.value, member.value)
    last = name.value
    at = member.end
  }
  return { value: members, end: at }
}

function readHead(bytes: Uint8Array, at: number): Head | undefined {
  const first = bytes[at]
  if (first === undefined) return undefined
  for (const kind of ['number', 'map', 'text', 'bytes'] as const) {
    const { fixed, below, wide }: Format = formats[kind]
    if (first >= fixed && first < fixed + below) {
      return { kind, value: BigInt(first - fixed), end: at + 1 }
    }
    const size = wide.find(([tag]) => tag === first)?.[1]
    if (size !== undefined) return readWide(kind, bytes, at + 1, at + 1 + size)
  }
  return undefined
}

/** A longer form than it takes is another spelling of the same value. */
function readWide(kind: Kind, bytes: Uint8Array, start: number, end: number): Head | undefined {
  if (end > bytes.length) return undefined
  const value = BigInt(`0x${hex(bytes.subarray(start, end))}`)
  return encodeHead(kind, value).length === 1 + end - start ? { kind, value, end } : undefined
}

function readText(content: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(content)
  } catch {
    return undefined
  }
}

/** In the order of their bytes. */
function compareNames(a: string, b: string): number {
  return Buffer.compare(utf8(a), utf8(b))
}
