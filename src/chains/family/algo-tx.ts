import { sha512_256 } from '@noble/hashes/sha2.js'
import { base32Text } from '../../base/base32.ts'
import { concat, utf8 } from '../../base/bytes.ts'
import type { Network } from '../../base/model.ts'

type Common = {
  readonly sender: Uint8Array
  readonly fee: bigint
  /** The first and the last round in which the network takes it. */
  readonly firstRound: bigint
  readonly lastRound: bigint
  readonly genesisId: string
  readonly genesisHash: Uint8Array
  readonly note: Uint8Array
  /** The key that signs for the sender from then on. */
  readonly rekeyTo?: Uint8Array
}

/** `closeTo`: who gets all that is left. */
type Paid = { readonly to: Uint8Array; readonly amount: bigint; readonly closeTo?: Uint8Array }

/** A transaction of Algorand; accounts are public keys. */
export type AlgoTx = Common &
  (
    | (Paid & { readonly type: 'pay' })
    | (Paid & { readonly type: 'axfer'; readonly assetId: bigint })
    | { readonly type: 'create-asset'; readonly asset: AssetParams }
    | { readonly type: 'destroy-asset'; readonly assetId: bigint }
  )

export type AlgoTxOf<Type extends AlgoTx['type']> = Extract<AlgoTx, { readonly type: Type }>

/** What an asset is when it is made; texts are empty where there are none. */
export type AssetParams = {
  readonly total: bigint
  readonly decimals: bigint
  readonly defaultFrozen: boolean
  readonly unitName: string
  readonly name: string
  readonly url: string
  readonly metadataHash?: Uint8Array
  readonly roles: Readonly<Partial<Record<AssetRole, Uint8Array>>>
}

/** Whose word counts for an asset: who changes it, holds what is not issued, freezes, takes back. */
export type AssetRole = 'manager' | 'reserve' | 'freeze' | 'clawback'

export const assetRoles = ['manager', 'reserve', 'freeze', 'clawback'] as const

/** Pinned: a transaction says on which network it counts, and Tatum does not choose that. */
export const genesis: Readonly<
  Record<Network, { readonly id: string; readonly hash: Uint8Array }>
> = {
  mainnet: {
    id: 'mainnet-v1.0',
    hash: bytesOfBase64('wGHE2Pwdvd7S12BL5FaOP20EGYesN73ktiC1qzkkit8='),
  },
  testnet: {
    id: 'testnet-v1.0',
    hash: bytesOfBase64('SGO1GKSzyE7IEPItTxCByw9x8FmnrCDexi9/cOUJOiI='),
  },
}

/** The key and the last four bytes of its hash. */
export function algoAddress(publicKey: Uint8Array): string {
  return base32Text(concat(publicKey, addressChecksum(publicKey)))
}

export function addressChecksum(publicKey: Uint8Array): Uint8Array {
  return sha512_256(publicKey).subarray(28)
}

/** What is signed: the canonical bytes of a transaction behind what tells them from other things. */
export function signedMessage(txn: Uint8Array): Uint8Array {
  return concat(utf8('TX'), txn)
}

export function algoTxId(txn: Uint8Array): string {
  return base32Text(sha512_256(signedMessage(txn)))
}

function bytesOfBase64(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text, 'base64'))
}
