import { expect } from 'bun:test'
import { readAlgo } from '../algorand.ts'
import { expectDenied, type Judge, sentData } from '../outcome.ts'

const own = Buffer.from('69489f6bf6c92462883cab7f91d4ff50c88804b6285a9b7fbc331c0d56610d72', 'hex')
const other = Buffer.from('ca4b90c7d756bf9b0e1f9b12276518aed56fa33795175327b437d6c50b34707a', 'hex')
const assetId = 10_458_941n

/** In every one of them; the fee is the one that was given, not multiplied by the size. */
const common = {
  snd: own,
  fee: 1_000n,
  fv: 21_000_000n,
  lv: 21_001_000n,
  gen: 'testnet-v1.0',
  gh: Buffer.from('SGO1GKSzyE7IEPItTxCByw9x8FmnrCDexi9/cOUJOiI=', 'base64'),
}

export const algo: Readonly<Record<string, Judge>> = {
  'ALGO asset transfer (axfer), suggested params of the node (fee per byte 0 => 1000; DEFECT fee is multiplied by size again)':
    isSent({ type: 'axfer', arcv: other, aamt: 250n, xaid: assetId }),
  'ALGO asset create (no "to" => TypeError)': isSent({
    type: 'acfg',
    apar: {
      t: 1_000_000n,
      dc: 6n,
      un: 'UNIT',
      an: 'Name',
      au: 'https://example.org',
      m: own,
      r: own,
      f: own,
      c: own,
    },
  }),
  'ALGO asset destroy (no "to")': isSent({ type: 'acfg', caid: assetId }),
  'ALGO payment with closeRemainderTo (object not re-encoded)': expectDenied,
  'ALGO rekey request is silently dropped': expectDenied,
}

function isSent(fields: Readonly<Record<string, unknown>>): Judge {
  return did => {
    expect<unknown>(readAlgo(sentData(did)).txn).toEqual({ ...common, ...fields })
  }
}
