import { expect } from 'bun:test'
import { readEgld } from '../multiversx.ts'
import { type Judge, sentData } from '../outcome.ts'

export const egld: Readonly<Record<string, Judge>> = {
  // Not "NaN".
  'EGLD value absent (ESDT transfer as the v1 helper serializes it)': did => {
    const { signature: _, ...tx } = readEgld(sentData(did))
    expect(tx).toEqual({
      nonce: 2,
      value: '0',
      receiver: 'erd1xkrttq324elvla4kk83r6wns35cjyqw7vg5tmdfn7qmrc2drd7qswlwt6z',
      sender: 'erd1sqhjrtmsn5yjk6w85099p8v0ly0g8z9pxeqe5dvu5rlf2n7vq3vqytny9g',
      gasPrice: 1_000_000_000,
      gasLimit: 500_000,
      data: Buffer.from('ESDTTransfer@4d59544f4b2d313233343536@03e8').toString('base64'),
      chainID: '1',
      version: 1,
    })
  },
}
