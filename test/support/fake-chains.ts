import { cardano } from './fake-chains/ada.ts'
import { algorand } from './fake-chains/algo.ts'
import { bitcoinCash } from './fake-chains/bch.ts'
import { bitcoinLike } from './fake-chains/bitcoin-like.ts'
import { beaconChain } from './fake-chains/bnb.ts'
import { celoChain } from './fake-chains/celo.ts'
import { multiversX } from './fake-chains/egld.ts'
import { ethereumLike } from './fake-chains/ethereum-like.ts'
import type { FakeChain } from './fake-chains/fake-chain.ts'
import { flowNetwork } from './fake-chains/flow.ts'
import { klayChain } from './fake-chains/klay.ts'
import { solanaChain } from './fake-chains/sol.ts'
import { tronNetwork } from './fake-chains/tron.ts'
import { veChain } from './fake-chains/vet.ts'
import { stellar } from './fake-chains/xlm.ts'
import { xrpLedger } from './fake-chains/xrp.ts'

/** A chain of the sandbox is its line here. */
export const fakeChains: Readonly<Record<string, FakeChain>> = {
  BTC: bitcoinLike('BTC', 'bitcoin'),
  BCH: bitcoinCash,
  LTC: bitcoinLike('LTC', 'litecoin'),
  DOGE: bitcoinLike('DOGE', 'dogecoin'),
  ETH: ethereumLike('ETH', 'ethereum', { mainnet: 1, testnet: 11_155_111 }),
  BSC: ethereumLike('BSC', 'bsc', { mainnet: 56, testnet: 97 }),
  MATIC: ethereumLike('MATIC', 'polygon', { mainnet: 137, testnet: 80_002 }),
  ONE: ethereumLike('ONE', 'one', { mainnet: 1_666_600_000, testnet: 1_666_700_000 }),
  KCS: ethereumLike('KCS', 'kcs', { mainnet: 321, testnet: 322 }),
  XDC: ethereumLike('XDC', 'xdc', { mainnet: 50, testnet: 51 }),
  CELO: celoChain,
  KLAY: klayChain,
  XRP: xrpLedger,
  XLM: stellar,
  TRON: tronNetwork,
  BNB: beaconChain,
  SOL: solanaChain,
  ADA: cardano,
  VET: veChain,
  ALGO: algorand,
  EGLD: multiversX,
  FLOW: flowNetwork,
}
