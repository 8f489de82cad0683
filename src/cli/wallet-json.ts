import type { Chain } from '../chains/chain.ts'
import type { WalletInfo } from '../vault/records.ts'
import type { WalletSecret } from '../vault/wallet-secret.ts'
import type { SecretMember } from './secret-json.ts'

/** What a wallet's JSON is made of: facts of the vault and its opened secret. */
export type OpenWallet = Pick<WalletInfo, 'xpub'> & { readonly secret: WalletSecret }

/** The wallet's own members, in the order in which the original prints them for this chain. */
export function walletMembers(
  chain: Chain | undefined,
  { xpub, secret }: OpenWallet,
): readonly SecretMember[] {
  const { mnemonic, keyText } = secret
  const own: readonly SecretMember[] = [
    ['mnemonic', mnemonic],
    ['xpub', xpub],
  ]
  return [...(chain?.walletLeads === 'xpub' ? own.toReversed() : own), ['privateKey', keyText]]
}

/** A stored wallet as `getmanagedwallet` and `export` print it. */
export function storedMembers(
  chain: Chain | undefined,
  info: WalletInfo,
  secret: WalletSecret,
): readonly SecretMember[] {
  return [
    ...walletMembers(chain, { ...(info.xpub !== undefined && { xpub: info.xpub }), secret }),
    ['chain', info.chain],
    ['testnet', info.network === 'testnet'],
  ]
}
