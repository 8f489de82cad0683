import { asKmsError, type ErrorCode, KmsError } from '../base/errors.ts'
import { finish, type SendDeps, send } from '../daemon/delivery.ts'
import { isSigned, type PaymentRow, type SignedRow } from '../daemon/journal.ts'
import type { SignedBundle, SignedPayment } from './format.ts'

/** What became of a payment. */
export type Sent = { readonly id: string; readonly chain: string } & (
  | {
      readonly state: 'sent' | 'sent before'
      readonly txId: string
      /** False: a withdrawal that must be completed by hand (protocol 1.5). */
      readonly completed: boolean
      readonly warnings: readonly { readonly event: string; readonly reason: string }[]
    }
  | { readonly state: 'failed'; readonly code: ErrorCode; readonly reason: string }
)

/**
 * Delivers signed bytes, one payment after the other, so that numbers of one sender arrive in their
 * order. Everything stands in the journal before it leaves, as with a daemon.
 */
export async function sendBundle(
  deps: SendDeps,
  { network, payments }: SignedBundle,
  signal: AbortSignal,
): Promise<readonly Sent[]> {
  if (network !== deps.network) {
    throw new KmsError('usage', `the bundle is for ${network}, and this is ${deps.network}`, {
      hint: network === 'testnet' ? 'give --testnet' : 'leave --testnet out',
    })
  }
  const results: Sent[] = []
  /** Chains on which what follows waits for what failed. */
  const held = new Set<string>()
  for (const payment of payments) {
    const { id, chain } = payment
    try {
      if (held.has(chain)) throw waits()
      results.push(await deliver(deps, payment, signal))
    } catch (thrown) {
      const { code, message: reason } = asKmsError(thrown)
      if (code === 'disk' || code === 'api-key-refused') throw thrown
      if (deps.findChain(chain)?.order === 'by-address') held.add(chain)
      results.push({ id, chain, state: 'failed', code, reason })
    }
  }
  return results
}

async function deliver(deps: SendDeps, payment: SignedPayment, signal: AbortSignal): Promise<Sent> {
  const { id, chain } = payment
  const row = await enter(deps, payment)
  const txIdOf = ({ finalId, txId }: SignedRow) => finalId ?? txId
  if (isOver(row)) {
    return { id, chain, state: 'sent before', txId: txIdOf(row), completed: true, warnings: [] }
  }
  const finished = await finish(deps, row, signal)
  const delivery = await send(deps, finished, signal)
  if (delivery.kind === 'expired') throw refused('its bytes have expired: it can never arrive')
  const { completed, warnings } = delivery
  return { id, chain, state: 'sent', txId: txIdOf(finished), completed, warnings }
}

/** The payment in the journal, with the bytes of the bundle: it never has others beside. */
async function enter({ journal, findChain }: SendDeps, payment: SignedPayment): Promise<SignedRow> {
  const { id, chain, contents, withdrawalId, txData, txId } = payment
  if (findChain(chain) === undefined) throw refused('this program does not know its chain')
  const before = await journal.find(id)
  if (before === undefined || !isSigned(before)) {
    const row = { ...unsent, pendingId: id, chain, contents, withdrawalId, txData, txId } as const
    if (before !== undefined) refuseOther(before, row)
    return requireSigned(await journal.record(row))
  }
  refuseOther(before, payment)
  if (before.txData !== txData) throw refused('other bytes of this payment went out before')
  if (before.state === 'cancelled' || before.state === 'expired') {
    throw refused(`the payment is ${before.state} here`)
  }
  return before
}

const unsent = {
  state: 'signed',
  lane: null,
  finalData: null,
  finalId: null,
  arrivalData: null,
  replacedId: null,
  code: null,
  reason: null,
  reported: null,
} as const

function refuseOther(
  before: PaymentRow,
  { chain, contents }: Pick<PaymentRow, 'chain' | 'contents'>,
): void {
  if (before.state === 'cancelled' || before.state === 'refused') {
    throw refused(`the payment is ${before.state} here`)
  }
  if (before.chain !== chain || before.contents !== contents) {
    throw refused('this id is known with another transaction')
  }
}

function isOver({ state }: PaymentRow): boolean {
  return state === 'sent' || state === 'done'
}

function requireSigned(row: PaymentRow): SignedRow {
  if (isSigned(row)) return row
  throw new KmsError('unexpected', 'the journal did not keep the bytes')
}

function waits(): KmsError {
  return new KmsError('too-early', 'it waits for one before it that was not delivered')
}

function refused(message: string): KmsError {
  return new KmsError('transaction-refused', message)
}
