import { KmsError } from '../base/errors.ts'
import type { Chain, FinishOwn } from '../chains/chain.ts'
import type { TatumApi } from '../tatum/api.ts'
import { isSigned, type SignedRow } from './journal.ts'
import { LeftToOthers, paymentLease, requireHeld } from './leases.ts'
import type { PaymentDeps } from './payment.ts'
import { chainReads, type ReadsDeps, type Warning } from './reads.ts'

/** What it takes to deliver bytes, wherever they were signed. */
export type SendDeps = ReadsDeps &
  Pick<PaymentDeps, 'journal' | 'network' | 'chainSettings' | 'findChain'> & {
    readonly api: Pick<TatumApi, 'broadcast'>
  }

export type DeliveryDeps = PaymentDeps & SendDeps

/** `expired`: these bytes can never arrive any more. */
export type Delivery =
  | {
      readonly kind: 'sent'
      readonly row: SignedRow
      readonly completed: boolean
      readonly warnings: readonly Warning[]
    }
  | { readonly kind: 'expired' }

/**
 * The payment with its final bytes, in the journal when this returns. Others add theirs to what the
 * signer gave out; until it is journaled nothing has left, so that it can be done again.
 */
export async function finish(
  deps: SendDeps,
  row: SignedRow,
  signal: AbortSignal,
): Promise<SignedRow> {
  const chain = needChain(deps, row.chain)
  if (chain.finish === undefined || row.finalData !== null) return row
  requireHeld(deps.journal.leases, paymentLease(row.pendingId))
  const reads = chainReads(deps, chain.id, [], signal)
  const final = await chain.finish(row.txData, ownOf(deps), reads, signal)
  const finished: SignedRow = {
    ...row,
    state: 'finished',
    finalData: final.txData,
    finalId: final.txId,
  }
  const kept = await deps.journal.record(finished)
  return isSigned(kept) ? kept : finished
}

/** Sends the final bytes; what came of it is in the journal when this returns. */
export async function send(deps: SendDeps, row: SignedRow, signal: AbortSignal): Promise<Delivery> {
  const delivery = await handOver(deps, row, signal)
  if (delivery.kind === 'sent') await deps.journal.record(delivery.row)
  return delivery
}

/**
 * Sends the final bytes. They are the payment's only ones for ever, so a failure here says nothing
 * about the payment: it may have arrived all the same, and is neither a refusal nor reported as one.
 * That they were sent is to be written down by the caller; cut off before that, they are sent again.
 */
export async function handOver(
  deps: SendDeps,
  row: SignedRow,
  signal: AbortSignal,
): Promise<Delivery> {
  const chain = needChain(deps, row.chain)
  const bytes = row.finalData ?? row.txData
  requireHeld(deps.journal.leases, paymentLease(row.pendingId))
  const warnings: Warning[] = []
  const reads = chainReads(deps, chain.id, warnings, signal)
  let told = row
  if (chain.submit !== undefined && row.arrivalData === null) {
    const submission = await chain.submit(bytes, ownOf(deps), reads, signal)
    if (submission.kind === 'expired') {
      const kept = await deps.journal.record({ ...row, state: 'expired', reason: expiredReason })
      // Another daemon may have seen it arrive: then nobody is to hear that it never will.
      if (kept.state !== 'expired') throw new LeftToOthers()
      return submission
    }
    // A later look might not find it any more: from here on it is told of, and nothing else.
    told = { ...row, state: 'arrived', arrivalData: submission.txData }
    await deps.journal.record(told)
  }
  const { pendingId: id, withdrawalId } = row
  const payment = { id, ...(withdrawalId !== null && { withdrawalId }) }
  const sent = chain.broadcast(payment, told.arrivalData ?? bytes)
  const { completed = true } = await deps.api.broadcast(sent, signal)
  return {
    kind: 'sent',
    row: { ...told, state: 'sent', code: null, reason: null },
    completed,
    warnings,
  }
}

export const expiredReason = 'expired: it can never arrive any more and is not signed again'

function ownOf({ network, chainSettings: settings }: SendDeps): FinishOwn {
  return { network, settings }
}

function needChain({ findChain }: Pick<SendDeps, 'findChain'>, id: string): Chain {
  const chain = findChain(id)
  if (chain !== undefined) return chain
  throw new KmsError('unexpected', `this program has no chain ${id}`)
}
