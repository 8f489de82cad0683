const backslash = 0x5c
const letterU = 0x75

/** RFC 8259, section 7: the letter behind a backslash, and what the two stand for. */
const escapes = new Map(
  ['""', '\\\\', '//', 'b\b', 'f\f', 'n\n', 'r\r', 't\t'].map(pair => [
    pair.charCodeAt(0),
    pair.charCodeAt(1),
  ]),
)

/**
 * Writes what stands between the quotes of a JSON string as plain UTF-8, which is never longer, and
 * answers how many bytes it is; undefined when it is malformed.
 */
export function unescapeJson(from: Uint8Array, to: Uint8Array): number | undefined {
  let length = 0
  for (let at = 0; at < from.length; ) {
    const byte = from[at] ?? 0
    if (byte < 0x20) return undefined
    if (byte !== backslash) {
      to[length++] = byte
      at++
    } else if (from[at + 1] === letterU) {
      const point = escapedPoint(from, at)
      if (point === undefined) return undefined
      length += writeUtf8(point.code, to, length)
      at += point.length
    } else {
      const plain = escapes.get(from[at + 1] ?? 0)
      if (plain === undefined) return undefined
      to[length++] = plain
      at += 2
    }
  }
  return length
}

/** \uXXXX, or two of them for a character above U+FFFF. Half of such a pair has no UTF-8. */
function escapedPoint(
  from: Uint8Array,
  at: number,
): { readonly code: number; readonly length: number } | undefined {
  const first = hex4(from, at + 2)
  if (first === undefined) return undefined
  if (first < 0xd800 || first > 0xdfff) return { code: first, length: 6 }
  const isPair = first < 0xdc00 && from[at + 6] === backslash && from[at + 7] === letterU
  const second = isPair ? hex4(from, at + 8) : undefined
  if (second === undefined || second < 0xdc00 || second > 0xdfff) return undefined
  return { code: 0x10000 + (first - 0xd800) * 0x400 + (second - 0xdc00), length: 12 }
}

function hex4(from: Uint8Array, start: number): number | undefined {
  let value = 0
  for (let at = start; at < start + 4; at++) {
    const digit = hexDigit(from[at] ?? 0)
    if (digit === undefined) return undefined
    value = value * 16 + digit
  }
  return value
}

function hexDigit(letter: number): number | undefined {
  if (letter >= 0x30 && letter <= 0x39) return letter - 0x30
  const lower = letter | 0x20
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x61 + 10 : undefined
}

/** RFC 3629, section 3. Answers how many bytes it is. */
function writeUtf8(code: number, to: Uint8Array, at: number): number {
  if (code < 0x80) {
    to[at] = code
    return 1
  }
  const more = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3
  const lead = (0xff00 >> (more + 1)) & 0xff
  to[at] = lead | (code >> (6 * more))
  for (let i = 1; i <= more; i++) to[at + i] = 0x80 | ((code >> (6 * (more - i))) & 0x3f)
  return more + 1
}
