import { fromHex, hex } from '../base/bytes.ts'
import { KmsError } from '../base/errors.ts'
import { asArray, asRecord, asString, type Json, parseJson } from '../base/json.ts'
import type { WalletId } from '../base/model.ts'
import type { WalletInfo } from '../vault/records.ts'

/** What a vault says of its wallets to machines that must not have it. */
export type WalletList = {
  readonly vaultId: string
  readonly wallets: readonly ListedWallet[]
}

export type ListedWallet = {
  readonly info: WalletInfo
  /** Public keys by index, of a wallet whose keys do not follow from anything public. */
  readonly publicKeys: ReadonlyMap<number, Uint8Array>
}

/** Half a million wallets are some 200 MB. */
export const maxListBytes = 2 ** 28

/** The members of a wallet in the list, which `decodeWalletList` reads again. */
export function describeWallet({ info, publicKeys }: ListedWallet): Json {
  const { id, chain, network, kind, createdAt, address, xpub, path, publicKey } = info
  const byIndex = [...publicKeys].map(([index, bytes]) => [index, hex(bytes)])
  return {
    signatureId: id,
    chain,
    network,
    kind,
    ...(address !== undefined && { address }),
    ...(xpub !== undefined && { xpub }),
    created: new Date(createdAt).toISOString(),
    ...(path !== undefined && { path }),
    ...(publicKey !== undefined && { publicKey: hex(publicKey) }),
    ...(byIndex.length > 0 && { publicKeys: Object.fromEntries(byIndex) }),
  }
}

export function decodeWalletList(text: string): WalletList {
  const members = asRecord(parseJson(text))
  const vaultId = asString(members?.get('vaultId'))
  const wallets = asArray(members?.get('wallets'))
  if (vaultId === undefined || !/^[0-9a-f]{32}$/.test(vaultId) || wallets === undefined) {
    throw malformed()
  }
  return { vaultId, wallets: wallets.map(decodeWallet) }
}

function decodeWallet(value: unknown): ListedWallet {
  const members = asRecord(value)
  const text = (name: string): string | undefined => {
    const member = members?.get(name)
    return member === undefined ? undefined : need(asString(member))
  }
  const network = text('network')
  const kind = text('kind')
  const createdAt = Date.parse(text('created') ?? '')
  if (network !== 'mainnet' && network !== 'testnet') throw malformed()
  if (kind !== 'mnemonic' && kind !== 'key') throw malformed()
  if (Number.isNaN(createdAt)) throw malformed()
  const [xpub, path, address, publicKey] = ['xpub', 'path', 'address', 'publicKey'].map(text)
  const info: WalletInfo = {
    id: walletId(text('signatureId')),
    chain: need(text('chain')),
    network,
    kind,
    createdAt,
    ...(xpub !== undefined && { xpub }),
    ...(path !== undefined && { path }),
    ...(address !== undefined && { address }),
    ...(publicKey !== undefined && { publicKey: keyBytes(publicKey) }),
  }
  return { info, publicKeys: decodeKeys(members?.get('publicKeys')) }
}

function decodeKeys(value: unknown): ReadonlyMap<number, Uint8Array> {
  if (value === undefined) return new Map()
  const entries = [...need(asRecord(value))]
  return new Map(
    entries.map(([index, key]) => {
      if (!/^\d{1,10}$/.test(index)) throw malformed()
      return [Number(index), keyBytes(need(asString(key)))]
    }),
  )
}

function walletId(text: string | undefined): WalletId {
  if (text === undefined || !/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(text)) {
    throw malformed()
  }
  return text
}

function keyBytes(text: string): Uint8Array {
  return need(text.length > 200 ? undefined : fromHex(text))
}

function need<T>(value: T | undefined): T {
  if (value === undefined) throw malformed()
  return value
}

function malformed(): KmsError {
  return new KmsError('usage', 'the list of wallets is malformed', {
    hint: 'tatum-kms list --public prints one, on the machine that has the vault',
  })
}
