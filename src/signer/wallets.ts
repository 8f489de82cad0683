import { equalBytes } from '../base/bytes.ts'
import { KmsError } from '../base/errors.ts'
import type { Derivation, Network, PublicKey } from '../base/model.ts'
import type { Chain } from '../chains/chain.ts'
import {
  childPrivateKey,
  type DerivedFrom,
  deriveAccount,
  type PublicKeyOf,
  pathOf,
} from '../secret/hd.ts'
import { formatKeyText, generateKeyText, parseKeyText } from '../secret/key-text.ts'
import { generateMnemonic } from '../secret/mnemonic.ts'
import type { Secret } from '../secret/secret.ts'
import type { NewWallet } from '../vault/draft.ts'
import { walletSecret } from '../vault/wallet-secret.ts'

/** Where a wallet is made: its chain and network, and where private keys may be used. */
export type WalletPlace = {
  readonly chain: Chain
  readonly network: Network
  readonly publicKeyOf: PublicKeyOf
  /** Another derivation path of the chain, by its name (`--path-style`). */
  readonly style?: string
}

/** A fresh wallet of the kind that the chain's users expect. The caller disposes of it. */
export async function newWallet(place: WalletPlace): Promise<NewWallet> {
  const { chain, network, publicKeyOf, style } = place
  if (chain.generates === 'mnemonic') return mnemonicWallet(place, generateMnemonic())
  if (style !== undefined) throw new KmsError('usage', `${chain.id} makes wallets without a path`)
  return keyWallet(place, await generateKeyText(chain.key, network, publicKeyOf))
}

/** A mnemonic as a wallet. Takes over `mnemonic`; the caller disposes of the wallet. */
export async function mnemonicWallet(place: WalletPlace, mnemonic: Secret): Promise<NewWallet> {
  const { chain, network, publicKeyOf, style } = place
  return await orWipe(mnemonic, async () => {
    const derivation = needDerivation(chain)
    const path = pathOf(derivation, network, style)
    const { node, xpub } = await deriveAccount(mnemonic, derivation, network, path, publicKeyOf)
    return await orWipe(node, async () => {
      const from = { derivation, network, path, ...(xpub !== undefined && { xpub }) }
      const hasFirst = chain.walletShape.includes('address')
      const { keyText, ...facts }: FirstKey = hasFirst ? await firstKey(place, node, from) : {}
      return {
        chain: chain.id,
        network,
        kind: 'mnemonic',
        path,
        ...(xpub !== undefined && { xpub }),
        ...facts,
        secret: walletSecret({ mnemonic, ...(keyText && { keyText }) }),
        node,
      }
    })
  })
}

type FirstKey = Partial<Pick<NewWallet, 'address' | 'publicKey'>> & { readonly keyText?: Secret }

/** What wallets with one address say of their first key. */
async function firstKey(
  { chain, network, publicKeyOf }: WalletPlace,
  node: Secret,
  from: DerivedFrom,
): Promise<FirstKey> {
  using key = childPrivateKey(node, from, 0)
  const publicKey = await publicKeyOf(chain.key.curve, key)
  return {
    address: chain.address(publicKey, network),
    publicKey: publicKey.bytes,
    keyText: await formatKeyText(chain.key, network, key, publicKeyOf),
  }
}

/** A private key, in the chain's text, as a wallet. Takes over `keyText`. */
export async function keyWallet(place: WalletPlace, keyText: Secret): Promise<NewWallet> {
  const { chain, network } = place
  return await orWipe(keyText, async () => {
    const publicKey = await publicKeyOfText(place, keyText)
    return {
      chain: chain.id,
      network,
      kind: 'key',
      address: chain.address(publicKey, network),
      publicKey: publicKey.bytes,
      secret: walletSecret({ keyText }),
    }
  })
}

/** The public half of a private key in the chain's text. */
export async function publicKeyOfText(
  { chain, network, publicKeyOf }: WalletPlace,
  keyText: Secret,
): Promise<PublicKey> {
  const {
    key,
    curve,
    compressed,
    publicKey: told,
  } = await parseKeyText(chain.key, network, keyText, publicKeyOf)
  using secret = key
  const publicKey = await publicKeyOf(curve, secret, compressed)
  if (told === undefined || equalBytes(told, publicKey.bytes)) return publicKey
  throw new KmsError('usage', 'the two halves of the private key do not belong together')
}

/** How the chain's mnemonics are derived; refuses chains that have no such thing. */
export function needDerivation({ id, key }: Chain): Derivation {
  if (key.derivation !== undefined) return key.derivation
  throw new KmsError('usage', `${id} has no wallets of BIP-39 mnemonics: store its private key`)
}

/** What was taken over must not outlive a refusal: nobody else wipes it. */
async function orWipe<T>(secret: Secret, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (fault) {
    secret.wipe()
    throw fault
  }
}
