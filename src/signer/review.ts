import { asKmsError } from '../base/errors.ts'
import { type Approvable, approvalOf, refuseDenied, refuseIfDenied } from './approvals.ts'
import { refuseCancelled } from './claims.ts'
import type { Decision } from './decisions.ts'
import { openPayment } from './explain-payment.ts'
import { judgedOf, type PaymentToSign, refuseDates, type SignerDeps } from './job.ts'
import type { Answers, Question, ReviewResult } from './messages.ts'
import type { PolicyBatch } from './policy.ts'
import { orRefusal } from './refusal.ts'
import { deciding, readPayment } from './sign-batch.ts'

/**
 * What approvers are to be told of each payment, or why nobody need be asked: whatever stops it
 * before it is completed stops it here.
 */
export async function reviewAll(
  deps: SignerDeps,
  pending: readonly unknown[],
): Promise<readonly ReviewResult[]> {
  const decisions: Decision[] = []
  const results: ReviewResult[] = []
  for (const sent of pending) results.push(await orRefusal(() => review(deps, sent, decisions)))
  if (decisions.length > 0) deps.ledger.commit([], decisions)
  return results
}

/** Writes a signed no down, for ever. */
export async function denyPayment(
  deps: SignerDeps,
  { pending, verdicts }: Extract<Question, { type: 'deny' }>,
): Promise<Answers['deny']> {
  const payment = readPayment(pending)
  const approvable = await lookAt(deps, payment, deps.policy.openBatch())
  const decisions: Decision[] = []
  try {
    await deciding(deps, payment, decisions, () => refuseIfDenied(deps, approvable, verdicts))
    return { reason: null }
  } catch (thrown) {
    const { code, message: reason } = asKmsError(thrown)
    if (code !== 'approver-denied') throw thrown
    deps.ledger.commit([], decisions)
    return { reason }
  }
}

async function review(
  deps: SignerDeps,
  sent: unknown,
  decisions: Decision[],
): Promise<ReviewResult> {
  const payment = readPayment(sent)
  return await deciding(deps, payment, decisions, async () => {
    const policy = deps.policy.openBatch()
    const approvable = await lookAt(deps, payment, policy)
    const { chain, pending, intent } = approvable
    const owned = chain.keys(pending).map(ref => ({ ref }))
    // Nobody is asked about what the policy denies.
    policy.refuse(judgedOf(chain, owned, intent))
    return { kind: 'to-approve', approval: approvalOf(deps, approvable) }
  })
}

async function lookAt(
  deps: SignerDeps,
  { pending }: PaymentToSign,
  { chainSettings }: PolicyBatch,
): Promise<Approvable> {
  refuseCancelled(deps.ledger, pending.id)
  refuseDenied(deps, pending)
  const { chain, own } = await openPayment(deps, chainSettings, pending)
  const intent = chain.review(pending, own)
  refuseDates(intent, deps.now())
  return { chain, pending, own, intent }
}
