import { KmsError } from '../base/errors.ts'
import type { Network } from '../base/model.ts'
import type { OrderedPayment } from '../signer/messages.ts'
import type { TatumApi } from '../tatum/api.ts'
import { pendingId } from '../tatum/pending.ts'
import { type DeliveryDeps, finish, send } from './delivery.ts'
import type { EventLog } from './events.ts'
import { isSigned, type PaymentRow, type SignedRow } from './journal.ts'
import { completePayment, lookOverAgain, requireApproval, tellWarnings } from './payment.ts'

export type ResignDeps = DeliveryDeps & {
  readonly api: Pick<TatumApi, 'pending' | 'broadcast'>
  readonly log: Pick<EventLog, 'warning'>
}

/** What became of a payment that is signed anew. */
export type Resigned = {
  readonly id: string
  readonly chain: string
  readonly network: Network
  readonly state: 'sent'
  /** Of the bytes that had expired. */
  readonly replaced: string | null
  readonly txId: string
}

/**
 * Signs a payment that has expired anew, because its owner says so, and sends it. May be cut off
 * anywhere and done again: there is one new set of bytes, until that has expired, too.
 */
export async function resignPayment(
  deps: ResignDeps,
  id: string,
  signal: AbortSignal,
): Promise<Resigned> {
  const { payment } = await deps.signer.ask({ type: 'resignation' })
  const row = requireSigned(await deps.journal.find(id))
  const renewed = await renew(deps, row, payment, signal)
  if (renewed.state === 'sent') return resigned(deps, renewed)
  const finished = await finish(deps, renewed, signal)
  const delivery = await send(deps, finished, signal)
  if (delivery.kind === 'expired') {
    throw refused('the new bytes have expired, too: run it once more to have others signed')
  }
  tellWarnings(deps, finished, delivery.warnings)
  if (!delivery.completed) {
    deps.log.warning('withdrawal must be completed by hand', { id, chain: row.chain })
  }
  return resigned(deps, finished)
}

function resigned({ network }: ResignDeps, row: SignedRow): Resigned {
  const { pendingId: id, chain, replacedId: replaced, finalId, txId } = row
  return { id, chain, network, state: 'sent', replaced, txId: finalId ?? txId }
}

/** Only a journal can say that bytes have expired: one that was lost says nothing. */
function requireSigned(row: PaymentRow | undefined): SignedRow {
  if (row === undefined) {
    throw new KmsError('usage', 'there is no such payment in the journal', {
      hint: 'tatum-kms tx list --state=expired shows what can be signed anew',
    })
  }
  if (isSigned(row)) return row
  throw refused('the payment was never signed')
}

type Bytes = Pick<SignedRow, 'txData' | 'txId'>

/** The payment with its newest bytes; they have not expired, as far as the journal knows. */
async function renew(
  deps: ResignDeps,
  row: SignedRow,
  payment: OrderedPayment | null,
  signal: AbortSignal,
): Promise<SignedRow> {
  if (row.state !== 'expired') {
    if (row.replacedId !== null && row.txData === payment?.txData) return row
    throw refused('the payment is not expired: its bytes may still arrive')
  }
  const { txData, txId } = await newBytes(deps, row, payment, signal)
  // Before they go anywhere: from here on a daemon sends them by itself.
  return await deps.journal.renew({ pendingId: row.pendingId, txData, txId })
}

async function newBytes(
  deps: ResignDeps,
  row: SignedRow,
  payment: OrderedPayment | null,
  signal: AbortSignal,
): Promise<Bytes> {
  if (payment !== null && payment.txData === row.txData) {
    return await signAnew(deps, row, payment, signal)
  }
  // Cut off before: the ledger has the new bytes, and the journal does not.
  if (payment !== null && payment.before?.txData === row.txData) return payment
  throw refused('the ledger does not have the bytes that the journal has')
}

/** As a payment that was never signed: Tatum must still ask for it, and the approver agree again. */
async function signAnew(
  deps: ResignDeps,
  row: SignedRow,
  { wallets }: OrderedPayment,
  signal: AbortSignal,
): Promise<Bytes> {
  const listed = await deps.api.pending(row.chain, wallets, signal)
  const sent = listed.find(entry => pendingId(entry) === row.pendingId)
  if (sent === undefined) throw refused('Tatum does not list the payment any more: nothing is done')
  const reviewed = await lookOverAgain(deps, row, sent)
  const approvals = await requireApproval(deps, reviewed, signal)
  const { completion, warnings } = await completePayment(deps, reviewed, signal)
  const payment = { pending: sent, completion, approvals }
  const signed = await deps.signer.ask({ type: 'resign', payment, expired: row.txId })
  tellWarnings(deps, row, warnings)
  return signed
}

function refused(message: string): KmsError {
  return new KmsError('transaction-refused', message)
}
