import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { decodeMsgpack, encodeMsgpack, type Msgpack } from '../../src/chains/codec/msgpack.ts'
import { refusal } from '../support/refusal.ts'

fc.configureGlobal({ numRuns: Number(process.env['FC_NUM_RUNS'] ?? 100) })

const text = (length: number) => 'x'.repeat(length)
const many = (count: number) =>
  new Map(Array.from({ length: count }, (_, i) => [String.fromCharCode(0x41 + i), 1n]))

// https://github.com/msgpack/msgpack/blob/master/spec.md
const spellings: readonly (readonly [Msgpack, string])[] = [
  [0n, '00'],
  [127n, '7f'],
  [128n, 'cc80'],
  [255n, 'ccff'],
  [256n, 'cd0100'],
  [65_535n, 'cdffff'],
  [65_536n, 'ce00010000'],
  [2n ** 32n, 'cf0000000100000000'],
  [2n ** 64n - 1n, 'cfffffffffffffffff'],
  [false, 'c2'],
  [true, 'c3'],
  ['', 'a0'],
  ['pay', 'a3706179'],
  ['é', 'a2c3a9'],
  [text(31), `bf${'78'.repeat(31)}`],
  [text(32), `d920${'78'.repeat(32)}`],
  [text(256), `da0100${'78'.repeat(256)}`],
  [new Uint8Array(), 'c400'],
  [new Uint8Array(32), `c420${'00'.repeat(32)}`],
  [new Uint8Array(256), `c50100${'00'.repeat(256)}`],
  [new Uint8Array(65_536), `c600010000${'00'.repeat(65_536)}`],
  [new Map(), '80'],
  [
    new Map<string, Msgpack>([
      ['b', 1n],
      ['a', 'c'],
    ]),
    '82a161a163a16201',
  ],
  [many(15), `8f${[...many(15).keys()].map(name => `a1${hexOf(name)}01`).join('')}`],
  [many(16), `de0010${[...many(16).keys()].map(name => `a1${hexOf(name)}01`).join('')}`],
]

test.each(spellings.map(([value, hex]) => [hex.slice(0, 18), value, hex] as const))(
  '%s is the shortest form of a value',
  (_start, value, hex) => {
    const bytes = encodeMsgpack(value)
    expect(Buffer.from(bytes).toString('hex')).toBe(hex)
    expect(decodeMsgpack(bytes)).toEqual(value)
  },
)

test.each([-1n, 2n ** 64n])('%p is no number of it', value => {
  expect(() => encodeMsgpack(value)).toThrow(refusal('unexpected'))
})

describe('bytes that are not canonical are nothing', () => {
  test.each([
    ['nothing', ''],
    ['something behind the value', '0000'],
    ['a small number in two bytes', 'cc7f'],
    ['a number with a zero before it', 'cd00ff'],
    ['a number of eight bytes that four hold', 'cf00000000ffffffff'],
    ['a short text with a length of its own', 'd903706179'],
    ['bytes with a long length', 'c5000100'],
    ['a small map with a long length', 'de000161aa01'],
    ['names out of order', '82a16201a16101'],
    ['a name that stands twice', '82a16101a16101'],
    ['a name that is a number', '810101'],
    ['text that is no UTF-8', 'a1ff'],
    ['half a surrogate pair', 'a3eda080'],
    ['a number cut off', 'cd01'],
    ['text cut off', 'a37061'],
    ['bytes cut off', 'c42000'],
    ['a map cut off', '82a16101'],
    ['lengths of four gigabytes', 'c6ffffffff'],
    ['a map of four billion', 'dfffffffff'],
    ['nil', 'c0'],
    ['a list', '9101'],
    ['a negative number', 'ff'],
    ['a negative number of one byte', 'd080'],
    ['a float', 'ca3f800000'],
    ['an extension', 'd40100'],
    ['maps in maps in maps in maps', `${'81a161'.repeat(4)}01`],
    ['maps without end', '81a161'.repeat(50_000)],
  ])('%s', (_name, hex) => {
    expect(decodeMsgpack(Uint8Array.from(Buffer.from(hex, 'hex')))).toBeUndefined()
  })

  test('so that whatever can be read is written again as it was', () => {
    const start = fc.constantFrom<readonly number[]>([0x81, 0xa1], [0x82], [0xc4], [0xcc], [])
    const bytes = fc
      .tuple(start, fc.uint8Array({ maxLength: 40 }))
      .map(([first, rest]) => Uint8Array.of(...first, ...rest))
    fc.assert(
      fc.property(bytes, given => {
        const value = decodeMsgpack(given)
        if (value !== undefined) expect(encodeMsgpack(value)).toEqual(given)
      }),
    )
  })
})

test('any value comes back, its maps in the order of their names', () => {
  const value: fc.Arbitrary<Msgpack> = fc.oneof(
    fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
    fc.boolean(),
    fc.string({ unit: 'grapheme' }),
    fc.uint8Array({ maxLength: 300 }),
  )
  const nested = fc.dictionary(fc.string({ unit: 'grapheme' }), value)
  fc.assert(
    fc.property(nested, members => {
      const map = new Map(Object.entries(members))
      const outer = new Map<string, Msgpack>([['m', map]])
      expect(decodeMsgpack(encodeMsgpack(outer))).toEqual(outer)
    }),
  )
})

test('bytes are read into arrays of their own', () => {
  const bytes = encodeMsgpack(Uint8Array.of(1, 2, 3))
  const value = decodeMsgpack(bytes)
  bytes.fill(9)
  expect(value).toEqual(Uint8Array.of(1, 2, 3))
})

function hexOf(name: string): string {
  return Buffer.from(name).toString('hex')
}
