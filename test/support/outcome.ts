import { expect } from 'bun:test'
import { parseTransaction } from 'viem'
import type { RecordedCase } from './recorded-cases.ts'
import type { Replayed } from './replay-tatum.ts'

/** What one run of the program over a recorded case came to. */
export type Outcome = Replayed & { readonly status: number | string; readonly said: string }

/** Says what is right for one case in which the original is wrong (`differsFromOriginal`). */
export type Judge = (did: Outcome, found: RecordedCase) => void

/** Nobody could sign this. */
export function expectRefused(did: Outcome, found: RecordedCase): void {
  expectUnsent(did, found, 40)
}

/** An owner's policy could allow it. */
export function expectDenied(did: Outcome, found: RecordedCase): void {
  expectUnsent(did, found, 20)
}

/** Nothing leaves, and Tatum is told once, in a sentence. */
function expectUnsent(did: Outcome, { pending }: RecordedCase, status: number): void {
  expect({ said: did.said, status: did.status }).toMatchObject({ status })
  expect(did.broadcasts).toEqual([])
  expect(did.reports).toEqual([
    { signatureId: pending.id, error: expect.stringMatching(/^[ -~]{10,300}$/) },
  ])
  expect(did.reports[0]?.error).not.toMatch(/internal fault|TypeError|https?:/)
}

/** The one txData that was sent. */
export function sentData({ broadcasts, status, said }: Outcome): string {
  expect({ said, status }).toMatchObject({ status: 0 })
  expect(broadcasts).toHaveLength(1)
  return JSON.parse(broadcasts[0]?.body ?? '').txData
}

/** The one transaction that was sent, read by viem, which leaves out a nonce of 0. */
export function sentEvm(did: Outcome) {
  return parseTransaction(sentData(did) as `0x${string}`)
}
