/**
 * Cash addresses by the algebra of their specification, not its code: long division of a polynomial
 * over GF(32), whose elements are the letters.
 */
const letters = 'qpzry9x8gf2tvdw0s3jn54khce6mua7l'
/** x⁸ + 19x⁷ + 3x⁶ + 25x⁵ + 11x⁴ + 25x³ + 3x² + 19x + 1 */
const generator = [1, 19, 3, 25, 11, 25, 3, 19, 1]

type Hash = {
  readonly prefix: string
  readonly type: 'P2PKH' | 'P2SH'
  /** 20 or 32 bytes, in hex. */
  readonly hash: string
}

export function cashaddr({ prefix, type, hash }: Hash): string {
  const version = (type === 'P2SH' ? 8 : 0) + (hash.length === 64 ? 3 : 0)
  const bits = [version, ...Buffer.from(hash, 'hex')]
    .map(byte => byte.toString(2).padStart(8, '0'))
    .join('')
  const payload = [...bits.matchAll(/.{1,5}/g)].map(([five]) => parseInt(five.padEnd(5, '0'), 2))
  const spelled = [...prefix].map(letter => letter.charCodeAt(0) % 32)
  const checksum = remainder([1, ...spelled, 0, ...payload, 0, 0, 0, 0, 0, 0, 0, 0])
  const last = checksum.pop() ?? 0
  return `${prefix}:${[...payload, ...checksum, last ^ 1].map(digit => letters[digit]).join('')}`
}

/** Of what a script pays to; `script <hex>` where that is no address. */
export function cashaddrOfScript(script: string, prefix: string): string {
  const pkh = /^76a914([0-9a-f]{40})88ac$/.exec(script)?.[1]
  if (pkh !== undefined) return cashaddr({ prefix, type: 'P2PKH', hash: pkh })
  const [, sh] = /^(?:a914(?=.{42}$)|aa20(?=.{66}$))([0-9a-f]*)87$/.exec(script) ?? []
  return sh === undefined ? `script ${script}` : cashaddr({ prefix, type: 'P2SH', hash: sh })
}

function remainder(digits: readonly number[]): number[] {
  const rest = [...digits]
  while (rest.length >= generator.length) {
    const [lead = 0] = rest
    generator.forEach((factor, i) => {
      rest[i] = (rest[i] ?? 0) ^ times(lead, factor)
    })
    rest.shift()
  }
  return rest
}

/** In GF(2)[x] modulo x⁵ + x³ + 1. */
function times(a: number, b: number): number {
  let product = 0
  for (let bit = 4; bit >= 0; bit--) {
    product <<= 1
    if (product & 32) product ^= 0b101001
    if ((b >> bit) & 1) product ^= a
  }
  return product
}
