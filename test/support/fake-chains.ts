import { bitcoinLike } from './fake-chains/bitcoin-like.ts'
import { ethereumLike } from './fake-chains/ethereum-like.ts'
import type { FakeChain } from './fake-chains/fake-chain.ts'

/** A chain of the sandbox is its line here. */
export const fakeChains: Readonly<Record<string, FakeChain>> = {
  BTC: bitcoinLike('BTC', 'bitcoin'),
  ETH: ethereumLike('ETH', 'ethereum', { mainnet: 1, testnet: 11_155_111 }),
}
