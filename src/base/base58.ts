import { createHash } from 'node:crypto'
import { utf8 } from './bytes.ts'

/** 58 letters, as ASCII bytes, and which digit each of them is. */
export type Alphabet = {
  readonly letters: Uint8Array
  readonly digits: ReadonlyMap<number, number>
}

export const bitcoinAlphabet = alphabetOf(
  '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz',
)

/** https://xrpl.org/docs/references/protocol/data-types/base58-encodings */
export const xrplAlphabet = alphabetOf('rpshnaf39wBUDNEGHJKLM4PQRST7VWXYZ2bcdeCg65jkm8oFqi1tuvAxyz')

/** How many bytes are taken in a step: 57 · 2^24 and what is carried are below 2^31. */
const atOnce = 3

/**
 * Base58 text, as ASCII bytes, of `bytes`. Works on numbers below 2^31 in caller-given memory,
 * so that a private key never becomes a string or a BigInt.
 *
 * @param out at least 1.4 × as long as `bytes`; answers how much of it was filled
 */
export function encodeBase58(
  bytes: Uint8Array,
  out: Uint8Array,
  { letters }: Alphabet = bitcoinAlphabet,
): number {
  const zeros = leading(bytes, 0)
  let used = 0
  for (let at = zeros; at < bytes.length; at += atOnce) {
    const end = Math.min(at + atOnce, bytes.length)
    let carry = 0
    for (let i = at; i < end; i++) carry = (carry << 8) | (bytes[i] ?? 0)
    const weight = 1 << (8 * (end - at))
    for (let i = 0; i < used || carry > 0; i++) {
      carry += (i < used ? (out[i] ?? 0) : 0) * weight
      out[i] = carry % 58
      carry = (carry / 58) | 0
      if (i === used) used++
    }
  }
  out.fill(0, used, used + zeros)
  const length = used + zeros
  out.subarray(0, length).reverse()
  for (let i = 0; i < length; i++) out[i] = letters[out[i] ?? 0] ?? 0
  return length
}

/**
 * The bytes behind base58 text given as ASCII bytes.
 *
 * @returns how much of `out` was filled, or undefined for a letter outside the alphabet or a value
 *   that does not fit
 */
export function decodeBase58(
  text: Uint8Array,
  out: Uint8Array,
  { letters, digits }: Alphabet = bitcoinAlphabet,
): number | undefined {
  const zeros = leading(text, letters[0] ?? 0)
  let used = 0
  for (let at = zeros; at < text.length; at++) {
    const digit = digits.get(text[at] ?? 0)
    if (digit === undefined) return undefined
    let carry = digit
    for (let i = 0; i < used || carry > 0; i++) {
      if (i >= out.length) return undefined
      carry += (i < used ? (out[i] ?? 0) : 0) * 58
      out[i] = carry & 255
      carry >>= 8
      if (i === used) used++
    }
  }
  if (used + zeros > out.length) return undefined
  out.fill(0, used, used + zeros)
  out.subarray(0, used + zeros).reverse()
  return used + zeros
}

/** Base58 text of public bytes. */
export function base58Text(bytes: Uint8Array, alphabet?: Alphabet): string {
  const out = new Uint8Array(Math.ceil(1.4 * bytes.length))
  return Buffer.from(out.subarray(0, encodeBase58(bytes, out, alphabet))).toString('latin1')
}

/** The `length` public bytes behind base58 text; undefined when it is anything else. */
export function fromBase58(
  text: string,
  length: number,
  alphabet?: Alphabet,
): Uint8Array | undefined {
  // Half as many again as there are bytes is more than they take: the rest would only cost time.
  if (text.length > 1.5 * length) return undefined
  const out = new Uint8Array(length)
  return decodeBase58(utf8(text), out, alphabet) === length ? out : undefined
}

/** First four bytes of the double SHA-256. */
export function base58Checksum(bytes: Uint8Array): Uint8Array {
  const once = createHash('sha256').update(bytes).digest()
  return createHash('sha256').update(once).digest().subarray(0, 4)
}

/** Whether the last four bytes are the checksum of those before them. */
export function endsInChecksum(bytes: Uint8Array): boolean {
  const sum = base58Checksum(bytes.subarray(0, -4))
  return Buffer.compare(sum, bytes.subarray(-4)) === 0
}

function alphabetOf(text: string): Alphabet {
  const letters = new TextEncoder().encode(text)
  return { letters, digits: new Map([...letters].map((letter, digit) => [letter, digit])) }
}

function leading(bytes: Uint8Array, value: number): number {
  let count = 0
  while (count < bytes.length && bytes[count] === value) count++
  return count
}
