import { createHash } from 'node:crypto'
import { setImmediate } from 'node:timers/promises'
import { utf8 } from '../base/bytes.ts'
import { asKmsError, KmsError } from '../base/errors.ts'
import type { Signature } from '../base/model.ts'
import { parsePending } from '../tatum/pending.ts'
import { type Decision, decisionOn } from './decisions.ts'
import {
  type Job,
  type PaymentToSign,
  prepareJob,
  refuseUnlockedMemory,
  requireAll,
  type SignerDeps,
  sealJob,
  type Workbench,
} from './job.ts'
import type { LedgerEntry, StoredSignature } from './ledger.ts'
import type { Additions, Payment, SignResult } from './messages.ts'
import { holdKeys } from './own-keys.ts'
import { orRefusal, orRefused, type Refusal } from './refusal.ts'
import type { SpotCheck } from './spot-check.ts'
import { refuseOtherContents, storedFor } from './stored-payments.ts'

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
  using keys = holdKeys()
  // Ends first: a key is not wiped while it signs.
  await using rounds = signInRounds(deps.room)
  const policy = deps.policy.openBatch()
  const decisions: Decision[] = []
  const batch: Batch = { jobs: new Map(), claims: new Map(), policy, keys, decisions }
  const plans: (Plan | Refusal)[] = []
  for (let at = 0; at < payments.length; at += paymentsPerRound) {
    const round = await planRound(deps, payments.slice(at, at + paymentsPerRound), batch)
    // The keys of this batch may have been what the limit had no room for.
    refuseUnlockedMemory(deps.lockingFailed())
    rounds.begin(round.filter(answer => 'prepared' in answer))
    plans.push(...round)
    // The thread's answers come in, and its next tasks go out, and so do answers to other questions.
    await setImmediate()
  }

  const sealed = new Map<string, LedgerEntry | Refusal>()
  for await (const { job, signatures } of rounds.signed()) {
    const seal = () => sealJob(deps, job, requireAll(signatures), spotCheck)
    const entry = await orRefusal(() => deciding(deps, job, decisions, seal))
    sealed.set(job.pending.id, entry)
  }
  const entries = [...sealed.values()].filter(answer => 'pendingId' in answer)
  deps.ledger.commit(entries, decisions)
  deps.policy.count(entries)

  return plans.map(answer => {
    if ('kind' in answer) return answer
    const first = sealed.get('prepared' in answer ? answer.pending.id : answer.sameAs)
    if (first === undefined) throw new KmsError('unexpected', 'a payment was lost in its batch')
    return 'kind' in first ? first : signedResult(first, 'sameAs' in answer)
  })
}

/** The thread for keys signs these while the next ones are planned here. */
const paymentsPerRound = 32

/** Signs jobs as they come; they are sealed when all have come. */
function signInRounds(room: SignerDeps['room']) {
  const rounds: { readonly jobs: readonly Job[]; readonly signing: Promise<Signatures> }[] = []
  return {
    begin(jobs: readonly Job[]): void {
      const signing = room.signAll(jobs.flatMap(({ tasks }) => tasks))
      // Waited for later.
      signing.catch(() => {})
      rounds.push({ jobs, signing })
    },
    async *signed() {
      for (const { jobs, signing } of rounds) {
        const signatures = await signing
        let at = 0
        for (const job of jobs) {
          const own = signatures.slice(at, at + job.tasks.length)
          at += job.tasks.length
          yield { job, signatures: own }
        }
      }
    },
    async [Symbol.asyncDispose]() {
      await Promise.allSettled(rounds.map(({ signing }) => signing))
    },
  }
}

type Signatures = readonly (Signature | null)[]

type Batch = Workbench & { readonly jobs: Map<string, Job>; readonly decisions: Decision[] }

/** A job, or an answer that needs no signing: the ledger's, or whatever its twin comes to. */
type Plan = Job | SignResult | { readonly sameAs: string }

async function planRound(
  deps: SignerDeps,
  payments: readonly Payment[],
  batch: Batch,
): Promise<readonly (Plan | Refusal)[]> {
  // What names no payment is refused, and there is nothing to write down.
  const read = payments.map(({ pending, ...additions }) =>
    orRefused(() => ({ payment: readPayment(pending), additions })),
  )
  const ids = read.flatMap(each => ('payment' in each ? each.payment.pending.id : []))
  const known = deps.ledger.known(ids)
  const plans: (Plan | Refusal)[] = []
  // In order: what one payment has taken the next one cannot have.
  for (const each of read) {
    if ('kind' in each) plans.push(each)
    else plans.push(await orRefusal(() => plan(deps, each, batch, known)))
  }
  return plans
}

type ReadPayment = { readonly payment: PaymentToSign; readonly additions: Additions }

function plan(
  deps: SignerDeps,
  { payment, additions }: ReadPayment,
  batch: Batch,
  known: ReadonlySet<string>,
): Promise<Plan> {
  return deciding(deps, payment, batch.decisions, async () => {
    const isKnown = known.has(payment.pending.id)
    const stored = isKnown ? storedFor(deps, payment) : undefined
    return stored ? signedResult(stored, true) : planFor(deps, payment, additions, batch)
  })
}

async function planFor(
  deps: SignerDeps,
  payment: PaymentToSign,
  additions: Additions,
  batch: Batch,
): Promise<Job | { readonly sameAs: string }> {
  const { id } = payment.pending
  const twin = batch.jobs.get(id)
  if (twin !== undefined) {
    const { serializedHash } = twin
    const before = { chain: twin.pending.chain, network: deps.network, serializedHash }
    refuseOtherContents(deps, before, payment)
    return { sameAs: id }
  }
  const job = await prepareJob(deps, payment, additions, batch)
  batch.jobs.set(id, job)
  return job
}

/** Does `work`, and adds what stops it to `decisions`, for the ledger. */
export async function deciding<T>(
  { network, now }: Pick<SignerDeps, 'network' | 'now'>,
  { pending, serializedHash }: PaymentToSign,
  decisions: Decision[],
  work: () => T | Promise<T>,
): Promise<T> {
  try {
    return await work()
  } catch (thrown) {
    const { id: pendingId, chain } = pending
    const decided = { pendingId, chain, network, serializedHash }
    const decision = decisionOn(decided, asKmsError(thrown), now())
    if (decision !== undefined) decisions.push(decision)
    throw thrown
  }
}

/** Reads a pending transaction as it came over the pipe. */
export function readPayment(sent: unknown): PaymentToSign {
  const pending = parsePending(sent)
  const serializedHash = createHash('sha256').update(utf8(pending.serializedTransaction)).digest()
  return { pending, serializedHash }
}

function signedResult(
  { txData, txId }: Pick<StoredSignature, 'txData' | 'txId'>,
  repeated: boolean,
): SignResult {
  return { kind: 'signed', txData, txId, repeated }
}
