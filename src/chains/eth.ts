import { evmChain } from './family/evm.ts'

export const eth = evmChain({
  id: 'ETH',
  name: 'Ethereum',
  chainId: { mainnet: 1, testnet: 11_155_111 },
  coin: 60,
  sources: {
    rpcPath: '/v3/ethereum/web3/{apiKey}',
    nonce: { countPath: '/v3/ethereum/transaction/count/' },
    gasPrice: { feePath: '/v3/blockchain/fee/ETH' },
  },
  broadcast: { path: '/v3/ethereum/broadcast', offchain: true },
  feeCap: 10n ** 18n,
})
