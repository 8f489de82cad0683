import { describe, expect, test } from 'bun:test'
import type { Intent } from '../../src/base/model.ts'
import { bchPayment, prepareBch } from '../support/bch.ts'
import { prepare, transactionOf, utxoChains } from '../support/utxo.ts'

type Locks = { readonly sequence: number; readonly lockTime: number; readonly version?: number }

const final = 0xffff_ffff
const readers: readonly (readonly [string, (locks: Locks) => Intent])[] = [
  ...utxoChains.map(chain => [chain.id, (locks: Locks) => intentOn(chain, locks)] as const),
  [
    'BCH',
    ({ sequence, lockTime }) => {
      const tx = bchPayment()
      const inputs = tx.inputs.map(input => ({ ...input, sequence }))
      return prepareBch({ ...tx, inputs, lockTime }).intent
    },
  ],
]

function intentOn(chain: (typeof utxoChains)[number], { sequence, lockTime, version = 2 }: Locks) {
  const tx = transactionOf(['p2pkh', 'p2pkh'])
  const [first, ...others] = tx.inputs
  if (first === undefined) throw new Error('there is no input')
  const inputs = [{ ...first, sequenceNumber: sequence }, ...others]
  return prepare(chain, { ...tx, version, nLockTime: lockTime, inputs }).intent
}

describe.each(readers)('on %s', (id, intentOf) => {
  const said = (locks: Locks) => {
    const { outputs, notBefore } = intentOf(locks)
    const [, ...more] = outputs
    return { more, notBefore }
  }
  const note = (to: string) => ({ to, amount: 0n, asset: id, own: false })

  test.each<[string, number, number]>([
    ['nothing', final, 0],
    ['a lock time that nobody looks at', final, 900_000],
    ['a time that nobody looks at', final, 0xffff_ffff],
    ['a relative lock of nothing', 0, 0],
    ['a sequence for replacements', 0xffff_fffd, 0],
  ])('%s locks nothing', (_, sequence, lockTime) => {
    expect(said({ sequence, lockTime })).toEqual({ more: [], notBefore: undefined })
  })

  test.each<[number, number, string]>([
    [0xffff_fffe, 1, 'locked until block 1'],
    [0x8000_0001, 499_999_999, 'locked until block 499999999'],
    [144, 0, 'an input locked for 144 blocks'],
    [0x0040_000a, 0, 'an input locked for 5120 seconds'],
    // Bits without a meaning (BIP-68).
    [0x3f80_ffff, 0, 'an input locked for 65535 blocks'],
    [1, 7, 'locked until block 7, an input locked for 1 blocks'],
  ])('sequence %d with lock time %d says: %s', (sequence, lockTime, text) => {
    expect(said({ sequence, lockTime })).toEqual({ more: [note(text)], notBefore: undefined })
  })

  test('a time is said as one', () => {
    expect(said({ sequence: 0x8000_0000, lockTime: 500_000_000 })).toEqual({
      more: [],
      notBefore: 500_000_000_000,
    })
  })
})

test('before version 2, a sequence locks nothing for a while', () => {
  const [chain] = utxoChains
  expect(intentOn(chain, { sequence: 144, lockTime: 0, version: 1 }).outputs).toHaveLength(1)
  expect(intentOn(chain, { sequence: 144, lockTime: 0 }).outputs).toHaveLength(2)
})
