import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { decodeBase32, encodeBase32 } from '../../src/base/base32.ts'
import { hex, utf8 } from '../../src/base/bytes.ts'

const numRuns = Number(process.env['FC_NUM_RUNS'] ?? 100)
const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'

describe('base32', () => {
  // RFC 4648, section 10, without the padding.
  test.each([
    ['', ''],
    ['f', 'MY'],
    ['fo', 'MZXQ'],
    ['foo', 'MZXW6'],
    ['foob', 'MZXW6YQ'],
    ['fooba', 'MZXW6YTB'],
    ['foobar', 'MZXW6YTBOI'],
  ])('%s is written %s', (bytes, text) => {
    expect(encoded(utf8(bytes))).toBe(text)
    expect(decoded(text)).toEqual(utf8(bytes))
  })

  test('is the bits in fives', () => {
    const check = (bytes: Uint8Array) => {
      const text = encoded(bytes)
      expect(text).toBe(writtenByDefinition(bytes))
      expect(decoded(text, bytes.length)).toEqual(bytes)
    }
    fc.assert(fc.property(fc.uint8Array({ maxLength: 90 }), check), { numRuns })
  })

  test('text says something exactly when it is what its bytes are written as', () => {
    const unit = fc.constantFrom(...alphabet, 'a', '0', '1', '8', '=', ' ', '\0', 'é')
    const check = (text: string) => {
      const bytes = decoded(text)
      const isGood =
        /^[A-Z2-7]*$/.test(text) && writtenByDefinition(readByDefinition(text)) === text
      expect(bytes !== undefined).toBe(isGood)
      if (bytes !== undefined) expect(hex(bytes)).toBe(hex(readByDefinition(text)))
    }
    fc.assert(fc.property(fc.string({ unit, maxLength: 40 }), check), { numRuns: numRuns * 3 })
  })

  test.each(['A', 'AAA', 'AAAAAA'])('%s has a letter too many', text => {
    expect(decoded(text)).toBeUndefined()
  })

  test.each(['MZ', 'MZXR', 'MZXW7', 'MZXW6YR', 'MZXW6YTBOJ'])('%s has bits to spare', text => {
    expect(decoded(text)).toBeUndefined()
  })

  test('a value that does not fit is refused, whatever was in the memory before', () => {
    const check = (bytes: Uint8Array, missing: number) => {
      const out: Uint8Array = new Uint8Array(Math.max(bytes.length - missing, 0)).fill(0xff)
      const length = decodeBase32(utf8(writtenByDefinition(bytes)), out)
      expect(length).toBe(missing === 0 || bytes.length === 0 ? bytes.length : undefined)
      if (length !== undefined) expect(out).toEqual(bytes)
    }
    fc.assert(fc.property(fc.uint8Array({ maxLength: 70 }), fc.nat(2), check), { numRuns })
  })
})

function encoded(bytes: Uint8Array): string {
  const out = new Uint8Array(Math.ceil(bytes.length * 1.6)).fill(0xff)
  return Buffer.from(out.subarray(0, encodeBase32(bytes, out))).toString()
}

function decoded(text: string, room = 400): Uint8Array | undefined {
  const out = new Uint8Array(room)
  const length = decodeBase32(utf8(text), out)
  return length === undefined ? undefined : out.subarray(0, length)
}

function writtenByDefinition(bytes: Uint8Array): string {
  const bits = [...bytes].map(byte => byte.toString(2).padStart(8, '0')).join('')
  const fives = bits.match(/.{1,5}/g) ?? []
  return fives.map(five => alphabet.charAt(Number.parseInt(five.padEnd(5, '0'), 2))).join('')
}

function readByDefinition(text: string): Uint8Array {
  const bits = [...text].map(letter => alphabet.indexOf(letter).toString(2).padStart(5, '0'))
  const eights = bits.join('').match(/.{8}/g) ?? []
  return Uint8Array.from(eights, eight => Number.parseInt(eight, 2))
}
