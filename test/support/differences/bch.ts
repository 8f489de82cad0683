import { expect } from 'bun:test'
import { type Judge, sentData } from '../outcome.ts'
import { recordedCases } from '../recorded-cases.ts'

export const bch: Readonly<Record<string, Judge>> = {
  // The same inputs and outputs as in the case that shows what was meant.
  'BCH 2in-same-key': (did, { pending }) => {
    const intended = recordedCases('BCH').find(({ case: name }) => name === '2in-same-key-intended')
    expect(intended?.pending.serializedTransaction).toBe(pending.serializedTransaction)
    expect(sentData(did)).toBe(intended?.expected.txData ?? '')
  },
}
