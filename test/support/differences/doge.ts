import { expect } from 'bun:test'
import { settle } from '../fake-chains/bitcoin-like.ts'
import { type Judge, type Outcome, sentData } from '../outcome.ts'
import type { RecordedCase } from '../recorded-cases.ts'

export const doge: Readonly<Record<string, Judge>> = {
  'DOGE dust-output': expectPaid,
  'DOGE fee-too-small': expectPaid,
  // 10 DOGE for 192 bytes; the limit is 40 for 1,000 (DESIGN 6).
  'DOGE fee-too-large': (did, { pending }) => {
    expect({ said: did.said, status: did.status }).toMatchObject({ status: 20 })
    expect(did.broadcasts).toEqual([])
    expect(did.reports).toEqual([
      { signatureId: pending.id, error: expect.stringMatching(/fee of 1000000000 DOGE .* limit/) },
    ])
  },
}

/** The limits of the original are not the network's: what was asked for is signed. */
function expectPaid(did: Outcome, { pending, network }: RecordedCase): void {
  const { paid } = settle('DOGE', sentData(did), pending, network)
  expect(paid.length).toBeGreaterThan(0)
}
