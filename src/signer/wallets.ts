import { KmsError } from '../base/errors.ts'
import type { KeyRef, Network, PublicKey } from '../base/model.ts'
import type { Chain } from '../chains/chain.ts'
import { childPrivateKey, childPublicKey, deriveAccount, type PublicKeyOf } from '../secret/hd.ts'
import { parseKeyText } from '../secret/key-text.ts'
import type { Secret } from '../secret/secret.ts'
import type { WalletInfo } from '../vault/records.ts'
import type { NewWallet, Vault } from '../vault/vault.ts'
import { walletSecret } from '../vault/wallet-secret.ts'

/** A mnemonic as a wallet of `chain`. Takes over `mnemonic`; the caller disposes of the wallet. */
export async function mnemonicWallet(
  chain: Chain,
  network: Network,
  mnemonic: Secret,
  publicKeyOf: PublicKeyOf,
): Promise<NewWallet> {
  const { derivation } = chain.key
  const { node, xpub } = await orWipe(mnemonic, () =>
    deriveAccount(mnemonic, derivation, network, publicKeyOf),
  )
  return {
    chain: chain.id,
    network,
    kind: 'mnemonic',
    path: derivation.path[network],
    xpub,
    secret: walletSecret({ mnemonic }),
    node,
  }
}

/** A private key, in the chain's text, as a wallet of `chain`. Takes over `keyText`. */
export async function keyWallet(
  chain: Chain,
  network: Network,
  keyText: Secret,
  publicKeyOf: PublicKeyOf,
): Promise<NewWallet> {
  const publicKey = await orWipe(keyText, async () => {
    const { key, compressed } = parseKeyText(chain.key, network, keyText)
    using secret = key
    return await publicKeyOf(chain.key.curve, secret, compressed)
  })
  return {
    chain: chain.id,
    network,
    kind: 'key',
    address: chain.address(publicKey, network),
    publicKey: publicKey.bytes,
    secret: walletSecret({ keyText }),
  }
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

/** The public key behind `ref`, without opening any secret. */
export function publicKeyAt(
  chain: Chain,
  wallet: WalletInfo,
  index: number | undefined,
): PublicKey {
  const { curve, derivation } = chain.key
  if (wallet.kind === 'mnemonic') {
    if (index === undefined) throw indexMissing(wallet)
    if (wallet.xpub === undefined) throw incomplete(wallet)
    return childPublicKey(wallet.xpub, derivation.xpub[wallet.network], index)
  }
  refuseIndexOfKey(wallet, index)
  if (wallet.publicKey === undefined) throw incomplete(wallet)
  return { curve, bytes: wallet.publicKey }
}

/** The private key behind `ref`: 32 bytes in locked memory, wiped by the caller. */
export function privateKeyAt(
  chain: Chain,
  vault: Vault,
  wallet: WalletInfo,
  index: number | undefined,
): Secret {
  if (wallet.kind === 'mnemonic') {
    if (index === undefined) throw indexMissing(wallet)
    if (wallet.xpub === undefined) throw incomplete(wallet)
    const version = chain.key.derivation.xpub[wallet.network]
    using node = vault.revealNode(wallet.id)
    return childPrivateKey(node, { xpub: wallet.xpub, version }, index)
  }
  refuseIndexOfKey(wallet, index)
  using secret = vault.reveal(wallet.id)
  if (secret.keyText === undefined) throw incomplete(wallet)
  return parseKeyText(chain.key, wallet.network, secret.keyText).key
}

/** The wallet a payment names, if it is one this payment may use: right chain, right network. */
export function walletFor(vault: Vault, chain: Chain, network: Network, ref: KeyRef): WalletInfo {
  const wallet = vault.find(ref.signatureId)
  if (wallet === undefined) {
    throw new KmsError('wallet-missing', `no wallet ${ref.signatureId} in the vault`)
  }
  if (wallet.chain !== chain.id) {
    throw new KmsError(
      'transaction-refused',
      `wallet ${wallet.id} is a ${wallet.chain} wallet, the transaction is for ${chain.id}`,
    )
  }
  if (wallet.network !== network) {
    throw new KmsError(
      'transaction-refused',
      `wallet ${wallet.id} is on ${wallet.network}, this daemon signs for ${network}`,
    )
  }
  return wallet
}

/** A single key has no indexes; 0 is accepted because API clients fill mandatory fields with it. */
function refuseIndexOfKey(wallet: WalletInfo, index: number | undefined): void {
  if (index === undefined || index === 0) return
  throw new KmsError(
    'transaction-refused',
    `wallet ${wallet.id} is a single private key, it has no index ${index}`,
  )
}

function indexMissing(wallet: WalletInfo): KmsError {
  return new KmsError(
    'transaction-refused',
    `wallet ${wallet.id} is a mnemonic, the transaction must say which index signs`,
  )
}

function incomplete(wallet: WalletInfo): KmsError {
  return new KmsError('vault-damaged', `wallet ${wallet.id} lacks a field its kind must have`)
}
