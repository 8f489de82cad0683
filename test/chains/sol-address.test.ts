import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { tokenAccountOf } from '../../src/chains/family/sol-address.ts'
import { associatedAccount, toBase58 } from '../support/solana.ts'

const numRuns = Number(process.env['FC_NUM_RUNS'] ?? 100)

test('the token account of a recorded payment is where the original has it', () => {
  expect(
    tokenAccountOf(
      'CjrzauKUn7WuiudgSkh4wrLuMkG6H1BhQnVdKMozganK',
      '4zMMC9srt5Ri5X14GAgXhaHii3GnPAEERYPJgZJDncDU',
    ),
  ).toBe('8zNQ5cxXWUHMHSAG3tyScqp6samQErhijxdb9LJApqEu')
})

test('a token account is the first address that is no point of the curve', () => {
  const key = fc.uint8Array({ minLength: 32, maxLength: 32 }).map(toBase58)
  const check = (owner: string, mint: string) => {
    expect(tokenAccountOf(owner, mint)).toBe(associatedAccount(owner, mint))
  }
  fc.assert(fc.property(key, key, check), { numRuns: Math.min(numRuns, 200) })
})
