import { evmChain } from './family/evm.ts'

export const matic = evmChain({
  id: 'MATIC',
  name: 'Polygon',
  chainId: { mainnet: 137, testnet: 80_002 },
  coin: 966,
  // In force since Bhilai (PIP-61 has EIP-7623) and Agra (PIP-28 has EIP-3860, whose bound went up
  // with that of all code in PIP-30).
  dataRules: { gasFloor: 10n, maxInitCodeBytes: 65_536 },
  sources: {
    rpcPath: '/v3/polygon/web3/{apiKey}',
    estimate: { tells: 'call', overrides: 'nothing' },
    nonce: { rpc: 'eth_getTransactionCount' },
    // The original asks a gas station outside of Tatum; its lower bound of 30 gwei stays.
    gasPrice: { rpc: 'eth_gasPrice', least: 30n * 10n ** 9n },
  },
  broadcast: { path: '/v3/polygon/broadcast', offchain: false },
  feeCap: 100n * 10n ** 18n,
})
