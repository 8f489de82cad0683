import { expect } from 'bun:test'
import { type Judge, sentData } from './outcome.ts'
import { type ReadVet, readVet } from './vechain.ts'

/** Where less than every byte of the original's counts: `expected.compare` → judge. */
export const comparisons: Readonly<Record<string, Judge>> = {
  // The nonce of the original is random, so that its signatures are, too.
  'all fields but nonce': (did, { expected, pending }) => {
    const txData = sentData(did)
    const body = JSON.stringify({ txData, signatureId: pending.id })
    expect(did.broadcasts).toEqual([{ path: expected.broadcast?.path ?? '', body }])
    expect(withoutNonce(txData)).toEqual(withoutNonce(expected.txData ?? ''))
    expect(did.reports).toEqual([])
  },
}

/** The id comes of the nonce, too. */
export function withoutNonce(txData: string): Omit<ReadVet, 'nonce' | 'txId'> {
  const { nonce: _, txId: __, ...rest } = readVet(txData)
  return rest
}
