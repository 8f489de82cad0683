/**
 * CBOR (RFC 8949) in the one spelling that Cardano's tools write: shortest heads, definite lengths.
 * `raw` is the item as it stands in the bytes, for what is hashed.
 */
export type Cbor = { readonly raw: Uint8Array } & (
  | { readonly kind: 'integer'; readonly value: bigint }
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'list'; readonly items: readonly Cbor[] }
  | { readonly kind: 'map'; readonly entries: readonly CborEntry[] }
  | { readonly kind: 'tag'; readonly tag: bigint; readonly item: Cbor }
  | { readonly kind: 'simple'; readonly value: boolean | null | undefined }
)

type CborEntry = readonly [key: Cbor, value: Cbor]

type Content = Cbor extends infer Item ? (Item extends Cbor ? Omit<Item, 'raw'> : never) : never
type Read<T> = { readonly value: T; readonly end: number }
/** `argument` is a number, a length or a count: RFC 8949, 3. */
type Head = { readonly major: number; readonly argument: bigint; readonly end: number }
type Reader = { readonly bytes: Uint8Array; left: number }

/** A transaction of 16,384 bytes, the most there is, as hex beside the operations that made it. */
const maxBytes = 262_144
const maxItems = 50_000
/** Rosetta's operations nest eight deep, a transaction six. */
const maxDepth = 16

/** The one item that `bytes` are; undefined for anything else. */
export function decodeCbor(bytes: Uint8Array): Cbor | undefined {
  if (bytes.length > maxBytes) return undefined
  const item = readItem({ bytes, left: maxItems }, 0, 0)
  return item?.end === bytes.length ? item.value : undefined
}

function readItem(reader: Reader, at: number, depth: number): Read<Cbor> | undefined {
  const head = readHead(reader.bytes, at)
  if (head === undefined || depth > maxDepth || reader.left-- === 0) return undefined
  const content = readContent(reader, head, depth)
  if (content === undefined) return undefined
  const raw = reader.bytes.subarray(at, content.end)
  return { value: { raw, ...content.value }, end: content.end }
}

function readContent(reader: Reader, head: Head, depth: number): Read<Content> | undefined {
  const { major, argument, end } = head
  switch (major) {
    case 0:
      return { value: { kind: 'integer', value: argument }, end }
    case 1:
      return { value: { kind: 'integer', value: -1n - argument }, end }
    case 2:
    case 3:
      return readString(reader.bytes, head)
    case 4: {
      const items = readItems(reader, head, argument, depth)
      return items && { value: { kind: 'list', items: items.value }, end: items.end }
    }
    case 5: {
      const items = readItems(reader, head, 2n * argument, depth)
      const entries = items && pairUp(items.value)
      return entries && { value: { kind: 'map', entries }, end: items.end }
    }
    case 6: {
      const item = readItem(reader, end, depth + 1)
      return item && { value: { kind: 'tag', tag: argument, item: item.value }, end: item.end }
    }
    default:
      return readSimple(head)
  }
}

function readString(bytes: Uint8Array, { major, argument, end: start }: Head) {
  const end = start + Number(argument)
  if (end > bytes.length) return undefined
  const content = bytes.subarray(start, end)
  if (major === 2) return { value: { kind: 'bytes', bytes: content }, end } as const
  const text = asUtf8(content)
  return text === undefined ? undefined : ({ value: { kind: 'text', text }, end } as const)
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function asUtf8(bytes: Uint8Array): string | undefined {
  try {
    return decoder.decode(bytes)
  } catch {
    return undefined
  }
}

function readItems(
  reader: Reader,
  { end: start }: Head,
  count: bigint,
  depth: number,
): Read<readonly Cbor[]> | undefined {
  const items: Cbor[] = []
  let at = start
  while (items.length < count) {
    const item = readItem(reader, at, depth + 1)
    if (item === undefined) return undefined
    items.push(item.value)
    at = item.end
  }
  return { value: items, end: at }
}

/** Undefined where a key stands twice: readers differ about which one counts. */
function pairUp(items: readonly Cbor[]): readonly CborEntry[] | undefined {
  const seen = new Set<string>()
  const entries: CborEntry[] = []
  for (let at = 0; at < items.length; at += 2) {
    const [key, value] = [items[at], items[at + 1]]
    if (key === undefined || value === undefined) return undefined
    // With one spelling for each value, equal keys are equal bytes.
    seen.add(Buffer.from(key.raw).toString('latin1'))
    entries.push([key, value])
  }
  return seen.size === entries.length ? entries : undefined
}

const simpleValues = new Map<bigint, boolean | null | undefined>([
  [20n, false],
  [21n, true],
  [22n, null],
  [23n, undefined],
])

/** Neither floats nor other simple values: Cardano has none. */
function readSimple({ argument, end }: Head): Read<Content> | undefined {
  if (!simpleValues.has(argument)) return undefined
  return { value: { kind: 'simple', value: simpleValues.get(argument) }, end }
}

function readHead(bytes: Uint8Array, at: number): Head | undefined {
  const first = bytes[at]
  if (first === undefined) return undefined
  const major = first >> 5
  const short = first & 31
  if (short < 24) return { major, argument: BigInt(short), end: at + 1 }
  // 28 to 30 are not assigned, 31 is an indefinite length. Long forms of major 7 are floats.
  if (short > 27 || major === 7) return undefined
  const size = 2 ** (short - 24)
  const end = at + 1 + size
  if (end > bytes.length) return undefined
  const argument = bytes.subarray(at + 1, end).reduce((sum, byte) => sum * 256n + BigInt(byte), 0n)
  return argument >= leastLong(size) ? { major, argument, end } : undefined
}

/** What does not fit into a shorter head. */
function leastLong(size: number): bigint {
  return size === 1 ? 24n : 1n << BigInt(4 * size)
}
