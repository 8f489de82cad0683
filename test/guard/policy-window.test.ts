import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { createSums } from '../../src/guard/policy-sums.ts'
import { createRollingSum } from '../../src/guard/policy-window.ts'
import { output, payment, policyOf, walletA, walletB } from '../support/policies.ts'

const hour = 3_600_000

describe('a rolling sum', () => {
  test('forgets what is as old as the window, and not before', () => {
    const sum = createRollingSum(hour)
    sum.add(0, 5n)
    sum.add(hour / 2, 7n)
    expect(sum.sum(0)).toBe(12n)
    expect(sum.sum(hour - 1)).toBe(12n)
    expect(sum.sum(hour + hour / 100)).toBe(7n)
    expect(sum.sum(hour * 1.51)).toBe(0n)
  })

  /** Every addition kept, and looked through each time. */
  const naive = (added: readonly Added[], from: number) =>
    added.reduce((total, { at, amount }) => (at > from ? total + amount : total), 0n)

  type Added = { readonly at: number; readonly amount: bigint }

  test('is never below that of all that was added in the window, nor above a hundredth more', () => {
    const step = fc.record({
      pause: fc.oneof(fc.constant(0), fc.nat(1_000), fc.nat(hour), fc.nat(3 * hour)),
      amount: fc.bigInt({ min: 0n, max: 2n ** 100n }),
    })
    const windows = fc.constantFrom(60_000, 90 * 60_000, 24 * hour, 31 * 24 * hour)
    fc.assert(
      fc.property(windows, fc.array(step, { maxLength: 200 }), (ms, steps) => {
        const sum = createRollingSum(ms)
        const added: Added[] = []
        let at = 1_700_000_000_000
        for (const { pause, amount } of steps) {
          at += pause
          const answered = sum.sum(at)
          expect(answered).toBeGreaterThanOrEqual(naive(added, at - ms))
          expect(answered).toBeLessThanOrEqual(naive(added, at - ms - Math.ceil(ms / 100) - 1))
          sum.add(at, amount)
          added.push({ at, amount })
        }
      }),
    )
  })
})

describe('the sums of caps', () => {
  const { caps } = policyOf({
    cap: [
      { name: 'all', asset: 'ETH', window: '1h', total: 1 },
      { name: 'each', asset: 'ETH', window: '1h', total: 1, each: 'wallet' },
      { name: 'b', asset: 'ETH', window: '1h', total: 1, wallets: [walletB] },
      { name: 'btc', asset: 'BTC', window: '1h', total: 1 },
      { name: 'none', asset: 'ETH', transaction: 1 },
    ],
  })
  const spent = (sums: ReturnType<typeof createSums>, now: number) =>
    Object.fromEntries(
      caps.map(cap => [
        cap.name,
        ['', walletA, walletB].map(owner => Number(sums.spentAt(now)(cap, owner))),
      ]),
    )

  test('are those of who signs, and hold each payment once', () => {
    const sums = createSums(caps)
    sums.count(payment(), 0)
    sums.count(payment({ wallets: [walletA, walletB] }), 1)
    sums.count(payment({ outputs: [output({ own: true })] }), 2)
    expect(spent(sums, 3)).toEqual({
      all: [107 + 107 + 7, 0, 0],
      each: [0, 107 + 107 + 7, 107],
      b: [107, 0, 0],
      btc: [0, 0, 0],
      none: [0, 0, 0],
    })
  })

  test('of wallets that are idle are forgotten, and those of others not', () => {
    const sums = createSums(caps)
    const walletOf = (n: number) => `${n}`.padStart(36, '0')
    for (let n = 0; n < 5_000; n++) sums.count(payment({ wallets: [walletOf(n)] }), n * 60_000)
    const now = 4_999 * 60_000
    const [, each] = caps
    if (each === undefined) throw new Error('there is a cap')
    expect(sums.spentAt(now)(each, walletOf(4_990))).toBe(107n)
    expect(sums.spentAt(0)(each, walletOf(0))).toBe(0n)
  })
})
