import { expect } from 'bun:test'
import { withoutNonce } from '../comparisons.ts'
import { type Judge, sentData } from '../outcome.ts'

export const vet: Readonly<Record<string, Judge>> = {
  // The key is the one of VeChain's path, not of another chain's.
  'VET mnemonic wallet + index (KMS derives with Currency.BNB)': did => {
    expect(withoutNonce(sentData(did))).toEqual({
      chainTag: 0x27n,
      blockRef: '0x00dd2a5f4a4f9a8b',
      expiration: 720n,
      to: '0x5034aa590125b64023a0262112b98d72e3c8e40e',
      value: 5n,
      data: '0x',
      gasPriceCoef: 0n,
      gas: 21_000n,
      dependsOn: '0x',
      from: '0xb157e208264ff9edebbcb1d36e66d156df8afa6c',
    })
  },
}
