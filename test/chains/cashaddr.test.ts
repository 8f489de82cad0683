import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { fromHex, hex } from '../../src/base/bytes.ts'
import { encodeCashaddr } from '../../src/chains/codec/cashaddr.ts'
import { cashaddr } from '../support/cashaddr.ts'

const numRuns = Number(process.env['FC_NUM_RUNS'] ?? 100)
const f5bf = 'f5bf48b397dae70be82b3cca4793f8eb2b6cdac9'

/**
 * The tables of https://github.com/bitcoincashorg/bitcoincash.org, spec/cashaddr.md; the last three
 * of CHIP-2022-02 (cashtokens), test-vectors/cashaddr.json.
 */
const vectors: readonly (readonly [string, 'P2PKH' | 'P2SH', string, string])[] = [
  ['bitcoincash', 'P2PKH', f5bf, 'bitcoincash:qr6m7j9njldwwzlg9v7v53unlr4jkmx6eylep8ekg2'],
  ['bchtest', 'P2SH', f5bf, 'bchtest:pr6m7j9njldwwzlg9v7v53unlr4jkmx6eyvwc0uz5t'],
  ['pref', 'P2SH', f5bf, 'pref:pr6m7j9njldwwzlg9v7v53unlr4jkmx6ey65nvtks5'],
  [
    'bitcoincash',
    'P2SH',
    '76a04053bda0a88bda5177b86a15c3b29f559873',
    'bitcoincash:ppm2qsznhks23z7629mms6s4cwef74vcwvn0h829pq',
  ],
  [
    'bitcoincash',
    'P2SH',
    'cb481232299cd5743151ac4b2d63ae198e7bb0a9',
    'bitcoincash:pr95sy3j9xwd2ap32xkykttr4cvcu7as4yc93ky28e',
  ],
  [
    'bitcoincash',
    'P2SH',
    '011f28e473c95f4013d7d53ec5fbc3b42df8ed10',
    'bitcoincash:pqq3728yw0y47sqn6l2na30mcw6zm78dzq5ucqzc37',
  ],
  [
    'bitcoincash',
    'P2PKH',
    '76a04053bda0a88bda5177b86a15c3b29f559873',
    'bitcoincash:qpm2qsznhks23z7629mms6s4cwef74vcwvy22gdx6a',
  ],
  [
    'bitcoincash',
    'P2PKH',
    'fc916f213a3d7f1369313d5fa30f6168f9446a2d',
    'bitcoincash:qr7fzmep8g7h7ymfxy74lgc0v950j3r2959lhtxxsl',
  ],
  [
    'bitcoincash',
    'P2SH',
    '0000000000000000000000000000123456789000000000000000000000000000',
    'bitcoincash:pvqqqqqqqqqqqqqqqqqqqqqqzg69v7ysqqqqqqqqqqqqqqqqqqqqqpkp7fqn0',
  ],
  [
    'bitcoincash',
    'P2SH',
    '44'.repeat(32),
    'bitcoincash:pdzyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3jh2p5nn',
  ],
]

describe('the address of a hash', () => {
  test.each(vectors)('with prefix %s, of %s %s is %s', (prefix, type, hash, address) => {
    expect(encodeCashaddr(prefix, type, fromHex(hash) ?? new Uint8Array())).toBe(address)
    expect(cashaddr({ prefix, type, hash })).toBe(address)
  })

  test('is the same by the algebra of the specification', () => {
    const hash = fc
      .constantFrom(20, 32)
      .chain(length => fc.uint8Array({ minLength: length, maxLength: length }))
    const type = fc.constantFrom('P2PKH', 'P2SH')
    const prefix = fc.constantFrom('bitcoincash', 'bchtest', 'x')
    const check = (prefix: string, type: 'P2PKH' | 'P2SH', hash: Uint8Array) =>
      expect(encodeCashaddr(prefix, type, hash)).toBe(cashaddr({ prefix, type, hash: hex(hash) }))
    fc.assert(fc.property(prefix, type, hash, check), { numRuns })
  })

  test.each([0, 1, 19, 21, 24, 31, 33, 64])('of %d bytes there is none', length => {
    expect(encodeCashaddr('bitcoincash', 'P2PKH', new Uint8Array(length))).toBeUndefined()
  })
})
