import { hex } from '../../base/bytes.ts'
import { KmsError } from '../../base/errors.ts'
import { prettyJson } from '../../base/json.ts'
import type { WalletInfo } from '../../vault/records.ts'
import type { Action } from '../action.ts'
import { chainList } from '../chain-argument.ts'
import type { Context } from '../context.ts'
import { openWithPassword } from '../open-vault.ts'
import { table } from '../table.ts'

/** `list`: what is in the vault, without a secret; `--public` with all that public keys follow from. */
export const list: Action = async context => {
  const isWanted = filterOf(context)
  using vault = openWithPassword(context)
  const wallets = [...vault.list()].filter(isWanted)
  const { terminal, isSet } = context
  if (isSet('public')) terminal.answer(prettyJson(wallets.map(publicFacts)))
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

function publicFacts(wallet: WalletInfo) {
  const { path, publicKey } = wallet
  return {
    ...facts(wallet),
    ...(path !== undefined && { path }),
    ...(publicKey !== undefined && { publicKey: hex(publicKey) }),
  }
}

function dateText(milliseconds: number): string {
  return new Date(milliseconds).toISOString()
}
