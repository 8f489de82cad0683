import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { fromHex, hex } from '../../src/base/bytes.ts'
import { decodeBech32, encodeBech32 } from '../../src/chains/codec/bech32.ts'
import { bech32Of } from '../support/bech32.ts'

fc.configureGlobal({ numRuns: Number(process.env['FC_NUM_RUNS'] ?? 100) })

const letters = 'qpzry9x8gf2tvdw0s3jn54khce6mua7l'
/** BIP-173's valid strings that hold whole bytes, in lower case, with what they hold. */
const vectors = [
  ['a', '', 'a12uel5l'],
  [
    'abcdef',
    '00443214c74254b635cf84653a56d7c675be77df',
    'abcdef1qpzry9x8gf2tvdw0s3jn54khce6mua7lmqqqxw',
  ],
  [
    'split',
    'c5f38b70305f519bf66d85fb6cf03058f3dde463ecd7918f2dc743918f2d',
    'split1checkupstagehandshakeupstreamerranterredcaperred2y9e3w',
  ],
  // Of the Beacon Chain and of MultiversX, as recorded and as in protocol 0.6.
  [
    'tbnb',
    '19ae2a31acaa58d913274180c4b1e46214f92fee',
    'tbnb1rxhz5vdv4fvdjye8gxqvfv0yvg20jtlw8qq48u',
  ],
] as const
/** BIP-173's invalid strings, and others that nobody writes. */
const invalid = [
  '',
  'a',
  'a1',
  'a12uel5',
  'A12UEL5L',
  'a12ueL5l',
  'a12uel5l ',
  'a12uel5b',
  'a12uel5m',
  'pzry9x0s0muk',
  '1pzry9x0s0muk',
  'x1b4n0q5v',
  'li1dgmt3',
  `de1lg7wt${'\xff'}`,
  'split1cheo2y9e2w',
  '10a06t8',
  '1qzzfhee',
]

describe('bech32', () => {
  test.each(vectors)('of %s and %p is %s', (prefix, bytes, text) => {
    expect(encodeBech32(prefix, fromHex(bytes) ?? Uint8Array.of())).toBe(text)
    expect(hex(decodeBech32(prefix, text) ?? Uint8Array.of(0))).toBe(bytes)
  })

  test.each(invalid)('is not %p', text => {
    for (const prefix of ['a', 'x', 'li', 'de', 'split', '1', 'pzry9x0s0muk']) {
      expect(decodeBech32(prefix, text)).toBeUndefined()
    }
  })

  test('of any bytes is what the algebra of BIP-173 says, and is read back', () => {
    const prefix = fc.constantFrom('bnb', 'tbnb', 'erd', 'addr_test', 'a1b')
    fc.assert(
      fc.property(prefix, fc.uint8Array({ maxLength: 60 }), (name, bytes) => {
        const text = encodeBech32(name, bytes)
        expect(text).toBe(bech32Of(name, bytes))
        expect(decodeBech32(name, text, 120)).toEqual(bytes)
        expect(decodeBech32(`${name}x`, text, 120)).toBeUndefined()
      }),
    )
  })

  test('with up to four letters changed is refused', () => {
    const text = encodeBech32('bnb', new Uint8Array(20).fill(7))
    const change = fc.tuple(
      fc.integer({ min: 4, max: text.length - 1 }),
      fc.constantFrom(...letters),
    )
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), changes => {
        const spoilt = [...text]
        for (const [at, letter] of changes) spoilt[at] = letter
        if (spoilt.join('') === text) return
        expect(decodeBech32('bnb', spoilt.join(''))).toBeUndefined()
      }),
    )
  })

  test('is 90 characters long at most, unless its chain has longer ones', () => {
    const longest = encodeBech32('bnb', new Uint8Array(50))
    expect(longest).toHaveLength(90)
    expect(decodeBech32('bnb', longest)).toHaveLength(50)
    const longer = encodeBech32('addr', new Uint8Array(57))
    expect(decodeBech32('addr', longer)).toBeUndefined()
    expect(decodeBech32('addr', longer, 150)).toHaveLength(57)
  })

  test('has no digits left over, and zeros where its last group is filled up', () => {
    const polymod = [0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3]
    const spell = (digits: readonly number[]) => {
      const step = (state: number, digit: number) =>
        polymod.reduce(
          (sum, generator, bit) => (((state >> 25) >> bit) & 1 ? sum ^ generator : sum),
          ((state & 0x1ffffff) << 5) ^ digit,
        )
      const rest = [3, 0, 1, ...digits, 0, 0, 0, 0, 0, 0].reduce(step, 1) ^ 1
      const check = [5, 4, 3, 2, 1, 0].map(place => (rest >> (5 * place)) & 31)
      return `a1${[...digits, ...check].map(digit => letters[digit]).join('')}`
    }
    expect(decodeBech32('a', spell([31, 28]))).toEqual(Uint8Array.of(255))
    for (const digits of [[31], [31, 29], [31, 17], [31, 28, 0]]) {
      expect(decodeBech32('a', spell(digits))).toBeUndefined()
    }
  })
})
