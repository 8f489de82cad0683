import { KmsError } from '../base/errors.ts'
import type { Signed } from '../base/model.ts'
import { refuseCancelled } from './claims.ts'
import type { Decision } from './decisions.ts'
import {
  needChain,
  type PaymentToSign,
  prepareJob,
  refuseUnlockedMemory,
  requireAll,
  type SignerDeps,
  sealJob,
} from './job.ts'
import type { LedgerEntry, StoredSignature } from './ledger.ts'
import { resignedId } from './ledger-ids.ts'
import type { Additions, Answers, Payment } from './messages.ts'
import { describePayment, historyOf } from './ordered-payment.ts'
import { holdKeys } from './own-keys.ts'
import { deciding, readPayment } from './sign-batch.ts'
import { refuseOtherContents } from './stored-payments.ts'

/** What the ledger has of the payment that is to be signed anew. */
export function findResignation(deps: SignerDeps): Answers['resignation'] {
  const id = needId(deps)
  refuseCancelled(deps.ledger, id)
  return { payment: describePayment(deps, id) }
}

/**
 * Signs the one payment that this signer was started for anew. It is checked like one that was never
 * signed, and must be the same as before; the bytes it had stay in the ledger.
 *
 * @param expired id of the bytes that can arrive no more. When others have taken their place already,
 *   those are answered and nothing is signed: asking twice is asking once
 */
type Resigner = (payment: Payment, expired: string) => Promise<Answers['resign']>

/** Signs once in its life, whatever the front says has expired since: a person said so once. */
export function createResigner(deps: SignerDeps): Resigner {
  let hasSigned = false
  return async (payment, expired) => {
    const { entry, isNew } = await resign(deps, payment, { expired, hasSigned })
    hasSigned ||= isNew
    const { txData, txId } = entry
    return { txData, txId }
  }
}

type Renewal = { readonly entry: Signed; readonly isNew: boolean }

async function resign(
  deps: SignerDeps,
  { pending, ...additions }: Payment,
  { expired, hasSigned }: { readonly expired: string; readonly hasSigned: boolean },
): Promise<Renewal> {
  refuseUnlockedMemory(deps.lockingFailed())
  const payment = readPayment(pending)
  if (payment.pending.id !== needId(deps)) {
    throw refused('this signer was not started to sign this payment anew')
  }
  refuseCancelled(deps.ledger, payment.pending.id)
  const history = historyOf(deps, payment.pending.id)
  const newest = history.at(-1)
  if (newest === undefined) throw refused('a payment that was never signed is not signed anew')
  refuseOtherContents(deps, newest, payment)
  if (!history.some(({ txId }) => txId === expired)) {
    throw refused('the ledger does not have the bytes that have expired')
  }
  if (hasSigned || newest.txId !== expired) return { entry: newest, isNew: false }
  const entry = await recording(deps, payment, () => sign(deps, payment, additions, history))
  deps.ledger.commit([entry])
  return { entry, isNew: true }
}

/** What stops `work` is in the ledger before anybody hears of it. */
async function recording<T>(
  deps: SignerDeps,
  payment: PaymentToSign,
  work: () => Promise<T>,
): Promise<T> {
  const decisions: Decision[] = []
  try {
    return await deciding(deps, payment, decisions, work)
  } catch (fault) {
    deps.ledger.commit([], decisions)
    throw fault
  }
}

async function sign(
  deps: SignerDeps,
  payment: PaymentToSign,
  additions: Additions,
  history: readonly StoredSignature[],
): Promise<LedgerEntry> {
  const { ledger, network, room } = deps
  const { id, chain: chainId } = payment.pending
  const chain = needChain(deps, chainId)
  if (chain.submit === undefined) throw refused(`payments of ${chain.name} are not signed anew`)
  using keys = holdKeys()
  const bench = { claims: new Map(), policy: deps.policy.openBatch(), keys }
  const job = await prepareJob(deps, payment, additions, bench)
  refuseUnlockedMemory(deps.lockingFailed())
  const signatures = requireAll(await room.signAll(job.tasks))
  const entry = sealJob(deps, job, signatures, (_keys, check) => check())
  if (history.some(({ txData }) => txData === entry.txData)) {
    throw refused('signed anew it would be the bytes that have expired')
  }
  return {
    ...entry,
    pendingId: resignedId(id, history.length),
    facts: { ...entry.facts, resigns: id },
    // What it has claimed before stays with the bytes it had then.
    claims: entry.claims.filter(claim => ledger.claimant(chainId, network, claim) !== id),
  }
}

/** The front may have been taken over: which payment is signed anew is none of its business. */
function needId({ resign }: SignerDeps): string {
  if (resign !== null) return resign
  throw refused('this signer was not started to sign a payment anew')
}

function refused(reason: string): KmsError {
  return new KmsError('transaction-refused', reason)
}
