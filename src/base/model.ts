import type { Json } from './json.ts'

/** Nouns that more than one layer speaks of. Types only. */

export type Network = 'mainnet' | 'testnet'
/**
 * What kind of private key it is. secp256k1: 32 bytes, big endian. ed25519: the 32-byte seed of
 * RFC 8032. ed25519-bip32: 64 bytes kL‖kR, a scalar and half of a nonce (Cardano's CIP-3).
 */
export type Curve = 'secp256k1' | 'ed25519' | 'ed25519-bip32'

/** A wallet's name towards Tatum, which calls it `signatureId`: a UUID, lower case. */
export type WalletId = string

/** Mnemonic wallets hold many keys, told apart by an index; a key wallet holds one. */
export type WalletKind = 'mnemonic' | 'key'

/** secp256k1: 33 bytes compressed, 65 where the wallet's key text says uncompressed. ed25519: 32. */
export type PublicKey = { readonly curve: Curve; readonly bytes: Uint8Array }

/** One private key of the vault: a wallet, and which of its keys if it is a mnemonic. */
export type KeyRef = { readonly signatureId: WalletId; readonly index?: number }

type OfNetwork<T> = Readonly<Record<Network, T>>

/**
 * How a chain derives its keys from a mnemonic. The paths are data; the arithmetic is
 * `secret/hd.ts`. Where a path has the step `i'`, that is where the index goes; elsewhere the index
 * is one more step behind it, not hardened.
 */
export type Derivation =
  /** BIP-32 on secp256k1. `xpub`: version bytes of the serialized public node (SLIP-132). */
  | { readonly kind: 'bip32'; readonly path: OfNetwork<string>; readonly xpub: OfNetwork<number> }
  /** SLIP-10 on ed25519: every step is hardened. `styles`: other paths a user may ask for by name. */
  | {
      readonly kind: 'slip10'
      readonly path: OfNetwork<string>
      readonly styles?: Readonly<Record<string, OfNetwork<string>>>
    }
  /** Cardano's Icarus master key and BIP32-Ed25519 (CIP-3). The xpub is public key‖chain code, hex. */
  | { readonly kind: 'cip3'; readonly path: OfNetwork<string> }

/** How a chain writes one private key as text. */
export type KeyText =
  | { readonly kind: 'wif'; readonly version: OfNetwork<number> }
  /** `shortAllowed`: leading zeros may be missing when it is read, as the original dropped them. */
  | { readonly kind: 'hex'; readonly prefix: '0x' | ''; readonly shortAllowed?: true }
  /** 128 hex digits: kL‖kR. */
  | { readonly kind: 'extended-hex' }
  /** XRPL: `sEd…` makes an ed25519 key, any other `s…` a secp256k1 key. */
  | { readonly kind: 'family-seed' }
  /** Stellar: `S…` (SEP-23). */
  | { readonly kind: 'strkey' }
  /** Solana: base58, or 128 hex digits, of seed‖public key. */
  | { readonly kind: 'base58-pair' }
  /** Algorand: base32 without padding of seed‖public key. */
  | { readonly kind: 'base32-pair' }

export type KeyScheme = {
  readonly curve: Curve
  /** Absent where no mnemonic of BIP-39 stands for keys of this chain. */
  readonly derivation?: Derivation
  readonly text: KeyText
}

/**
 * The members of a wallet's JSON in the order of the original; the private key's text is called
 * `privateKey` or `secret`. Where `address` is among them, a mnemonic wallet stands for its first
 * key, too: it has that key's address and text.
 */
export type WalletShape = readonly ('mnemonic' | 'xpub' | 'address' | 'privateKey' | 'secret')[]

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
  /** Until when a network takes it, in milliseconds since 1970; absent where there is no such time. */
  readonly expiry?: number
  /** From when on a network takes it, in the same unit; absent where it does so at once. */
  readonly notBefore?: number
  /** True when part of what it does could not be decoded (an unknown contract call). */
  readonly unread?: boolean
}

/**
 * What the front adds to a transaction that came without it (nonce, gas, …): field name → text.
 * The signer applies it to its own decoding; it can name only fields the chain allows.
 */
export type Completion = Readonly<Record<string, string>>

/**
 * ECDSA nonces are those of RFC 6979. `-any-s`: s is not brought into the lower half (Flow).
 * `schnorr-bch`: the signature of Bitcoin Cash's upgrade of May 2019, with its own nonce.
 * `ed25519-bip32`: EdDSA with an extended key of CIP-3.
 */
export type Algorithm =
  | 'ecdsa-secp256k1'
  | 'ecdsa-secp256k1-any-s'
  | 'schnorr-bch'
  | 'ed25519'
  | 'ed25519-bip32'

/**
 * A private key that came in the text of a transaction, so that it is nobody's secret: that of an
 * account which the transaction makes (a new mint of Solana).
 */
export type GivenKey = { readonly privateKey: Uint8Array; readonly publicKey: PublicKey }

/**
 * One message to sign: `key` is the position in the payment's own keys, and behind them in its given
 * keys. On secp256k1 the message is a 32-byte digest.
 */
export type SigningRequest = {
  readonly key: number
  readonly algorithm: Algorithm
  readonly message: Uint8Array
}

/** 64 bytes r‖s (secp256k1) or R‖S (ed25519); `recovery` for ECDSA only: the parity of R.y, else 0. */
export type Signature = { readonly bytes: Uint8Array; readonly recovery: number }

/** The text that goes into `txData`, and the transaction's id on its chain. */
export type Signed = { readonly txData: string; readonly txId: string }

/** Nodes that two chains are read from, because the Tatum API does not have what they need. */
export type NodeName = 'vet' | 'flow'

/** HTTP on one host. `{apiKey}` in a path is filled in by the reader: no chain sees the key. */
export type HttpReads = {
  get(path: string): Promise<unknown>
  post(path: string, body: Json): Promise<unknown>
}

/** A declared node of a chain. */
export type NodeReads = HttpReads & {
  /** As `get`; undefined where the node says that it knows no such thing (404). */
  find(path: string): Promise<unknown>
}

/** What a chain may have to say of a payment that goes on all the same: events of the log. */
export type ChainWarning =
  | 'chain is retired'
  | 'input amounts not verified'
  | 'proposal key not released'
  | 'transaction has another id'

/** The front's window to the Tatum API while a chain completes, finishes or submits a payment. */
export type ChainReads = HttpReads & {
  /** One JSON-RPC call; answers its `result`. */
  rpc(path: string, method: string, params: readonly Json[]): Promise<unknown>
  /** A declared node (TATUM_KMS_VET_URL, TATUM_KMS_FLOW_URL): never sees an API key. */
  node(name: NodeName): NodeReads
  /**
   * The number after the highest one that was ever signed for `address`, if any.
   *
   * @param counted what the network says: numbers below it are used up
   */
  nextNonce(address: string, counted: bigint): Promise<bigint | undefined>
  warn(event: ChainWarning, reason: string): void
  /** Lets time pass between two looks at a network; done early when the payment is given up. */
  wait(ms: number): Promise<void>
}
