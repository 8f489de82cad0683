import { isDeepStrictEqual } from 'node:util'
import { KmsError } from '../base/errors.ts'
import type { Json } from '../base/json.ts'
import type {
  ChainReads,
  Completion,
  GivenKey,
  Intent,
  KeyRef,
  KeyScheme,
  Network,
  PendingTx,
  PublicKey,
  Signature,
  Signed,
  SigningRequest,
  WalletKind,
  WalletShape,
} from '../base/model.ts'

/** The keys a payment is signed with, in the order of `keys(pending)`, and the network they are on. */
export type Own = {
  readonly network: Network
  readonly keys: readonly PublicKey[]
  /** Choices of the owner that change what a chain signs; see `ChainSettings`. */
  readonly settings: ChainSettings
}

/** The owner's; the same in both processes. */
export type ChainSettings = {
  /** TATUM_KMS_FLOW_SCRIPTS: scripts of today's network, or those of the original. */
  readonly flowScripts: 'cadence1' | 'original'
  /**
   * --verify-inputs: legacy UTXO inputs, whose signatures do not commit to amounts, are signed when
   * their amounts are proved, and with a warning (auto), not at all (require) or just so (off) when
   * no proof can be had.
   */
  readonly verifyInputs: 'auto' | 'require' | 'off'
  /** Names of built-in denials that the policy lifts; see `liftableDenials`. */
  readonly lifted: readonly string[]
  /**
   * By chain: the most that one payment may pay in fees, in base units as decimal digits. It takes
   * the place of the chain's own cap, whether it is above or below.
   */
  readonly feeCaps: Readonly<Record<string, string>>
}

/**
 * A chain, written down: everything that turns untrusted text into a typed transaction, says what
 * it does, names what must be signed and assembles the result. Pure: no key, no network, no clock.
 * Refusals throw `KmsError('transaction-malformed' | 'transaction-refused', …)`.
 */
export type ChainDefinition<Tx> = {
  readonly id: string
  readonly name: string
  readonly key: KeyScheme
  /** What a new wallet is when nothing is given to make it of. */
  readonly generates: WalletKind
  readonly walletShape: WalletShape
  address(publicKey: PublicKey, network: Network): string
  /** Which keys sign, in the order `Own.keys` and `SigningRequest.key` follow. */
  keys(pending: PendingTx): readonly KeyRef[]
  /** Reads `serialized` strictly: unknown members and wrong shapes are refused. */
  decode(serialized: string, own: Own, pending: PendingTx): Tx
  intent(tx: Tx, own: Own): Intent
  /** Front only: reads what is missing. Answers only fields that are missing. */
  complete?(tx: Tx, own: Own, reads: ChainReads, signal: AbortSignal): Promise<Completion>
  /** The transaction with the completion's fields; refuses any field it does not lack. */
  fill(tx: Tx, completion: Completion, own: Own): Tx
  /**
   * What can be used once only: `nonce/<address>/<number>` (numbers that follow each other from 0),
   * `sequence/<account>/<number>` (any numbers), `output/<txid>:<index>`, or the whole of it,
   * `tx/<id>`. The signer's ledger gives each claim to one payment, for ever or until a person gives
   * it up; at least one, or two payments that are alike would be one to the network, and both told
   * of as paid.
   */
  claims(tx: Tx, own: Own): readonly string[]
  /**
   * Whether completion dates `asked`, by a block to count from: what another payment has claimed is
   * then not refused for good, since a later completion claims something else.
   */
  isDated?(asked: Tx): boolean
  messages(tx: Tx, own: Own): readonly SigningRequest[]
  /** Keys that came with the transaction: `SigningRequest.key` counts on into them. */
  givenKeys?(tx: Tx): readonly GivenKey[]
  /** `signatures[i]` answers `messages(tx, own)[i]`. */
  assemble(tx: Tx, own: Own, signatures: readonly Signature[]): Signed
  /**
   * Reads signed bytes back. Fields that bytes of this chain do not carry (amounts of spent
   * outputs) are taken over from `tx`; everything else must come from `txData`.
   */
  decodeSigned(txData: string, tx: Tx, own: Own): Tx
  /**
   * The most this transaction may pay in fees without a policy that says otherwise (DESIGN 6).
   * Known before it is signed: where it goes by size, signatures count with their full length.
   */
  feeCap(tx: Tx, own: Own): bigint
  /**
   * How many units of the chain's coin one unit of what pays the fee counts as, where that may be
   * something else: caps are in the coin.
   */
  feeWorth?(tx: Tx, own: Own): bigint
  /** What pays the fee, as the intent names it, where that is not the chain's coin. */
  feeAsset?(tx: Tx): string
  /**
   * Front only: adds what others must sign or wrap, to bytes the signer has given out. Everything it
   * needs stands in `txData`, so that it can be done again after a crash; the result is decoded and
   * compared with what we signed before it is answered. Answers the final bytes.
   */
  finish?(txData: string, own: FinishOwn, reads: ChainReads, signal: AbortSignal): Promise<Signed>
  /**
   * Front only: sends the final bytes to the network itself, where Tatum does not. May be called
   * again with the same bytes at any time, also when they have arrived.
   */
  submit?(
    txData: string,
    own: FinishOwn,
    reads: ChainReads,
    signal: AbortSignal,
  ): Promise<Submission>
  /**
   * `by-address` where a network takes payments of one sender in the order of their numbers, or where
   * `complete` reads such a number: they are completed and sent one after the other, and wait when one
   * before them was not delivered. `nextNonce` waits for those before to be signed; with numbers of
   * their own they are signed together. The sender is the first of `intent.from`.
   */
  readonly order: 'by-address' | 'free'
  /**
   * For how many milliseconds about a network takes the transaction once it is completed, where that
   * is counted in blocks; `intent.expiry` is for what is a time.
   */
  lifetime?(tx: Tx): number
  /** Only where senders number their payments without a gap, and signed bytes say by whom. */
  readonly numbering?: Numbering & {
    /**
     * What uses up the number of `txData`, signed bytes of ours, for nothing, at a price at which nodes
     * let it take their place: no less than `price`, what a unit of gas costs now.
     */
    replacement(txData: string, own: Own, price: bigint): Tx
  }
  readonly broadcast: {
    readonly path: string
    /** Payments of virtual accounts go to the ledger's own endpoint (protocol 1.5). */
    readonly offchain: boolean
  }
}

/** How to look for bytes that were sent and have not arrived. */
export type Numbering = {
  /** Which number of which sender signed bytes use up. */
  numberOf(txData: string): { readonly sender: string; readonly number: bigint }
  /** Front only: how many transactions of the sender the network has taken into blocks. */
  count(sender: string, reads: ChainReads): Promise<bigint>
  /** Front only: whether this very transaction is in a block, where nodes can be asked that. */
  isInBlock?(txId: string, reads: ChainReads): Promise<boolean>
  /** Front only: what a unit of gas costs now, in what signed bytes pay it with. */
  price(txData: string, reads: ChainReads): Promise<bigint>
}

/** Without keys: what is finished and submitted was signed before. */
export type FinishOwn = Pick<Own, 'network' | 'settings'>

/** `txData` is what Tatum is then told; an expired payment can never arrive any more. */
export type Submission =
  | { readonly kind: 'sent'; readonly txData: string }
  | { readonly kind: 'expired' }

/** A transaction the signer is ready to sign: what it does, what it uses up, what to sign. */
export type Prepared = {
  readonly intent: Intent
  readonly claims: readonly string[]
  /** A later completion claims something else; see `ChainDefinition.isDated`. */
  readonly isDated: boolean
  /** See `ChainDefinition.lifetime`. */
  readonly lifetimeMs?: number
  readonly requests: readonly SigningRequest[]
  readonly givenKeys: readonly GivenKey[]
  /** Assembles, decodes the result again and answers only when every field is what was asked. */
  seal(signatures: readonly Signature[]): Signed
}

/** A chain as the rest of the program sees it; the transaction type stays inside. */
export type Chain = Pick<
  ChainDefinition<never>,
  | 'id'
  | 'name'
  | 'key'
  | 'generates'
  | 'walletShape'
  | 'address'
  | 'keys'
  | 'finish'
  | 'submit'
  | 'order'
> & {
  /** What the pending transaction does, before anything is added to it. */
  review(pending: PendingTx, own: Own): Intent
  /** Front only. */
  complete(
    pending: PendingTx,
    own: Own,
    reads: ChainReads,
    signal: AbortSignal,
  ): Promise<Completion>
  /** The most that the payment can cost in fees, as far as it is known before it is completed. */
  feeCeiling(pending: PendingTx, own: Own): NonNullable<Intent['fee']>
  prepare(pending: PendingTx, own: Own, completion: Completion): Prepared
  /** The one request that hands the signed bytes to Tatum. */
  broadcast(pending: Pick<PendingTx, 'id' | 'withdrawalId'>, txData: string): Broadcast
  /** Absent where a payment that was signed cannot be taken back. */
  readonly numbering?: Numbering & {
    /** What takes the place of signed bytes, ready to be signed. */
    replace(txData: string, own: Own, price: bigint): Prepared
    /** Hands bytes to the network that pay nobody: Tatum must not take them for the payment. */
    broadcast(txData: string): Broadcast
  }
}

type Broadcast = { readonly path: string; readonly body: Json }

const offchainPath = '/v3/offchain/withdrawal/broadcast'

/** Seals a definition: the order decode → fill → intent → sign → read back cannot be left out. */
export function defineChain<Tx>(definition: ChainDefinition<Tx>): Chain {
  const { id, name, key, generates, walletShape, finish, submit, order, numbering } = definition

  const decode = (pending: PendingTx, own: Own): Tx => {
    if (pending.chain !== id) {
      throw new KmsError('transaction-malformed', `transaction is for another chain than ${id}`)
    }
    return definition.decode(pending.serializedTransaction, own, pending)
  }

  return {
    id,
    name,
    key,
    generates,
    walletShape,
    order,
    ...(finish && { finish: finish.bind(definition) }),
    ...(submit && { submit: submit.bind(definition) }),
    address: (publicKey, network) => definition.address(publicKey, network),
    keys: pending => definition.keys(pending),
    review: (pending, own) => definition.intent(decode(pending, own), own),

    feeCeiling(pending, own) {
      const tx = decode(pending, own)
      const { fee } = definition.intent(tx, own)
      if (fee !== undefined) return fee
      return { amount: capOf(definition, tx, own), asset: definition.feeAsset?.(tx) ?? id }
    },

    async complete(pending, own, reads, signal) {
      return (await definition.complete?.(decode(pending, own), own, reads, signal)) ?? {}
    },

    prepare(pending, own, completion) {
      const asked = decode(pending, own)
      const tx = definition.fill(asked, completion, own)
      const before = definition.intent(asked, own)
      const intent = tx === asked ? before : definition.intent(tx, own)
      refuseChangedIntent(before, intent)
      const isDated = definition.isDated?.(asked) ?? false
      return { ...ready(definition, { tx, intent }, own), isDated }
    },

    broadcast(pending, txData) {
      const { path, offchain } = definition.broadcast
      const { id: signatureId, withdrawalId } = pending
      if (!offchain || withdrawalId === undefined) return { path, body: { txData, signatureId } }
      return { path: offchainPath, body: { currency: id, signatureId, withdrawalId, txData } }
    },

    ...(numbering && {
      numbering: {
        ...numbering,
        replace(txData, own, price) {
          const tx = numbering.replacement(txData, own, price)
          return ready(definition, { tx, intent: definition.intent(tx, own) }, own)
        },
        broadcast: txData => ({ path: definition.broadcast.path, body: { txData } }),
      },
    }),
  }
}

/** The policy's cap for the chain, or `builtIn`. */
export function feeCapFor(
  id: string,
  builtIn: bigint,
  { settings }: Pick<Own, 'settings'>,
): bigint {
  const cap = Object.hasOwn(settings.feeCaps, id) ? settings.feeCaps[id] : undefined
  return cap === undefined ? builtIn : BigInt(cap)
}

function capOf<Tx>(definition: ChainDefinition<Tx>, tx: Tx, own: Own): bigint {
  const cap = feeCapFor(definition.id, definition.feeCap(tx, own), own)
  return cap / (definition.feeWorth?.(tx, own) ?? 1n)
}

/** All that is still to be checked and done when a transaction lacks nothing but its signatures. */
function ready<Tx>(
  definition: ChainDefinition<Tx>,
  { tx, intent }: { readonly tx: Tx; readonly intent: Intent },
  own: Own,
): Prepared {
  refuseExcessiveFee(intent, capOf(definition, tx, own))
  return {
    intent,
    claims: claimsOf(definition, tx, own),
    isDated: false,
    ...(definition.lifetime && { lifetimeMs: definition.lifetime(tx) }),
    requests: definition.messages(tx, own),
    givenKeys: definition.givenKeys?.(tx) ?? [],
    seal(signatures) {
      const signed = definition.assemble(tx, own, signatures)
      if (!isDeepStrictEqual(definition.decodeSigned(signed.txData, tx, own), tx)) {
        throw new KmsError('unexpected', 'the signed bytes do not say what was asked for')
      }
      return signed
    },
  }
}

function claimsOf<Tx>(definition: ChainDefinition<Tx>, tx: Tx, own: Own): readonly string[] {
  const claims = definition.claims(tx, own)
  if (claims.length > 0) return claims
  throw new KmsError('unexpected', `a transaction of ${definition.id} claims nothing`)
}

/** Completion may add a fee; who pays whom how much is what the owner asked for. */
function refuseChangedIntent(asked: Intent, completed: Intent): void {
  const { fee: _, ...before } = asked
  const { fee: __, ...after } = completed
  if (!isDeepStrictEqual(before, after)) {
    throw new KmsError('transaction-refused', 'completion changes what the transaction does')
  }
}

function refuseExcessiveFee(intent: Intent, cap: bigint): void {
  if (intent.fee === undefined) {
    throw new KmsError('transaction-refused', 'the fee of this transaction cannot be bounded')
  }
  if (intent.fee.amount > cap) {
    throw new KmsError(
      'policy-denied',
      `fee of ${intent.fee.amount} ${intent.fee.asset} base units is above the limit of ${cap}`,
    )
  }
}
