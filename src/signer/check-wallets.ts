import { equalBytes } from '../base/bytes.ts'
import { asKmsError } from '../base/errors.ts'
import type { Network } from '../base/model.ts'
import type { Chain } from '../chains/chain.ts'
import type { PublicKeyOf } from '../secret/hd.ts'
import { openKeyRoom } from '../secret/key-room.ts'
import type { NewWallet } from '../vault/draft.ts'
import type { WalletInfo } from '../vault/records.ts'
import type { Vault } from '../vault/vault.ts'
import type { WalletSecret } from '../vault/wallet-secret.ts'
import { keyWallet, mnemonicWallet, type WalletPlace } from './wallets.ts'

/** What opening every secret of a vault came to. */
export type WalletCounts = {
  readonly wallets: number
  readonly mnemonics: number
  readonly keys: number
  /** Of chains this version does not know: they open, but nothing can be derived from them. */
  readonly unknownChains: number
  /** A public value in the vault is not the one of its secret. */
  readonly different: number
}

/** Opens every secret and derives every public value again; each difference is a warning. */
export async function checkWallets(
  vault: Vault,
  findChain: (id: string) => Chain | undefined,
  { warn, show }: { warn(text: string): void; show(done: number): void },
): Promise<WalletCounts> {
  await using room = openKeyRoom()
  const counts = { wallets: 0, mnemonics: 0, keys: 0, unknownChains: 0, different: 0 }
  for (const info of vault.list()) {
    show(counts.wallets)
    counts.wallets++
    if (info.kind === 'mnemonic') counts.mnemonics++
    else counts.keys++
    const chain = findChain(info.chain)
    if (chain === undefined) counts.unknownChains++
    const difference = await differenceOf(vault, chain, info, room.publicKey)
    if (difference === undefined) continue
    counts.different++
    warn(`wallet ${info.id}: ${difference}`)
  }
  return counts
}

async function differenceOf(
  vault: Vault,
  chain: Chain | undefined,
  info: WalletInfo,
  publicKeyOf: PublicKeyOf,
): Promise<string | undefined> {
  try {
    using secret = vault.reveal(info.id)
    if (chain === undefined) return undefined
    const derived = await derive(chain, info, secret, publicKeyOf)
    if (derived === undefined) return 'its secret is not of its kind'
    using _secret = derived.secret
    using node = derived.node
    if (derived.xpub !== info.xpub) return 'its xpub is not the one of its secret'
    if (derived.address !== info.address) return 'its address is not the one of its secret'
    if (hexOf(derived.publicKey) !== hexOf(info.publicKey)) {
      return 'its public key is not the one of its secret'
    }
    if (node === undefined) return undefined
    using stored = vault.revealNode(info.id)
    const same = node.use(a => stored.use(b => equalBytes(a, b)))
    return same ? undefined : 'its account key is not the one of its secret'
  } catch (thrown) {
    return asKmsError(thrown).message
  }
}

async function derive(
  chain: Chain,
  { kind, network, path }: WalletInfo,
  { mnemonic, keyText }: WalletSecret,
  publicKeyOf: PublicKeyOf,
): Promise<NewWallet | undefined> {
  const style = path === undefined ? undefined : styleOf(chain, network, path)
  const place: WalletPlace = { chain, network, publicKeyOf, ...(style && { style }) }
  if (kind === 'mnemonic') return mnemonic && mnemonicWallet(place, mnemonic)
  return keyText && keyWallet(place, keyText)
}

/** The name of a path that is not the chain's usual one. */
function styleOf({ key }: Chain, network: Network, path: string): string | undefined {
  const styles = key.derivation?.kind === 'slip10' ? key.derivation.styles : undefined
  return Object.entries(styles ?? {}).find(([, paths]) => paths[network] === path)?.[0]
}

function hexOf(bytes: Uint8Array | undefined): string {
  return Buffer.from(bytes ?? []).toString('hex')
}
