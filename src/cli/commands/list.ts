import { KmsError } from '../../base/errors.ts'
import { prettyJson } from '../../base/json.ts'
import { describeWallet, type ListedWallet } from '../../bundle/wallet-list.ts'
import { findChain } from '../../chains/index.ts'
import { openKeyRoom } from '../../secret/key-room.ts'
import { type KeySource, publicKeyAt } from '../../signer/keys.ts'
import type { WalletInfo } from '../../vault/records.ts'
import type { Vault } from '../../vault/vault.ts'
import type { Action } from '../action.ts'
import { chainList } from '../chain-argument.ts'
import type { Context } from '../context.ts'
import { openWithPassword } from '../open-vault.ts'
import { table } from '../table.ts'

/** `list`: what is in the vault, without a secret; `--public` with all that public keys follow from. */
export const list: Action = async context => {
  const isWanted = filterOf(context)
  const keys = keyCount(context.text('keys'))
  using vault = openWithPassword(context)
  const wallets = [...vault.list()].filter(isWanted)
  const { terminal, isSet } = context
  if (isSet('public')) terminal.answer(prettyJson(await publicList(vault, wallets, keys)))
  else if (isSet('json')) terminal.answer(prettyJson(wallets.map(facts)))
  else terminal.answer(table(heads, wallets.map(cells)))
  return 0
}

function filterOf({ text }: Context): (wallet: WalletInfo) => boolean {
  const chain = text('chain')
  const chains = chain === undefined ? undefined : new Set(chainList(chain))
  const network = text('network')
  if (network !== undefined && network !== 'mainnet' && network !== 'testnet') {
    throw new KmsError('usage', '--network is mainnet or testnet')
  }
  const kind = text('kind')
  if (kind !== undefined && kind !== 'mnemonic' && kind !== 'key') {
    throw new KmsError('usage', '--kind is mnemonic or key')
  }
  return wallet =>
    (chains?.has(wallet.chain) ?? true) &&
    wallet.network === (network ?? wallet.network) &&
    wallet.kind === (kind ?? wallet.kind)
}

const heads = ['signatureId', 'chain', 'network', 'kind', 'created', 'address or xpub'] as const

function cells({ id, chain, network, kind, createdAt, address, xpub }: WalletInfo) {
  const created = dateText(createdAt).slice(0, 10)
  return [id, chain, network, kind, created, address ?? xpub ?? '']
}

function facts({ id, chain, network, kind, createdAt, address, xpub }: WalletInfo) {
  return {
    signatureId: id,
    chain,
    network,
    kind,
    ...(address !== undefined && { address }),
    ...(xpub !== undefined && { xpub }),
    created: dateText(createdAt),
  }
}

function keyCount(text = '1'): number {
  if (/^\d{1,4}$/.test(text) && Number(text) > 0) return Number(text)
  throw new KmsError('usage', '--keys is a number from 1 to 9999')
}

/** All that addresses follow from, for a machine that must not have the vault. */
async function publicList(vault: Vault, wallets: readonly WalletInfo[], keys: number) {
  await using room = openKeyRoom()
  const source = { vault, publicKeyOf: room.publicKey }
  const described = []
  for (const info of wallets) {
    described.push(describeWallet({ info, publicKeys: await keysOf(source, info, keys) }))
  }
  return { vaultId: vault.vaultId, wallets: described }
}

/** Where every step of a path is hardened, no public key follows from another. */
async function keysOf(
  source: KeySource,
  wallet: WalletInfo,
  count: number,
): Promise<ListedWallet['publicKeys']> {
  const chain = findChain(wallet.chain)
  const publicKeys = new Map<number, Uint8Array>()
  if (wallet.kind !== 'mnemonic' || chain?.key.derivation?.kind !== 'slip10') return publicKeys
  for (let index = 0; index < count; index++) {
    const { bytes } = await publicKeyAt(chain, source, { wallet, index })
    publicKeys.set(index, bytes)
  }
  return publicKeys
}

function dateText(milliseconds: number): string {
  return new Date(milliseconds).toISOString()
}
