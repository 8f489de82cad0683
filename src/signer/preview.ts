import type { Intent } from '../base/model.ts'
import type { Decision } from './decisions.ts'
import { openPayment } from './explain-payment.ts'
import { judgedOf, refuseDates, type SignerDeps } from './job.ts'
import type { Payment } from './messages.ts'
import { deciding, readPayment } from './sign-batch.ts'
import { storedFor } from './stored-payments.ts'

/** What signing a payment would come to. */
export type Preview =
  | { readonly kind: 'signed-before' }
  | {
      readonly kind: 'to-sign'
      readonly id: string
      readonly chain: string
      readonly intent: Intent
    }

/**
 * Decodes a completed payment as it would be signed, so that a person can be asked about it. What
 * stops it is thrown, and goes into `decisions`.
 */
export async function previewPayment(
  deps: SignerDeps,
  { pending: sent, completion }: Payment,
  decisions: Decision[],
): Promise<Preview> {
  const payment = readPayment(sent)
  const { pending } = payment
  return deciding(deps, payment, decisions, async () => {
    if (storedFor(deps, payment) !== undefined) return { kind: 'signed-before' }
    const policy = deps.policy.openBatch()
    const { chain, owned, own } = await openPayment(deps, policy.chainSettings, pending)
    const { intent } = chain.prepare(pending, own, completion)
    refuseDates(intent, deps.now())
    policy.refuse(judgedOf(chain, owned, intent))
    return { kind: 'to-sign', id: pending.id, chain: chain.id, intent }
  })
}
