/** Base 32 of bech32 and cash addresses: 5 bits a digit, spelled with letters that are hard to mix up. */

const alphabet = 'qpzry9x8gf2tvdw0s3jn54khce6mua7l'

export function spellDigits(digits: readonly number[]): string {
  return digits.map(digit => alphabet.charAt(digit)).join('')
}

/** Undefined where a character is none of the alphabet. */
export function readDigits(text: string): readonly number[] | undefined {
  const digits = Array.from(text, letter => alphabet.indexOf(letter))
  return digits.includes(-1) ? undefined : digits
}

/** Groups of five bits from the first on; the last is filled up with zeros. */
export function toFiveBits(bytes: Uint8Array): readonly number[] {
  return Array.from({ length: Math.ceil((bytes.length * 8) / 5) }, (_, group) => {
    const bit = group * 5
    const at = bit >> 3
    const twoBytes = ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0)
    return (twoBytes >> (11 - (bit & 7))) & 31
  })
}

/** Undefined unless `digits` are the groups of whole bytes. */
export function fromFiveBits(digits: readonly number[]): Uint8Array | undefined {
  const bytes = Uint8Array.from({ length: Math.floor((digits.length * 5) / 8) }, (_, at) => {
    const bit = at * 8
    const group = Math.floor(bit / 5)
    const [a = 0, b = 0, c = 0] = digits.slice(group, group + 3)
    return (((a << 10) | (b << 5) | c) >> (7 - (bit % 5))) & 0xff
  })
  const again = toFiveBits(bytes)
  const isWhole = again.length === digits.length && again.every((digit, i) => digit === digits[i])
  return isWhole ? bytes : undefined
}
