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
  // The original does not come so far.
  'VET mnemonic wallet + index (KMS derives with Currency.BNB)': [
    {
      request: 'POST /accounts/*?revision=best',
      body: {
        clauses: [{ to: '0x5034aa590125b64023a0262112b98d72e3c8e40e', value: '0x5', data: '0x' }],
        caller: '0xb157e208264ff9edebbcb1d36e66d156df8afa6c',
      },
      response: [{ gasUsed: 0, reverted: false, vmError: '' }],
    },
    {
      request: 'GET /blocks/best',
      response: { id: '0x00dd2a5f4a4f9a8b1c2d3e4f5061728394a5b6c7d8e9fa0b1c2d3e4f50617283' },
    },
  ],
  // With a value that is a number.
  'EGLD value absent (ESDT transfer as the v1 helper serializes it)': [
    {
      request: 'POST /v3/egld/node/{apiKey}/transaction/cost',
      body: {
        nonce: 2,
        value: '0',
        receiver: 'erd1xkrttq324elvla4kk83r6wns35cjyqw7vg5tmdfn7qmrc2drd7qswlwt6z',
        sender: 'erd1sqhjrtmsn5yjk6w85099p8v0ly0g8z9pxeqe5dvu5rlf2n7vq3vqytny9g',
        gasPrice: 1_000_000_000,
        gasLimit: 0,
        data: 'RVNEVFRyYW5zZmVyQDRkNTk1NDRmNGIyZDMxMzIzMzM0MzUzNkAwM2U4',
        chainID: '1',
        version: 1,
      },
      response: { data: { txGasUnits: 500_000, returnMessage: '' } },
    },
  ],
}

/** What the original asks in the first case of a run only, and we in each: `CHAIN network` → both. */
export const askedOnce: Readonly<Record<string, readonly RecordedExchange[]>> = {
  'FLOW mainnet': [
    { request: 'GET /v1/network/parameters', response: { chain_id: 'flow-mainnet' } },
  ],
  'FLOW testnet': [
    { request: 'GET /v1/network/parameters', response: { chain_id: 'flow-testnet' } },
  ],
}
