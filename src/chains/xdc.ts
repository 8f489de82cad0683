import { evmChain } from './family/evm.ts'

export const xdc = evmChain({
  id: 'XDC',
  name: 'XDC Network',
  chainId: { mainnet: 50, testnet: 51 },
  coin: 550,
  addressPrefix: 'xdc',
  // EIP-3860 and EIP-7623 may be in force; we are not sure of either.
  dataRules: {},
  sources: {
    rpcPath: '/v3/xdc/web3/{apiKey}',
    estimate: { tells: 'everything', overrides: 'everything' },
    nonce: { countPath: '/v3/xdc/transaction/count/' },
    gasPrice: { rpc: 'eth_gasPrice' },
  },
  broadcast: { path: '/v3/xdc/broadcast', offchain: false },
  feeCap: 100n * 10n ** 18n,
})
