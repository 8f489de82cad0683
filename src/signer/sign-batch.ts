import { createHash } from 'node:crypto'
import { equalBytes, fromHex, utf8 } from '../base/bytes.ts'
import { asKmsError, KmsError } from '../base/errors.ts'
import type { Intent, Network, PendingTx, Signature, Signed } from '../base/model.ts'
import type { Chain, ChainSettings, Own, Prepared } from '../chains/chain.ts'
import type { KeyRoom, SignTask } from '../secret/key-room.ts'
import { verify } from '../secret/sign.ts'
import { parsePending } from '../tatum/pending.ts'
import type { Vault } from '../vault/vault.ts'
import { type BatchClaims, refuseCancelled, refuseClaims, takeClaims } from './claims.ts'
import type { Ledger, LedgerEntry, StoredSignature } from './ledger.ts'
import type { Payment, SignResult } from './messages.ts'
import { type OwnKey, openKeys, ownKeys } from './own-keys.ts'
import type { SpotCheck } from './spot-check.ts'

export type SignerDeps = {
  readonly vault: Vault
  readonly ledger: Ledger
  readonly room: Pick<KeyRoom, 'signAll' | 'publicKey'>
  readonly network: Network
  readonly chainSettings: ChainSettings
  /** See `SignerSettings`. */
  readonly acceptNonces: readonly string[]
  readonly cancel: string | null
  readonly findChain: (id: string) => Chain | undefined
  /** Milliseconds since 1970. */
  readonly now: () => number
  /** Why memory handed out so far may reach swap; undefined while all of it is locked. */
  readonly lockingFailed: () => string | undefined
}

/**
 * Signs what may be signed, commits all of it at once, and only then answers: no signature leaves
 * this process before the ledger has it on disk. One refused payment does not hold up the others.
 */
export async function signBatch(
  deps: SignerDeps,
  payments: readonly Payment[],
  spotCheck: SpotCheck,
): Promise<readonly SignResult[]> {
  refuseUnlockedMemory(deps.lockingFailed())
  using keys = new DisposableStack()
  const batch: Batch = { jobs: new Map(), claims: new Map(), keys }
  const plans = []
  // In order: what one payment has taken the next one cannot have.
  for (const payment of payments) {
    plans.push(await orRefusal(() => plan(deps, payment, batch)))
  }
  const jobs = plans.filter(answer => 'prepared' in answer)
  // The keys of this batch may have been what the limit had no room for.
  refuseUnlockedMemory(deps.lockingFailed())
  const signatures = await deps.room.signAll(jobs.flatMap(({ tasks }) => tasks))

  let at = 0
  const sealed = new Map<string, LedgerEntry | Refusal>()
  for (const job of jobs) {
    const own = signatures.slice(at, at + job.tasks.length)
    at += job.tasks.length
    const entry = await orRefusal(() => seal(deps, job, requireAll(own), spotCheck))
    sealed.set(job.pending.id, entry)
  }
  deps.ledger.commit([...sealed.values()].filter(answer => 'pendingId' in answer))

  return plans.map(answer => {
    if ('kind' in answer) return answer
    const first = sealed.get('prepared' in answer ? answer.pending.id : answer.sameAs)
    if (first === undefined) throw new KmsError('unexpected', 'a payment was lost in its batch')
    return 'kind' in first ? first : signedResult(first, 'sameAs' in answer)
  })
}

type Refusal = Extract<SignResult, { kind: 'refused' }>

/** What is under way in one batch, so that no two of its payments use the same thing. */
type Batch = {
  readonly jobs: Map<string, Job>
  readonly claims: BatchClaims
  /** Wipes the opened keys when the batch is signed. */
  readonly keys: DisposableStack
}

/** A payment that is ready to be signed. */
type Job = {
  readonly pending: PendingTx
  readonly serializedHash: Uint8Array
  readonly owned: readonly OwnKey[]
  readonly own: Own
  readonly prepared: Prepared
  readonly tasks: readonly SignTask[]
}

/** A job, or an answer that needs no signing: the ledger's, or whatever its twin comes to. */
async function plan(
  deps: SignerDeps,
  { pending: sent, completion }: Payment,
  batch: Batch,
): Promise<Job | SignResult | { readonly sameAs: string }> {
  const pending = parsePending(sent)
  const serializedHash = createHash('sha256').update(utf8(pending.serializedTransaction)).digest()
  refuseCancelled(deps.ledger, pending.id)
  const stored = deps.ledger.find(pending.id)
  if (stored !== undefined) {
    refuseOtherContents(stored, { ...pending, serializedHash, network: deps.network })
    return signedResult(stored, true)
  }
  const twin = batch.jobs.get(pending.id)
  if (twin !== undefined) {
    const { network } = deps
    refuseOtherContents(
      { chain: twin.pending.chain, network, serializedHash: twin.serializedHash },
      { ...pending, serializedHash, network },
    )
    return { sameAs: pending.id }
  }

  const chain = needChain(deps, pending.chain)
  const owned = await ownKeys(deps, chain, chain.keys(pending))
  const keys = owned.map(({ publicKey }) => publicKey)
  const own: Own = { network: deps.network, keys, settings: deps.chainSettings }
  const prepared = chain.prepare(pending, own, completion)
  refuseFarExpiry(prepared.intent, deps.now())
  const claimed = { chain: chain.id, network: deps.network, claims: prepared.claims }
  refuseClaims(deps, claimed, batch.claims)
  const tasks = await openKeys(deps, chain, owned, prepared, batch.keys)
  // Last: what a refused payment asks for is left to the others of its batch.
  takeClaims(claimed, pending.id, batch.claims)
  const job: Job = { pending, serializedHash, owned, own, prepared, tasks }
  batch.jobs.set(pending.id, job)
  return job
}

/** One id, one transaction: the same id with other contents is a fault or an attack. */
function refuseOtherContents(
  before: Pick<StoredSignature, 'chain' | 'network' | 'serializedHash'>,
  now: Pick<StoredSignature, 'chain' | 'network' | 'serializedHash'>,
): void {
  const isSame =
    before.chain === now.chain &&
    before.network === now.network &&
    equalBytes(before.serializedHash, now.serializedHash)
  if (isSame) return
  throw new KmsError(
    'transaction-refused',
    'this pending id was signed before with another transaction',
  )
}

/** What the ledger has for a payment; refuses an id that it has with other contents. */
export function storedFor(
  { ledger, network }: Pick<SignerDeps, 'ledger' | 'network'>,
  asked: { readonly chain: string; readonly pendingId: string; readonly contents: string },
): { readonly txData: string; readonly txId: string } | null {
  refuseCancelled(ledger, asked.pendingId)
  const stored = ledger.find(asked.pendingId)
  if (stored === undefined) return null
  const serializedHash = fromHex(asked.contents) ?? new Uint8Array()
  refuseOtherContents(stored, { chain: asked.chain, network, serializedHash })
  const { txData, txId } = stored
  return { txData, txId }
}

const day = 86_400_000

/** Bytes that stay valid for long can be sent by anybody who has them (DESIGN 6). */
function refuseFarExpiry({ expiry }: Intent, now: number): void {
  if (expiry === undefined || expiry <= now + day) return
  throw new KmsError('transaction-refused', 'the transaction expires more than 24 hours from now')
}

/** Assembles and reads back; what comes of it may go into the ledger. */
function seal(
  { network, now }: SignerDeps,
  { pending, serializedHash, owned, own, prepared }: Job,
  signatures: readonly Signature[],
  spotCheck: SpotCheck,
): LedgerEntry {
  const { txData, txId }: Signed = prepared.seal(signatures)
  const used = new Set(prepared.requests.map(({ key }) => owned[key]?.ref))
  const usedRefs = [...used].filter(ref => ref !== undefined)
  spotCheck(usedRefs, () => verifyAll(prepared, signatures, own))
  const { intent, claims } = prepared
  const facts = factsOf(intent, owned)
  const { id: pendingId, chain } = pending
  const signedAt = now()
  return { pendingId, chain, network, serializedHash, txData, txId, facts, claims, signedAt }
}

/** What the ledger keeps beside the bytes. */
export function factsOf(intent: Intent, owned: readonly Pick<OwnKey, 'ref'>[]) {
  return {
    keys: owned.map(({ ref }) => ({ ...ref })),
    kind: intent.kind,
    from: intent.from,
    outputs: intent.outputs.map(output => ({ ...output, amount: output.amount.toString() })),
    fee: intent.fee ? { ...intent.fee, amount: intent.fee.amount.toString() } : null,
  }
}

export function requireAll(signatures: readonly (Signature | null)[]): readonly Signature[] {
  const made = signatures.filter(signature => signature !== null)
  if (made.length === signatures.length) return made
  throw new KmsError('unexpected', 'a key of this payment could not be used')
}

export function verifyAll(
  { requests, givenKeys }: Prepared,
  signatures: readonly Signature[],
  own: Own,
): void {
  requests.forEach((request, i) => {
    const signature = signatures[i]
    const publicKey = own.keys[request.key] ?? givenKeys[request.key - own.keys.length]?.publicKey
    if (!signature || !publicKey || !verify(request, signature, publicKey)) {
      throw new KmsError('unexpected', 'a signature just made does not verify')
    }
  })
}

/** A daemon holds its keys for years: they must not reach a swap device. */
export function refuseUnlockedMemory(reason: string | undefined): void {
  if (reason === undefined) return
  throw new KmsError('memory', `memory for the keys cannot be locked: ${reason}`, {
    hint: 'raise the limit of locked memory (LimitMEMLOCK=, ulimit -l)',
  })
}

export function needChain({ findChain }: Pick<SignerDeps, 'findChain'>, id: string): Chain {
  const chain = findChain(id)
  if (chain === undefined) throw new KmsError('transaction-malformed', 'unknown chain')
  return chain
}

function signedResult(
  { txData, txId }: Pick<StoredSignature, 'txData' | 'txId'>,
  repeated: boolean,
): SignResult {
  return { kind: 'signed', txData, txId, repeated }
}

async function orRefusal<T>(work: () => T | Promise<T>): Promise<T | Refusal> {
  try {
    return await work()
  } catch (thrown) {
    const { code, message: reason } = asKmsError(thrown)
    return { kind: 'refused', code, reason }
  }
}
