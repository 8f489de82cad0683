import type { Network } from '../../src/base/model.ts'
import type { Chain } from '../../src/chains/chain.ts'
import { childPrivateKey } from '../../src/secret/hd.ts'
import { formatKeyText } from '../../src/secret/key-text.ts'
import { mnemonicWallet, needDerivation } from '../../src/signer/wallets.ts'
import { publicKeyHere, revealedText, secretOf } from './secret.ts'

type TextOfKey = { readonly address: string; readonly keyText: string }

/** Addresses and private keys of a mnemonic wallet, as the program gives them out. */
export async function keysOf(
  chain: Chain,
  network: Network,
  mnemonic: string,
  indexes: readonly number[],
): Promise<readonly TextOfKey[]> {
  const place = { chain, network, publicKeyOf: publicKeyHere }
  const wallet = await mnemonicWallet(place, secretOf(mnemonic))
  using _secret = wallet.secret
  using node = wallet.node
  const { path, xpub } = wallet
  if (node === undefined || path === undefined) throw new Error('not a wallet of a mnemonic')
  const from = { derivation: needDerivation(chain), network, path, ...(xpub && { xpub }) }
  const keys: TextOfKey[] = []
  for (const index of indexes) {
    using key = childPrivateKey(node, from, index)
    using text = await formatKeyText(chain.key, network, key, publicKeyHere)
    const publicKey = await publicKeyHere(chain.key.curve, key)
    keys.push({ address: chain.address(publicKey, network), keyText: revealedText(text) })
  }
  return keys
}
