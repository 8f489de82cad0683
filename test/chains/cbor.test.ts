import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { type Cbor, decodeCbor } from '../../src/chains/codec/cbor.ts'
import { cborOf, head, type Value } from '../support/cbor.ts'

fc.configureGlobal({ numRuns: Number(process.env['FC_NUM_RUNS'] ?? 100) })

describe('the examples of RFC 8949, appendix A', () => {
  const examples: readonly (readonly [hex: string, value: Value])[] = [
    ['00', 0n],
    ['17', 23n],
    ['1818', 24n],
    ['1903e8', 1000n],
    ['1a000f4240', 1_000_000n],
    ['1b000000e8d4a51000', 1_000_000_000_000n],
    ['1bffffffffffffffff', 18_446_744_073_709_551_615n],
    ['3bffffffffffffffff', -18_446_744_073_709_551_616n],
    ['20', -1n],
    ['3903e7', -1000n],
    ['f4', false],
    ['f5', true],
    ['f6', null],
    ['c11a514b67b0', { tag: 1n, item: 1_363_896_240n }],
    ['4401020304', Buffer.of(1, 2, 3, 4)],
    ['6449455446', 'IETF'],
    ['62c3bc', 'ü'],
    ['64f0908591', '\u{10151}'],
    ['8301820203820405', [1n, [2n, 3n], [4n, 5n]]],
    [
      'a201020304',
      new Map<Value, Value>([
        [1n, 2n],
        [3n, 4n],
      ]),
    ],
    [
      'a26161016162820203',
      new Map<Value, Value>([
        ['a', 1n],
        ['b', [2n, 3n]],
      ]),
    ],
  ]

  test.each(examples)('%s is read', (hex, value) => {
    expect(plain(read(hex))).toEqual(value)
  })

  const others = [
    ['f90000', 'half floats'],
    ['fb3ff199999999999a', 'doubles'],
    ['f0', 'simple values that mean nothing'],
    ['f8ff', 'simple values in two bytes'],
    ['5f42010243030405ff', 'strings in parts'],
    ['7f657374726561646d696e67ff', 'texts in parts'],
    ['9fff', 'lists of indefinite length'],
    ['83018202039f0405ff', 'lists of indefinite length inside of others'],
    ['bf61610161629f0203ffff', 'maps of indefinite length'],
  ] as const
  test.each(others)('%s is refused: %s are not Cardano', hex => {
    expect(read(hex)).toBeUndefined()
  })
})

describe('bytes that are not one item in its one spelling are refused', () => {
  const broken = {
    'nothing at all': '',
    'numbers longer than they need to be': head(0, 23, 1),
    'numbers of two bytes that fit in one': head(0, 255, 2),
    'numbers of four bytes that fit in two': head(0, 65_535, 4),
    'numbers of eight bytes that fit in four': head(0, 2 ** 32 - 1, 8),
    'lengths longer than they need to be': `${head(2, 1, 1)}00`,
    'counts longer than they need to be': `${head(4, 1, 1)}00`,
    'tags longer than they need to be': `${head(6, 2, 2)}40`,
    'heads of a reserved form': '1c',
    'a break on its own': 'ff',
    'a number that is cut off': '1903',
    'a string that is cut off': '43ffff',
    'a list that is cut off': '8201',
    'a map without its last value': 'a101',
    'a tag of nothing': 'c1',
    'a string longer than memory': head(2, 2n ** 63n),
    'a list longer than memory': head(4, 2n ** 63n),
    'bytes behind the item': '0000',
    'text that is no UTF-8': '62c328',
    'a key that stands twice': 'a201000100',
    'a key that stands twice, as a list': 'a28101008101 00'.replace(' ', ''),
  }
  test.each(Object.entries(broken))('%s', (_, hex) => {
    expect(read(hex)).toBeUndefined()
  })

  test('the longer of two spellings is what is refused', () => {
    expect(read(head(0, 24, 1))).toBeDefined()
    expect(read(head(0, 256, 2))).toBeDefined()
    expect(read(head(0, 65_536, 4))).toBeDefined()
    expect(read(head(0, 2 ** 32, 8))).toBeDefined()
  })
})

test('nesting is read to a depth of 16, and no deeper', () => {
  expect(read(`${'81'.repeat(16)}00`)).toBeDefined()
  expect(read(`${'81'.repeat(17)}00`)).toBeUndefined()
  expect(read(`${'c1'.repeat(17)}00`)).toBeUndefined()
})

test('half a megabyte of anything is refused at once', () => {
  const shapes = ['81', 'c1', 'a1', '00', 'ff', '80', '9f', 'a0']
  const large = [
    ...shapes.map(shape => shape.repeat(500_000)),
    head(2, 499_995) + '00'.repeat(499_995),
    head(4, 499_995) + '00'.repeat(499_995),
    head(4, 250_000) + '80'.repeat(250_000),
    head(5, 100_000) + '0000'.repeat(100_000),
  ]
  for (const hex of large) {
    const bytes = Buffer.from(hex, 'hex')
    const start = performance.now()
    expect(decodeCbor(bytes)).toBeUndefined()
    expect(performance.now() - start).toBeLessThan(1_000)
  }
})

const leaf: fc.Arbitrary<Value> = fc.oneof(
  fc.bigInt({ min: -(2n ** 64n), max: 2n ** 64n - 1n }),
  fc.bigInt({ min: -300n, max: 300n }),
  fc.uint8Array({ maxLength: 300 }).map(bytes => Buffer.from(bytes)),
  fc.string({ maxLength: 30 }),
  fc.boolean(),
  fc.constant(null),
)
const values = fc.letrec<{ value: Value }>(tie => ({
  value: fc.oneof(
    { maxDepth: 5, depthSize: 'small' },
    leaf,
    fc.array(tie('value'), { maxLength: 30 }),
    fc
      .uniqueArray(fc.tuple(leaf, tie('value')), { selector: ([key]) => cborOf(key), maxLength: 9 })
      .map(entries => new Map<Value, Value>(entries)),
    fc.record({ tag: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), item: tie('value') }),
  ),
})).value

test('what another writer writes is read, and every item has its own bytes', () => {
  fc.assert(
    fc.property(values, value => {
      const item = read(cborOf(value))
      expect(plain(item)).toEqual(value)
      expectRaw(item, value)
    }),
  )
})

test('bytes are read in one way only: what is read would be written just so', () => {
  const noise = fc.oneof(
    fc.uint8Array({ maxLength: 40 }).map(bytes => Buffer.from(bytes).toString('hex')),
    fc.tuple(values, fc.nat(), fc.nat(255)).map(([value, at, byte]) => {
      const bytes = Buffer.from(cborOf(value), 'hex')
      bytes[at % bytes.length] = byte
      return bytes.toString('hex')
    }),
  )
  fc.assert(
    fc.property(noise, hex => {
      const item = read(hex)
      if (item !== undefined && !hex.includes('f7')) expect(cborOf(plain(item))).toBe(hex)
    }),
  )
})

function read(hex: string): Cbor | undefined {
  return decodeCbor(Buffer.from(hex, 'hex'))
}

function plain(item: Cbor | undefined): Value {
  switch (item?.kind) {
    case 'integer':
      return item.value
    case 'bytes':
      return Buffer.from(item.bytes)
    case 'text':
      return item.text
    case 'list':
      return item.items.map(plain)
    case 'map':
      return new Map(item.entries.map(([key, value]) => [plain(key), plain(value)]))
    case 'tag':
      return { tag: item.tag, item: plain(item.item) }
    case 'simple':
      return item.value ?? null
    default:
      throw new Error('nothing was read')
  }
}

function expectRaw(item: Cbor | undefined, value: Value): void {
  if (item === undefined) throw new Error('nothing was read')
  expect(Buffer.from(item.raw).toString('hex')).toBe(cborOf(value))
  if (item.kind === 'list') for (const one of item.items) expectRaw(one, plain(one))
}
