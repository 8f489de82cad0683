/** RLP by the yellow paper's appendix B: no code of the program and none of its libraries. */

export type Item = Uint8Array | readonly Item[]

export function readRlp(bytes: Uint8Array): Item {
  const [item, rest] = readFirst(bytes)
  if (rest.length > 0) throw new Error('RLP has something behind it')
  return item
}

export function writeRlp(item: Item): Uint8Array {
  if (item instanceof Uint8Array) {
    const [first = 0] = item
    return item.length === 1 && first < 0x80 ? item : withLength(0x80, item)
  }
  return withLength(0xc0, Buffer.concat(item.map(writeRlp)))
}

function readFirst(bytes: Uint8Array): readonly [item: Item, rest: Uint8Array] {
  const [first = 0] = bytes
  if (bytes.length === 0) throw new Error('RLP ends too early')
  if (first < 0x80) return [bytes.subarray(0, 1), bytes.subarray(1)]
  const offset = first < 0xc0 ? 0x80 : 0xc0
  const short = first - offset
  const digits = Math.max(0, short - 55)
  const length =
    digits === 0 ? short : Number(`0x${Buffer.from(bytes.subarray(1, 1 + digits)).toString('hex')}`)
  const end = 1 + digits + length
  if (end > bytes.length) throw new Error('RLP ends too early')
  const content = bytes.subarray(1 + digits, end)
  return [offset === 0x80 ? content : readAll(content), bytes.subarray(end)]
}

function readAll(bytes: Uint8Array): readonly Item[] {
  const items: Item[] = []
  for (let rest = bytes; rest.length > 0; ) {
    const [item, next] = readFirst(rest)
    items.push(item)
    rest = next
  }
  return items
}

function withLength(offset: number, content: Uint8Array): Uint8Array {
  const { length } = content
  if (length <= 55) return Buffer.concat([Uint8Array.of(offset + length), content])
  const text = length.toString(16)
  const digits = Buffer.from(text.padStart(text.length + (text.length % 2), '0'), 'hex')
  return Buffer.concat([Uint8Array.of(offset + 55 + digits.length), digits, content])
}
