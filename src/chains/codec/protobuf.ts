import { concatAll, equalBytes, utf8 } from '../../base/bytes.ts'

/**
 * Protocol Buffers (proto3) as far as chains need them: integers, bytes, text and messages. What is
 * read has one spelling only, so that nothing in it can go unseen.
 */

/** What stands behind one tag: a varint, or bytes of a given length. */
type Entry = bigint | Uint8Array

/** A field of a message; what is not in the bytes has the value that `read` makes of no entries. */
export type Field<T> = {
  readonly number: number
  /** Undefined for entries that no writer makes. */
  read(entries: readonly Entry[]): T | undefined
  write(value: T): readonly Entry[]
}

/** The fields of a message by their names. */
export type Shape = Readonly<Record<string, Field<unknown>>>

export type Message<S extends Shape> = {
  readonly [Name in keyof S]: S[Name] extends Field<infer T> ? T : never
}

/**
 * Undefined unless `bytes` are what `encodeMessage` makes: no unknown or repeated field, none out of
 * order, no absent value spelled out, every number in its shortest form.
 */
export function decodeMessage<S extends Shape>(
  bytes: Uint8Array,
  shape: S,
): Message<S> | undefined {
  const message = readMessage(bytes, shape)
  if (message === undefined || !equalBytes(encodeMessage(message, shape), bytes)) return undefined
  return message
}

export function encodeMessage<S extends Shape>(message: Message<S>, shape: S): Uint8Array {
  const parts: Uint8Array[] = []
  for (const [name, { number, write }] of layoutOf(shape)) {
    for (const entry of write(message[name])) parts.push(...writeEntry(number, entry))
  }
  return concatAll(parts)
}

/** Unsigned, as are all numbers that chains have here: a negative one reads as above 2^63. */
export function numberField(number: number): Field<bigint> {
  return {
    number,
    read([value = 0n]) {
      return typeof value === 'bigint' ? value : undefined
    },
    write: value => (value === 0n ? [] : [value]),
  }
}

export function bytesField(number: number): Field<Uint8Array> {
  return {
    number,
    read([value = new Uint8Array()]) {
      return typeof value === 'bigint' ? undefined : value
    },
    write: value => (value.length === 0 ? [] : [value]),
  }
}

export function textField(number: number): Field<string> {
  return {
    number,
    read([value = new Uint8Array()]) {
      return typeof value === 'bigint' ? undefined : decodeText(value)
    },
    write: value => (value === '' ? [] : [utf8(value)]),
  }
}

/** Any number of messages, also of a field that can be there once: reading more is up to the reader. */
export function messagesField<S extends Shape>(
  number: number,
  shape: S,
): Field<readonly Message<S>[]> {
  return {
    number,
    read(entries) {
      const messages = entries.map(entry =>
        typeof entry === 'bigint' ? undefined : readMessage(entry, shape),
      )
      return messages.every(message => message !== undefined) ? messages : undefined
    },
    write: messages => messages.map(message => encodeMessage(message, shape)),
  }
}

function readMessage<S extends Shape>(bytes: Uint8Array, shape: S): Message<S> | undefined {
  const entries = readEntries(bytes)
  if (entries === undefined) return undefined
  const message: Record<string, unknown> = {}
  for (const [name, { number, read }] of layoutOf(shape)) {
    const value = read(entries.get(number) ?? [])
    if (value === undefined) return undefined
    message[name] = value
  }
  // A field that is not in the shape is missed when the message is written again.
  return message as Message<S>
}

const layouts = new WeakMap<Shape, readonly (readonly [name: string, field: Field<unknown>])[]>()

/** The fields of a shape by their numbers, which is the order they are written in. */
function layoutOf(shape: Shape) {
  const known = layouts.get(shape)
  if (known !== undefined) return known
  const layout = Object.entries(shape).toSorted(([, a], [, b]) => a.number - b.number)
  layouts.set(shape, layout)
  return layout
}

/** Wire types of protobuf's encoding: the two that chains use. */
const wireVarint = 0n
const wireBytes = 2n

function readEntries(bytes: Uint8Array): ReadonlyMap<number, readonly Entry[]> | undefined {
  const entries = new Map<number, Entry[]>()
  for (let at = 0; at < bytes.length; ) {
    const tag = readVarint(bytes, at)
    const found = tag && readEntry(bytes, tag.end, tag.value & 7n)
    if (tag === undefined || found === undefined) return undefined
    const number = Number(tag.value >> 3n)
    const before = entries.get(number)
    if (before === undefined) entries.set(number, [found.value])
    else before.push(found.value)
    at = found.end
  }
  return entries
}

type Found<T> = { readonly value: T; readonly end: number }

function readEntry(bytes: Uint8Array, at: number, wire: bigint): Found<Entry> | undefined {
  if (wire !== wireVarint && wire !== wireBytes) return undefined
  const head = readVarint(bytes, at)
  if (head === undefined || wire === wireVarint) return head
  if (head.value > BigInt(bytes.length - head.end)) return undefined
  const end = head.end + Number(head.value)
  return { value: bytes.slice(head.end, end), end }
}

/** At most 64 bits, seven to a byte, the lowest first. */
function readVarint(bytes: Uint8Array, at: number): Found<bigint> | undefined {
  let value = 0n
  for (let i = 0; i < 10; i++) {
    const byte = bytes[at + i]
    if (byte === undefined) return undefined
    value |= BigInt(byte & 0x7f) << BigInt(7 * i)
    if (byte < 0x80) return value < 2n ** 64n ? { value, end: at + i + 1 } : undefined
  }
  return undefined
}

function writeEntry(number: number, entry: Entry): readonly Uint8Array[] {
  const tag = BigInt(number) << 3n
  if (typeof entry === 'bigint') return [encodeVarint(tag | wireVarint), encodeVarint(entry)]
  return [encodeVarint(tag | wireBytes), encodeVarint(BigInt(entry.length)), entry]
}

export function encodeVarint(value: bigint): Uint8Array {
  const bytes: number[] = []
  let rest = value
  for (; rest >= 0x80n; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80)
  return Uint8Array.of(...bytes, Number(rest))
}

function decodeText(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return undefined
  }
}
