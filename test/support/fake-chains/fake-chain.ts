import type { Network } from '../../../src/base/model.ts'

/** A pending transaction as the API hands it out; members of any form, for hostile ones. */
export type FakePending = {
  readonly id: string
  readonly chain: string
  readonly hashes?: unknown
  readonly signatures?: unknown
  readonly serializedTransaction?: unknown
  readonly withdrawalId?: unknown
  readonly [member: string]: unknown
}

/** What signed bytes do, read by a library that had no part in making them. */
export type Settled = {
  readonly txId: string
  readonly from: readonly string[]
  readonly paid: readonly { readonly to: string; readonly amount: bigint; readonly asset: string }[]
  /** What only one transaction can use up: `nonce/<address>/<number>`, `output/<txid>:<index>`. */
  readonly claims: readonly string[]
  /** What it bids for its place in a block: more lets it take that of another which is in none yet. */
  readonly bids?: readonly bigint[]
}

export type FakeChain = {
  readonly broadcastPath: string
  /** Its virtual-account payments go to the common off-chain endpoint (protocol 1.5). */
  readonly offchain: boolean
  /** How the API calls a transaction it will not send on (protocol 1.7). */
  readonly errorCode: string
  /** What a completion reads of it, beside what all chains share. */
  readonly reads?: readonly FakeRead[]
  /** A recorded payment as it would be on `network`, where its text says on which it counts. */
  readonly onNetwork?: (serialized: string, network: Network) => string
  /** Whether a body that came to its broadcast path gives something back, and tells of no payment. */
  readonly isRelease?: (body: unknown) => boolean
  /** Throws an Error that says why these bytes do not pay what was asked. */
  verify(txData: string, pending: FakePending, network: Network): Promise<Settled>
  /** Bytes that are no payment of the API's; absent where it never gets such. */
  verifyAlone?(txData: string, network: Network): Promise<Settled>
}

/** A request about a chain that the API answers, or a node of it that is told no API key, as JSON. */
export type FakeRead = {
  readonly route: 'read' | 'rpc' | 'node'
  readonly method: 'GET' | 'POST'
  /** As `Bun.serve` writes routes: `/v3/ethereum/transaction/count/:address`. */
  readonly path: string
  answer(world: ReadWorld, call: ReadCall): unknown
}

export type ReadCall = {
  /** The parts of the path that are named, by their names. */
  readonly params: Partial<Record<'chain' | 'address' | 'apiKey' | 'id', string>>
  readonly body: unknown
}

/** What the chains behind the API know. */
export type ReadWorld = {
  readonly network: Network
  /** False while nothing gets into blocks: on some chains it then expires. */
  readonly isMining: boolean
  /** How many transactions `address`, in lower case, has sent. */
  countNonces(address: string): number
  /** The bytes in hex of a transaction that is not one of the daemon's. */
  rawTransaction(txId: string): string | undefined
}

/** Gas prices of every chain, in wei: what `GET /v3/blockchain/fee/{chain}` answers. */
export const fees = {
  slow: 1_000_000_000,
  medium: 2_000_000_000,
  fast: 3_000_000_000,
  baseFee: 1_000_000_000,
  block: 1,
}
