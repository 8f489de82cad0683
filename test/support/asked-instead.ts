import type { RecordedExchange } from './recorded-cases.ts'

/** What we ask where the original asks for something else, with the answers: `CHAIN case` → both. */
export const askedInstead: Readonly<Record<string, readonly RecordedExchange[]>> = {
  // Not a gas station outside of Tatum.
  'MATIC missing-gasPrice': [
    {
      request: 'POST /v3/polygon/web3/{apiKey}',
      jsonrpc: { method: 'eth_gasPrice', params: [] },
      result: '0xd57589d00',
    },
  ],
}
