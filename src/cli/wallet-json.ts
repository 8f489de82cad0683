import type { Chain } from '../chains/chain.ts'
import type { WalletInfo } from '../vault/records.ts'
import type { WalletSecret } from '../vault/wallet-secret.ts'
import type { SecretMember } from './secret-json.ts'

/** What a wallet's JSON is made of: facts of the vault and its opened secret. */
export type OpenWallet = Pick<WalletInfo, 'xpub' | 'address'> & { readonly secret: WalletSecret }

/** The wallet's own members, in the order in which the original prints them for this chain. */
export function walletMembers(
  chain: Chain | undefined,
  { xpub, address, secret: { mnemonic, keyText } }: OpenWallet,
): readonly SecretMember[] {
  const values = { mnemonic, xpub, address, privateKey: keyText, secret: keyText }
  const shape = chain?.walletShape ?? shapeOfUnknown
  return shape.map(name => [name, values[name]])
}

/** For wallets of a chain that only a newer version knows. */
const shapeOfUnknown = ['mnemonic', 'xpub', 'address', 'privateKey'] as const

/** A stored wallet as `getmanagedwallet` and `export` print it. */
export function storedMembers(
  chain: Chain | undefined,
  info: WalletInfo,
  secret: WalletSecret,
): readonly SecretMember[] {
  return [
    ...walletMembers(chain, { ...info, secret }),
    ['chain', info.chain],
    ['testnet', info.network === 'testnet'],
  ]
}

/** What the original tells of a wallet it stored: an xpub, an address, or nothing but the id. */
export function publicFacts({ id, xpub, address }: WalletInfo, { walletShape }: Chain) {
  const named = walletShape.includes('address') && address !== undefined
  return {
    signatureId: id,
    ...(xpub !== undefined && !named && { xpub }),
    ...(named && { address }),
  }
}
