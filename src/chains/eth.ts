import { evmChain } from './family/evm.ts'

export const eth = evmChain({
  id: 'ETH',
  name: 'Ethereum',
  chainId: { mainnet: 1, testnet: 11_155_111 },
  coin: 60,
  // In force since Pectra (EIP-7623) and Shanghai (EIP-3860).
  dataRules: { gasFloor: 10n, maxInitCodeBytes: 49_152 },
  sources: {
    rpcPath: '/v3/ethereum/web3/{apiKey}',
    estimate: { tells: 'everything', overrides: 'offchain' },
    nonce: { countPath: '/v3/ethereum/transaction/count/' },
    gasPrice: { feePath: '/v3/blockchain/fee/ETH' },
  },
  broadcast: { path: '/v3/ethereum/broadcast', offchain: true },
  feeCap: 10n ** 18n,
})
