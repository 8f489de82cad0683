import { expect } from 'bun:test'
import { type Judge, sentEvm } from '../outcome.ts'

export const matic: Readonly<Record<string, Judge>> = {
  'MATIC missing-gasPrice': did => {
    expect(sentEvm(did)).toMatchObject({
      type: 'legacy',
      chainId: 137,
      nonce: 7,
      gas: 21_000n,
      gasPrice: 57_300_000_000n,
      to: '0x687422eea2cb73b5d3e242ba5456b782919afc85',
      value: 10n ** 18n,
    })
  },
  'MATIC eip1559': did => {
    expect(sentEvm(did)).toMatchObject({
      type: 'eip1559',
      chainId: 137,
      nonce: 7,
      gas: 21_000n,
      maxFeePerGas: 40_000_000_000n,
      maxPriorityFeePerGas: 30_000_000_000n,
      to: '0x687422eea2cb73b5d3e242ba5456b782919afc85',
      value: 1n,
    })
  },
}
