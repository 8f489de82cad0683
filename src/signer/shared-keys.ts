import { hex } from '../base/bytes.ts'
import type { WalletId } from '../base/model.ts'
import type { WalletInfo } from '../vault/records.ts'

/**
 * Test wallets with a key that a wallet of the main network has, too. Signatures of several chains
 * do not name the network (docs/chains.md): what is signed with such a key for a test network, where
 * nobody may have been asked, can be valid on the main one.
 */
export function sharedWithMainnet(wallets: Iterable<WalletInfo>): readonly WalletId[] {
  const names = { mainnet: new Set<string>(), testnet: new Map<string, WalletId>() }
  for (const wallet of wallets) {
    for (const name of keyNames(wallet)) {
      if (wallet.network === 'mainnet') names.mainnet.add(name)
      else names.testnet.set(name, wallet.id)
    }
  }
  const shared = [...names.testnet].filter(([name]) => names.mainnet.has(name))
  return [...new Set(shared.map(([, id]) => id))]
}

/** By chain: Ethereum's relatives share keys on purpose, and name their network in what they sign. */
function keyNames({ chain, publicKey, xpub }: WalletInfo): readonly string[] {
  if (!withoutNetwork.has(chain)) return []
  return [
    ...(publicKey === undefined ? [] : [`${chain}/${hex(publicKey)}`]),
    ...(xpub === undefined ? [] : [`${chain}/${xpub}`]),
  ]
}

const withoutNetwork: ReadonlySet<string> = new Set([
  'BTC',
  'LTC',
  'DOGE',
  'BCH',
  'TRON',
  'XRP',
  'SOL',
  'FLOW',
  'ADA',
])
