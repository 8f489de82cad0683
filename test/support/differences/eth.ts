import { expect } from 'bun:test'
import { type Judge, sentData, sentEvm } from '../outcome.ts'
import { recordedCases } from '../recorded-cases.ts'

export const eth: Readonly<Record<string, Judge>> = {
  'ETH nonce-0-is-refetched': did => {
    const tx = sentEvm(did)
    expect(tx).toMatchObject({ type: 'legacy', gas: 21_000n, gasPrice: 20_000_000_000n })
    expect(tx.nonce ?? 0).toBe(0)
  },
  'ETH gasLimit-alias-decimal': did => {
    const hex = recordedCases('ETH').find(({ case: name }) => name === 'gasLimit-alias')
    expect(sentData(did)).toBe(hex?.expected.txData ?? '')
  },
  'ETH eip1559': did => {
    expect(sentEvm(did)).toMatchObject({
      type: 'eip1559',
      chainId: 1,
      nonce: 7,
      gas: 21_000n,
      maxFeePerGas: 40_000_000_000n,
      maxPriorityFeePerGas: 1_000_000_000n,
      value: 1n,
    })
  },
}
