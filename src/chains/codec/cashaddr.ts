/** Bitcoin Cash addresses (spec/cashaddr.md): prefix, colon, payload and checksum in base 32. */

const alphabet = 'qpzry9x8gf2tvdw0s3jn54khce6mua7l'
const typeBits = { P2PKH: 0, P2SH: 8 } as const
/** Hash lengths the version byte can say, those that scripts have: 160 and 256 bits. */
const sizeBits = new Map([
  [20, 0],
  [32, 3],
])

/** Undefined for a hash of a length that no address has. */
export function encodeCashaddr(
  prefix: string,
  type: keyof typeof typeBits,
  hash: Uint8Array,
): string | undefined {
  const size = sizeBits.get(hash.length)
  if (size === undefined) return undefined
  const payload = toFiveBits(Uint8Array.of(typeBits[type] | size, ...hash))
  const digits = [...payload, ...checksum(prefix, payload)]
  return `${prefix}:${digits.map(digit => alphabet.charAt(digit)).join('')}`
}

/** Groups of five bits from the first on; the last is filled up with zeros. */
function toFiveBits(bytes: Uint8Array): readonly number[] {
  return Array.from({ length: Math.ceil((bytes.length * 8) / 5) }, (_, group) => {
    const bit = group * 5
    const at = bit >> 3
    const twoBytes = ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0)
    return (twoBytes >> (11 - (bit & 7))) & 31
  })
}

/** 40 bits, as eight digits. */
function checksum(prefix: string, payload: readonly number[]): readonly number[] {
  const letters = [...prefix].map(letter => letter.charCodeAt(0) & 31)
  const rest = polymod([...letters, 0, ...payload, 0, 0, 0, 0, 0, 0, 0, 0])
  return Array.from({ length: 8 }, (_, digit) => Number((rest >> BigInt(5 * (7 - digit))) & 31n))
}

const generators = [0x98f2bc8e61n, 0x79b76d99e2n, 0xf33e5fb3c4n, 0xae2eabe2a8n, 0x1e4f43e470n]

/** The remainder of the BCH code of the specification, which has nothing to do with the coin. */
function polymod(digits: readonly number[]): bigint {
  const rest = digits.reduce((state, digit) => {
    const top = state >> 35n
    const shifted = ((state & 0x07ffffffffn) << 5n) ^ BigInt(digit)
    return generators.reduce(
      (sum, generator, bit) => ((top >> BigInt(bit)) & 1n ? sum ^ generator : sum),
      shifted,
    )
  }, 1n)
  return rest ^ 1n
}
