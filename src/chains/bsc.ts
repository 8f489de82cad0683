import { evmChain } from './family/evm.ts'

export const bsc = evmChain({
  id: 'BSC',
  name: 'BNB Smart Chain',
  chainId: { mainnet: 56, testnet: 97 },
  coin: 60,
  // In force since Pascal (BEP-496 is EIP-7623) and Kepler (BEP-313 is EIP-3860).
  dataRules: { gasFloor: 10n, maxInitCodeBytes: 49_152 },
  sources: {
    rpcPath: '/v3/bsc/web3/{apiKey}',
    estimate: { tells: 'everything', overrides: 'nothing' },
    nonce: { countPath: '/v3/bsc/transaction/count/' },
    // 10 gwei, as the original.
    gasPrice: { constant: 10n * 10n ** 9n },
  },
  broadcast: { path: '/v3/bsc/broadcast', offchain: false },
  feeCap: 10n ** 18n,
})
