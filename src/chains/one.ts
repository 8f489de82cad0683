import { evmChain } from './family/evm.ts'

export const one = evmChain({
  id: 'ONE',
  name: 'Harmony',
  chainId: { mainnet: 1_666_600_000, testnet: 1_666_700_000 },
  coin: 1023,
  // No network upgrade is known to us that brought EIP-3860 or EIP-7623.
  dataRules: {},
  sources: {
    rpcPath: '/v3/one/web3/{apiKey}',
    estimate: { tells: 'call', overrides: 'nothing' },
    nonce: { rpc: 'eth_getTransactionCount' },
    gasPrice: { rpc: 'eth_gasPrice' },
  },
  broadcast: { path: '/v3/one/broadcast', offchain: true },
  feeCap: 100n * 10n ** 18n,
})
