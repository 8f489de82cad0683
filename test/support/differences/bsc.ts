import { expect } from 'bun:test'
import { type Judge, sentEvm } from '../outcome.ts'

export const bsc: Readonly<Record<string, Judge>> = {
  'BSC estimate-fails-although-gas-given': did => {
    expect(sentEvm(did)).toMatchObject({
      type: 'legacy',
      chainId: 56,
      nonce: 7,
      gas: 21_000n,
      gasPrice: 5_000_000_000n,
      to: '0x687422eea2cb73b5d3e242ba5456b782919afc85',
      value: 1n,
    })
  },
}
