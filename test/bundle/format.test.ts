import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { KmsError } from '../../src/base/errors.ts'
import {
  decodeSigned,
  decodeUnsigned,
  encodeSigned,
  encodeUnsigned,
} from '../../src/bundle/format.ts'
import { decodeWalletList } from '../../src/bundle/wallet-list.ts'
import { ethPayment, pendingIdOf } from '../support/payments.ts'

const head = { vaultId: '0f'.repeat(16), network: 'mainnet' } as const
const unsigned = {
  ...head,
  madeAt: '2026-01-31T12:00:00.000Z',
  payments: [{ pending: ethPayment(1), completion: { nonce: '7' } }],
}
const signed = {
  ...head,
  payments: [
    {
      id: pendingIdOf(1),
      chain: 'ETH',
      contents: 'ab'.repeat(32),
      withdrawalId: null,
      txData: '0x01',
      txId: '0x02',
    },
  ],
}

describe('a bundle', () => {
  test('comes back as it was written', () => {
    expect(decodeUnsigned(encodeUnsigned(unsigned))).toEqual(unsigned)
    expect(decodeSigned(encodeSigned(signed))).toEqual(signed)
  })

  test('of one kind is none of the other', () => {
    expect(() => decodeSigned(encodeUnsigned(unsigned))).toThrow('no tatum-kms signed bundle')
    expect(() => decodeUnsigned(encodeSigned(signed))).toThrow('no tatum-kms unsigned bundle')
  })

  const twin = unsigned.payments[0]
  const many = { length: 10_001 }
  test.each([
    ['of another version', { version: 2 }],
    ['of a network nobody knows', { network: 'moonnet' }],
    ['with another vault id', { vaultId: '../..' }],
    ['without a date', { madeAt: null }],
    ['with a payment twice', { payments: [twin, twin] }],
    ['with too many payments', { payments: Array.from(many, () => twin) }],
    ['with a payment without id', { payments: [{ pending: {}, completion: {} }] }],
    ['with no payment', { payments: {} }],
    ['with a completion that is none', { payments: [{ ...twin, completion: { nonce: 7 } }] }],
    [
      'with a completion of names that mean something',
      { payments: [JSON.parse('{"pending":{"id":"1"},"completion":{"__proto__":"x"}}')] },
    ],
  ])('%s is refused', (_, change) => {
    const text = JSON.stringify({ ...JSON.parse(encodeUnsigned(unsigned)), ...change })
    expect(() => decodeUnsigned(text)).toThrow(KmsError)
  })

  test.each([
    ['id', '../../etc/passwd'],
    ['chain', 'eth/../'],
    ['contents', 'zz'],
    ['txData', '\u001b[2J'],
    ['txData', 'x'.repeat(2_000_001)],
    ['txId', ''],
    ['withdrawalId', '\n'],
  ])('with bytes whose %s is odd is refused', (name, value) => {
    const payments = [{ ...signed.payments[0], [name]: value }]
    const text = JSON.stringify({ ...JSON.parse(encodeSigned(signed)), payments })
    expect(() => decodeSigned(text)).toThrow('the bundle is malformed')
  })
})

test('whatever a file holds, it is read or refused', () => {
  const member = (name: string, value: fc.Arbitrary<unknown>) =>
    fc
      .constantFrom(unsigned, signed)
      .chain(bundle => value.map(odd => ({ ...bundle, [name]: odd })))
  const heads = fc.constantFrom(
    { format: 'tatum-kms unsigned bundle', version: 1 },
    { format: 'tatum-kms signed bundle', version: 1 },
  )
  const near = fc
    .tuple(heads, fc.constantFrom('vaultId', 'network', 'madeAt', 'payments'), fc.jsonValue())
    .chain(([first, name, odd]) =>
      member(name, fc.constant(odd)).map(rest => ({ ...first, ...rest })),
    )
  const text = fc.oneof(
    fc.string(),
    fc.json(),
    near.map(value => JSON.stringify(value)),
  )
  fc.assert(
    fc.property(text, content => {
      for (const read of [decodeUnsigned, decodeSigned, decodeWalletList]) {
        try {
          read(content)
        } catch (thrown) {
          expect(thrown).toBeInstanceOf(KmsError)
        }
      }
    }),
  )
})
