import { KmsError } from '../base/errors.ts'
import type { Intent, Network, PendingTx, Signature, Signed } from '../base/model.ts'
import type { Chain, Own, Prepared } from '../chains/chain.ts'
import type { Judged } from '../guard/policy.ts'
import type { KeyRoom, SignTask } from '../secret/key-room.ts'
import { verify } from '../secret/sign.ts'
import type { Vault } from '../vault/vault.ts'
import { type Approvals, requireApprovals } from './approvals.ts'
import { type BatchClaims, settleClaims, takeClaims } from './claims.ts'
import type { Ledger, LedgerEntry } from './ledger.ts'
import type { Additions } from './messages.ts'
import { type OpenedKeys, type OwnKey, openKeys, ownKeys } from './own-keys.ts'
import type { PolicyBatch, SignerPolicy } from './policy.ts'
import type { SpotCheck } from './spot-check.ts'

export type SignerDeps = {
  readonly vault: Vault
  readonly ledger: Ledger
  readonly room: Pick<KeyRoom, 'signAll' | 'publicKey'>
  readonly network: Network
  readonly policy: SignerPolicy
  /** See `SignerSettings`. */
  readonly acceptNonces: readonly string[]
  readonly othersSign?: boolean
  readonly allowReplacement: boolean
  readonly cancel: string | null
  readonly resign: string | null
  /** Null where payments need no signed approvals. */
  readonly approvals: Approvals | null
  readonly findChain: (id: string) => Chain | undefined
  /** Milliseconds since 1970. */
  readonly now: () => number
  /** Why memory handed out so far may reach swap; undefined while all of it is locked. */
  readonly lockingFailed: () => string | undefined
}

/** A payment that is ready to be signed. */
export type Job = PaymentToSign & {
  readonly owned: readonly OwnKey[]
  readonly own: Own
  readonly prepared: Prepared
  /** What it takes over from the payment whose place it takes. */
  readonly releases: readonly string[]
  /** Keys of the approvers who have signed that it may be made. */
  readonly approvedBy: readonly string[]
  readonly tasks: readonly SignTask[]
}

export type PaymentToSign = {
  readonly pending: PendingTx
  /** SHA-256 of its serializedTransaction. */
  readonly serializedHash: Uint8Array
}

/** What is under way at the same time. */
export type Workbench = {
  /** No two payments use the same thing. */
  readonly claims: BatchClaims
  /** Nor do they go beyond a window together. */
  readonly policy: PolicyBatch
  /** Wipes the opened keys when all is signed. */
  readonly keys: OpenedKeys
}

/** Decodes, decides and opens keys: everything that can stop a payment stops it here. */
export async function prepareJob(
  deps: SignerDeps,
  { pending, serializedHash }: PaymentToSign,
  { completion, approvals = [] }: Additions,
  bench: Workbench,
): Promise<Job> {
  const { network } = deps
  const chain = needChain(deps, pending.chain)
  const owned = await ownKeys(deps, chain, chain.keys(pending))
  const keys = owned.map(({ publicKey }) => publicKey)
  const own: Own = { network, keys, settings: bench.policy.chainSettings }
  const prepared = chain.prepare(pending, own, completion)
  refuseDates(prepared.intent, deps.now())
  const { intent, claims, isDated } = prepared
  const about = { facts: factsOf(intent, owned), unread: intent.unread ?? false }
  const claimed = { pendingId: pending.id, chain: chain.id, network, claims, isDated, ...about }
  const releases = settleClaims(deps, claimed, bench.claims)
  const judged = judgedOf(chain, owned, prepared.intent)
  bench.policy.refuse(judged)
  const approvable = { chain, pending, own, intent: prepared.intent }
  const approvedBy = requireApprovals(deps, approvable, approvals)
  const tasks = await openKeys(deps, chain, owned, prepared, bench.keys)
  // Last: what a refused payment asks for is left to the others of its batch.
  takeClaims(claimed, bench.claims)
  bench.policy.take(judged)
  return { pending, serializedHash, owned, own, prepared, releases, approvedBy, tasks }
}

/** What policies judge of a payment. */
export function judgedOf(
  { id: chain }: Pick<Chain, 'id'>,
  owned: readonly Pick<OwnKey, 'ref'>[],
  intent: Intent,
): Judged {
  return { chain, wallets: [...new Set(owned.map(({ ref }) => ref.signatureId))], intent }
}

/** Assembles and reads back; what comes of it may go into the ledger. */
export function sealJob(
  { network, now }: SignerDeps,
  { pending, serializedHash, owned, own, prepared, releases, approvedBy }: Job,
  signatures: readonly Signature[],
  spotCheck: SpotCheck,
): Omit<LedgerEntry, 'facts'> & { readonly facts: Facts & Pick<Job, 'approvedBy'> } {
  const { txData, txId }: Signed = prepared.seal(signatures)
  const used = new Set(prepared.requests.map(({ key }) => owned[key]?.ref))
  const usedRefs = [...used].filter(ref => ref !== undefined)
  spotCheck(usedRefs, () => verifyAll(prepared, signatures, own))
  const { intent, claims } = prepared
  const facts = { ...factsOf(intent, owned), approvedBy }
  const { id: pendingId, chain } = pending
  const signedAt = now()
  const about = { pendingId, chain, network, serializedHash }
  return { ...about, txData, txId, facts, claims, releases, signedAt }
}

type Facts = ReturnType<typeof factsOf>

/** What the ledger keeps beside the bytes. */
export function factsOf(intent: Intent, owned: readonly Pick<OwnKey, 'ref'>[]) {
  return {
    keys: owned.map(({ ref }) => ({ ...ref })),
    kind: intent.kind,
    from: intent.from,
    outputs: intent.outputs.map(output => ({ ...output, amount: output.amount.toString() })),
    fee: intent.fee ? { ...intent.fee, amount: intent.fee.amount.toString() } : null,
    ...(intent.unread && { unread: true }),
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

const day = 86_400_000

/** A time that is too far from now, whichever way (DESIGN 6). */
export function refuseDates(intent: Intent, now: number): void {
  refuseFarExpiry(intent, now)
  refuseFarStart(intent, now)
}

/** Bytes that stay valid for long can be sent by anybody who has them (DESIGN 6). */
function refuseFarExpiry({ expiry }: Intent, now: number): void {
  if (expiry === undefined || expiry <= now + day) return
  throw new KmsError('transaction-refused', 'the transaction expires more than 24 hours from now')
}

/** Nobody remembers a payment that comes to life months later, and it cannot be called back. */
function refuseFarStart({ notBefore }: Intent, now: number): void {
  if (notBefore === undefined || notBefore <= now + day) return
  throw new KmsError(
    'transaction-refused',
    'no network takes the transaction before more than 24 hours from now',
  )
}
