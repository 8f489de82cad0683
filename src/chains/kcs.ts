import { evmChain } from './family/evm.ts'

export const kcs = evmChain({
  id: 'KCS',
  name: 'KuCoin Community Chain',
  chainId: { mainnet: 321, testnet: 322 },
  coin: 60,
  // No network upgrade is known to us that brought EIP-3860 or EIP-7623.
  dataRules: {},
  sources: {
    rpcPath: '/v3/kcs/web3/{apiKey}',
    estimate: { tells: 'call', overrides: 'nothing' },
    nonce: { rpc: 'eth_getTransactionCount' },
    // 1 gwei, as the original.
    gasPrice: { constant: 10n ** 9n },
  },
  broadcast: { path: '/v3/kcs/broadcast', offchain: false },
  feeCap: 100n * 10n ** 18n,
})
