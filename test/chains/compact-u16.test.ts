import { expect, test } from 'bun:test'
import { readBytes } from '../../src/base/binary.ts'
import { hex } from '../../src/base/bytes.ts'
import { encodeCompactU16, readCompactU16 } from '../../src/chains/codec/compact-u16.ts'

/** Solana, short_vec.rs: `test_short_vec_encode_len` and `test_short_vec_decode_len`. */
const vectors = [
  [0x0, '00'],
  [0x7f, '7f'],
  [0x80, '8001'],
  [0xff, 'ff01'],
  [0x100, '8002'],
  [0x7fff, 'ffff01'],
  [0x200000 - 0x1f0001, 'ffff03'],
] as const

test.each(vectors)('%d is written %s', (value, bytes) => {
  expect(hex(encodeCompactU16(value))).toBe(bytes)
  expect(read(bytes)).toBe(value)
})

test('every number of 16 bits is read as it was written', () => {
  for (let value = 0; value < 2 ** 16; value += 7) {
    expect(read(hex(encodeCompactU16(value)))).toBe(value)
  }
})

test.each([
  '',
  '80',
  'ffff',
  '8000',
  '808000',
  'ff8000',
  '80808000',
  'ffff04',
  'ffffff',
  'ffffff01',
])('%s is no length', bytes => {
  expect(() => read(bytes)).toThrow(/^(too short|broken)$/)
})

function read(bytes: string): number {
  const reader = readBytes(Buffer.from(bytes, 'hex'), () => new Error('too short'))
  return readCompactU16(reader, () => new Error('broken'))
}
