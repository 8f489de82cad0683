import { KmsError } from '../base/errors.ts'
import type { Curve, KeyRef, Network, PublicKey } from '../base/model.ts'
import type { Chain } from '../chains/chain.ts'
import {
  childPrivateKey,
  childPublicKey,
  type DerivedFrom,
  type PublicKeyOf,
} from '../secret/hd.ts'
import { parseKeyText } from '../secret/key-text.ts'
import type { Secret } from '../secret/secret.ts'
import type { WalletInfo } from '../vault/records.ts'
import type { Vault } from '../vault/vault.ts'
import { needDerivation } from './wallets.ts'

/** What keys are made out of. */
export type KeySource = {
  readonly vault: Pick<Vault, 'reveal' | 'revealNode'>
  readonly publicKeyOf: PublicKeyOf
}

/** A wallet's key: `index` undefined is the one key of a wallet that has or names only one. */
type Place = { readonly wallet: WalletInfo; readonly index: number | undefined }

/** The public key behind a `KeyRef`. Opens a secret only where the path has hardened steps alone. */
export async function publicKeyAt(
  chain: Chain,
  source: KeySource,
  { wallet, index }: Place,
): Promise<PublicKey> {
  if (isSingle(wallet, index)) {
    if (wallet.publicKey === undefined) throw incomplete(wallet)
    const { publicKey: bytes } = wallet
    return { curve: curveOf(chain, bytes), bytes }
  }
  const from = derivedFrom(chain, wallet)
  const number = needIndex(wallet, index)
  const name = [wallet.id, wallet.createdAt, from.path, from.xpub, number].join('/')
  const known = derivedKeys.get(name)
  if (known !== undefined) return known
  const publicKey =
    childPublicKey(from, number) ?? (await hardenedPublicKey(chain, source, wallet, number))
  if (derivedKeys.size >= maxDerivedKeys) derivedKeys.clear()
  derivedKeys.set(name, publicKey)
  return publicKey
}

/** A payment asks for its keys more than once, and a customer pays from one again; public data. */
const derivedKeys = new Map<string, PublicKey>()
const maxDerivedKeys = 20_000

/** Only the private node can say it. */
async function hardenedPublicKey(
  chain: Chain,
  { vault, publicKeyOf }: KeySource,
  wallet: WalletInfo,
  index: number,
): Promise<PublicKey> {
  using node = vault.revealNode(wallet.id)
  using key = childPrivateKey(node, derivedFrom(chain, wallet), index)
  // Awaited here: the key is wiped as soon as this returns.
  return await publicKeyOf(chain.key.curve, key)
}

/** The private key behind a `KeyRef`, in locked memory, wiped by the caller. */
export async function privateKeyAt(
  chain: Chain,
  { vault, publicKeyOf }: KeySource,
  { wallet, index }: Place,
): Promise<Secret> {
  if (isSingle(wallet, index)) {
    using secret = vault.reveal(wallet.id)
    if (secret.keyText === undefined) throw incomplete(wallet)
    const { key } = await parseKeyText(chain.key, wallet.network, secret.keyText, publicKeyOf)
    return key
  }
  const from = derivedFrom(chain, wallet)
  const number = needIndex(wallet, index)
  using node = vault.revealNode(wallet.id)
  return childPrivateKey(node, from, number)
}

/** The wallet a payment names, if it is one this payment may use: right chain, right network. */
export function walletFor(
  vault: Pick<Vault, 'find'>,
  chain: Chain,
  network: Network,
  ref: KeyRef,
): WalletInfo {
  const wallet = vault.find(ref.signatureId)
  if (wallet === undefined) {
    throw new KmsError('wallet-missing', `no wallet ${ref.signatureId} in the vault`)
  }
  if (wallet.chain !== chain.id) {
    throw refused(
      `wallet ${wallet.id} is a ${wallet.chain} wallet, the transaction is for ${chain.id}`,
    )
  }
  if (wallet.network !== network) {
    throw refused(`wallet ${wallet.id} is on ${wallet.network}, this daemon signs for ${network}`)
  }
  return wallet
}

/**
 * Whether the key meant is the one that stands in the wallet as it is: that of a key wallet, or of a
 * mnemonic wallet that names its first key (as the original's Solana wallets do).
 */
function isSingle(wallet: WalletInfo, index: number | undefined): boolean {
  if (wallet.kind === 'mnemonic') return index === undefined && wallet.publicKey !== undefined
  // A single key has no indexes; 0 is accepted: API clients fill mandatory fields with it.
  if (index === undefined || index === 0) return true
  throw refused(`wallet ${wallet.id} is a single private key, it has no index ${index}`)
}

function needIndex(wallet: WalletInfo, index: number | undefined): number {
  if (index !== undefined) return index
  throw refused(`wallet ${wallet.id} is a mnemonic, the transaction must say which index signs`)
}

function derivedFrom(chain: Chain, wallet: WalletInfo): DerivedFrom {
  const { network, path, xpub } = wallet
  if (path === undefined) throw incomplete(wallet)
  const derivation = needDerivation(chain)
  if (xpub === undefined && derivation.kind !== 'slip10') throw incomplete(wallet)
  return { derivation, network, path, ...(xpub !== undefined && { xpub }) }
}

/** XRPL has keys of both kinds: 32 bytes are one of ed25519. */
function curveOf({ key }: Chain, { length }: Uint8Array): Curve {
  if (key.curve === 'secp256k1') return length === 32 ? 'ed25519' : 'secp256k1'
  return key.curve
}

function refused(message: string): KmsError {
  return new KmsError('transaction-refused', message)
}

function incomplete(wallet: WalletInfo): KmsError {
  return new KmsError('vault-damaged', `wallet ${wallet.id} lacks a field its kind must have`)
}
