import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { toHex, toRlp } from 'viem/utils'
import { fromHex } from '../../src/base/bytes.ts'
import { decodeRlp, type Rlp } from '../../src/chains/codec/rlp.ts'

type Nested = `0x${string}` | readonly Nested[]

const numRuns = Number(process.env['FC_NUM_RUNS'] ?? 100)
const bytes = fc.oneof(
  fc.uint8Array({ maxLength: 3 }),
  fc.uint8Array({ minLength: 50, maxLength: 60 }),
  fc.uint8Array({ minLength: 250, maxLength: 300 }),
)
const item = fc.oneof(bytes, fc.array(bytes), fc.array(fc.array(bytes)))

describe('RLP', () => {
  test('what viem writes is read back', () => {
    const check = (value: Rlp) => expect(decodeRlp(encode(value))).toEqual(value)
    fc.assert(fc.property(item, check), { numRuns })
  })

  test('bytes are read only in the one spelling they have', () => {
    const start = fc.constantFrom(0x00, 0x7f, 0x80, 0x81, 0xb7, 0xb8, 0xb9, 0xc0, 0xc1, 0xf8, 0xf9)
    const spelling = fc.tuple(start, fc.uint8Array({ maxLength: 80 }))
    const check = ([first, rest]: readonly [number, Uint8Array]) => {
      const text = Uint8Array.of(first, ...rest)
      const value = decodeRlp(text)
      if (value !== undefined) expect(encode(value)).toEqual(text)
    }
    fc.assert(fc.property(spelling, check), { numRuns: 10 * numRuns })
  })

  test.each([
    ['nothing', ''],
    ['a byte in the form of a string', '8100'],
    ['a short string in the long form', 'b80161'],
    ['a long length with a leading zero', `b90038${'61'.repeat(56)}`],
    ['a string that ends early', '8261'],
    ['a list that ends early', 'c261'],
    ['an item that leaves its list', 'c18261'],
    ['a length that ends early', 'b9'],
    ['a length of eight bytes', 'bfffffffffffffffff'],
    ['something after the item', 'c000'],
    ['lists deeper than any envelope', 'c4c3c2c1c0'],
  ])('%s is not RLP', (_what, text) => {
    expect(decodeRlp(fromHex(text) ?? new Uint8Array())).toBeUndefined()
  })
})

function encode(value: Rlp): Uint8Array {
  return fromHex(toRlp(nested(value)).slice(2)) ?? new Uint8Array()
}

function nested(value: Rlp): Nested {
  return value instanceof Uint8Array ? toHex(value) : value.map(nested)
}
