import { afterAll, expect, test } from 'bun:test'
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { startSigner } from '../support/in-process-signer.ts'
import { filledEthPayment, wallets } from '../support/payments.ts'
import { policyOf } from '../support/policies.ts'
import { storeWallets } from '../support/test-vault.ts'

const template = mkdtempSync(join(tmpdir(), 'kms-windows-'))
await storeWallets(template, [wallets.ethMnemonic])
afterAll(() => rmSync(template, { recursive: true }))

const hour = 3_600_000
const cost = (n: number): bigint => 21_000n * 2_000_000_000n + 1_000n + BigInt(n)
/** Five payments fit. */
const total = cost(100) * 5n
const policy = policyOf({
  default: 'allow',
  cap: [{ name: 'a day', asset: 'ETH', window: '24h', total: `${total}` }],
})

/** Payments that are asked for at once, after some time, by a signer that may be another one. */
const step = fc.record({
  pause: fc.oneof(fc.nat(hour), fc.nat(30 * hour)),
  isRestarted: fc.boolean(),
  batch: fc.integer({ min: 1, max: 4 }),
})

test('windows let through what somebody who looks through all payments would, over restarts', async () => {
  const steps = fc.array(step, { minLength: 3, maxLength: 10 })
  await fc.assert(fc.asyncProperty(steps, compare), { numRuns: 6 })
}, 20_000)

type Step = { readonly pause: number; readonly isRestarted: boolean; readonly batch: number }

async function compare(steps: readonly Step[]): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'kms-windows-'))
  cpSync(template, folder, { recursive: true })
  let clock = 1_700_000_000_000
  let asked = 0
  const settings = { now: () => clock, policy: () => policy }
  const out: { readonly at: number; readonly amount: bigint }[] = []
  const outSince = (time: number): bigint =>
    out.reduce((sum, { at, amount }) => (at > time ? sum + amount : sum), 0n)
  let signer = startSigner(folder, settings)
  try {
    for (const { pause, isRestarted, batch } of steps) {
      clock += pause
      if (isRestarted) {
        signer[Symbol.dispose]()
        signer = startSigner(folder, settings)
      }
      const first = asked
      const payments = Array.from({ length: batch }, (_, i) => {
        return { pending: filledEthPayment(first + i, first + i), completion: {} }
      })
      asked += batch
      const { results } = await signer.ask({ type: 'sign', payments })
      for (const [i, result] of results.entries()) {
        const amount = cost(first + i)
        if (result.kind === 'signed') {
          expect(outSince(clock - 24 * hour) + amount).toBeLessThanOrEqual(total)
          out.push({ at: clock, amount })
        } else {
          expect(result.code).toBe('policy-denied')
          expect(outSince(clock - 24.25 * hour) + amount).toBeGreaterThan(total)
        }
      }
    }
  } finally {
    signer[Symbol.dispose]()
    rmSync(folder, { recursive: true })
  }
}
