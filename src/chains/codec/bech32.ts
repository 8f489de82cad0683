import { fromFiveBits, readDigits, spellDigits, toFiveBits } from './five-bits.ts'

/** Bech32 (BIP-173): a prefix, the digit 1, bytes in base 32 and six digits of a checksum. */

/** `prefix`: in lower case, and so is the answer. */
export function encodeBech32(prefix: string, bytes: Uint8Array): string {
  const digits = toFiveBits(bytes)
  return `${prefix}1${spellDigits([...digits, ...checksum(prefix, digits)])}`
}

/**
 * The bytes behind `prefix`; undefined for anything else, and for what BIP-173 allows but nobody
 * writes: capitals. Addresses of Cardano are longer than its 90 characters (CIP-19).
 */
export function decodeBech32(prefix: string, text: string, maxLength = 90): Uint8Array | undefined {
  const start = prefix.length + 1
  if (text.length > maxLength || text.length < start + 6 || !text.startsWith(`${prefix}1`)) {
    return undefined
  }
  const digits = readDigits(text.slice(start))
  if (digits === undefined || polymod([...expand(prefix), ...digits]) !== 1) return undefined
  return fromFiveBits(digits.slice(0, -6))
}

function checksum(prefix: string, digits: readonly number[]): readonly number[] {
  const rest = polymod([...expand(prefix), ...digits, 0, 0, 0, 0, 0, 0]) ^ 1
  return Array.from({ length: 6 }, (_, digit) => (rest >> (5 * (5 - digit))) & 31)
}

/** A prefix as digits: the high bits of its letters, 0, the low ones. */
function expand(prefix: string): readonly number[] {
  const letters = Array.from(prefix, letter => letter.charCodeAt(0))
  return [...letters.map(code => code >> 5), 0, ...letters.map(code => code & 31)]
}

const generators = [0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3]

/** The remainder of the BCH code of BIP-173. */
function polymod(digits: readonly number[]): number {
  return digits.reduce((state, digit) => {
    const top = state >> 25
    const shifted = ((state & 0x01ff_ffff) << 5) ^ digit
    return generators.reduce(
      (sum, generator, bit) => ((top >> bit) & 1 ? sum ^ generator : sum),
      shifted,
    )
  }, 1)
}
