import type { Json } from './json.ts'

/** Nouns that more than one layer speaks of. Types only. */

export type Network = 'mainnet' | 'testnet'
export type Curve = 'secp256k1' | 'ed25519'

/** A wallet's name towards Tatum, which calls it `signatureId`: a UUID, lower case. */
export type WalletId = string

/** Mnemonic wallets hold many keys, told apart by an index; a key wallet holds one. */
export type WalletKind = 'mnemonic' | 'key'

/** secp256k1: 33 bytes compressed, 65 where the wallet's key text says uncompressed. ed25519: 32. */
export type PublicKey = { readonly curve: Curve; readonly bytes: Uint8Array }

/** One private key of the vault: a wallet, and which of its keys if it is a mnemonic. */
export type KeyRef = { readonly signatureId: WalletId; readonly index?: number }

/** How a chain derives its keys from a mnemonic. The path is data; the arithmetic is `secret/hd.ts`. */
export type Derivation = {
  /** BIP-32; index i is the non-hardened child i of the node at `path`. */
  readonly kind: 'bip32'
  readonly path: Readonly<Record<Network, string>>
  /** Version bytes of the serialized public node (SLIP-132). */
  readonly xpub: Readonly<Record<Network, number>>
}

/** How a chain writes one private key as text. */
type KeyText =
  | { readonly kind: 'wif'; readonly version: Readonly<Record<Network, number>> }
  | { readonly kind: 'hex'; readonly prefix: '0x' | '' }

export type KeyScheme = {
  readonly curve: Curve
  readonly derivation: Derivation
  readonly text: KeyText
}

/** One entry of `withdrawalResponses`: an input of an off-chain UTXO payment (protocol 3.5). */
export type WithdrawalInput = {
  /** Transaction id of the spent output, or '-1' for the entry that returns change to the pool. */
  readonly vIn: string
  readonly vInIndex?: number
  readonly derivationKey?: number
}

/** What `POST /v3/kms/pending/{chain}` hands out, checked once in `tatum/pending.ts`. */
export type PendingTx = {
  readonly id: string
  readonly chain: string
  /** Chain-specific text, untrusted; only the chain's own `decode` reads it. */
  readonly serializedTransaction: string
  readonly hashes: readonly WalletId[]
  readonly signatures: readonly { readonly id: WalletId; readonly index: number }[]
  readonly index?: number
  readonly withdrawalId?: string
  readonly withdrawalResponses?: readonly WithdrawalInput[]
}

/** Amounts are integers of the chain's smallest unit (wei, satoshi), never floats. */
export type Output = {
  /** Recipient in the chain's own text form; a description where there is no address. */
  readonly to: string
  readonly amount: bigint
  /** 'ETH', 'BTC', or 'ETH:0x…' for a token contract, 'ETH:0x…#7' for one token id of it. */
  readonly asset: string
  /** True when it comes back to a key this payment is signed with. */
  readonly own: boolean
}

/** What a transaction does, in plain terms: what people approve and policies judge. */
export type Intent = {
  readonly kind: string
  readonly from: readonly string[]
  readonly outputs: readonly Output[]
  /** The most this payment can cost in fees, once known. */
  readonly fee?: { readonly amount: bigint; readonly asset: string }
  /** True when part of what it does could not be decoded (an unknown contract call). */
  readonly unread?: boolean
}

/**
 * What the front adds to a transaction that came without it (nonce, gas, …): field name → text.
 * The signer applies it to its own decoding; it can name only fields the chain allows.
 */
export type Completion = Readonly<Record<string, string>>

export type Algorithm = 'ecdsa-secp256k1' | 'ed25519'

/** One message to sign: `key` is the position in the payment's own keys. ECDSA: a 32-byte digest. */
export type SigningRequest = {
  readonly key: number
  readonly algorithm: Algorithm
  readonly message: Uint8Array
}

/** 64 bytes r‖s (ECDSA, low s) or R‖S (ed25519); `recovery` for ECDSA only: the parity of R.y. */
export type Signature = { readonly bytes: Uint8Array; readonly recovery: number }

/** The text that goes into `txData`, and the transaction's id on its chain. */
export type Signed = { readonly txData: string; readonly txId: string }

/** The front's window to the Tatum API while a chain completes a transaction. */
export type ChainReads = {
  /** `GET path`; `{apiKey}` in the path is filled in by the reader, so that no chain sees the key. */
  get(path: string): Promise<unknown>
  /** One JSON-RPC call; answers its `result`. */
  rpc(path: string, method: string, params: readonly Json[]): Promise<unknown>
  /** The number after the highest one this signer has ever signed for `address`, if any. */
  nextNonce(address: string): Promise<bigint | undefined>
}
