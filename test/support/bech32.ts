import assert from 'node:assert/strict'

const alphabet = 'qpzry9x8gf2tvdw0s3jn54khce6mua7l'

/** Bech32 by BIP-173, of any length: the bytes behind a prefix. */
export function readBech32(text: string): { readonly prefix: string; readonly bytes: Buffer } {
  const prefix = text.slice(0, text.lastIndexOf('1'))
  const digits = [...text.slice(prefix.length + 1)].map(letter => alphabet.indexOf(letter))
  assert(!digits.includes(-1) && checksumOf(prefix, digits) === 1, `${text} is not bech32`)
  const bits = digits.slice(0, -6).map(digit => digit.toString(2).padStart(5, '0'))
  const bytes = bits.join('').match(/.{8}/g) ?? []
  return { prefix, bytes: Buffer.from(bytes.map(byte => Number.parseInt(byte, 2))) }
}

export function bech32Of(prefix: string, bytes: Uint8Array): string {
  const bits = [...bytes].map(byte => byte.toString(2).padStart(8, '0')).join('')
  const groups = bits.match(/.{1,5}/g) ?? []
  const digits = groups.map(group => Number.parseInt(group.padEnd(5, '0'), 2))
  const rest = checksumOf(prefix, [...digits, 0, 0, 0, 0, 0, 0]) ^ 1
  const check = [5, 4, 3, 2, 1, 0].map(place => (rest >> (5 * place)) & 31)
  return `${prefix}1${[...digits, ...check].map(digit => alphabet[digit]).join('')}`
}

function checksumOf(prefix: string, digits: readonly number[]): number {
  const codes = [...prefix].map(letter => letter.charCodeAt(0))
  let state = 1
  for (const digit of [
    ...codes.map(code => code >> 5),
    0,
    ...codes.map(code => code & 31),
    ...digits,
  ]) {
    const top = state >> 25
    state = ((state & 0x1ffffff) << 5) ^ digit
    const generators = [0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3]
    for (const [bit, generator] of generators.entries()) if ((top >> bit) & 1) state ^= generator
  }
  return state
}
