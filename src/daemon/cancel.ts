import { KmsError } from '../base/errors.ts'
import type { Network, Signed } from '../base/model.ts'
import type { Chain } from '../chains/chain.ts'
import type { OrderedPayment } from '../signer/messages.ts'
import type { TatumApi } from '../tatum/api.ts'
import type { Journal, PaymentRow } from './journal.ts'
import { chainReads, type ReadsDeps } from './reads.ts'

export type CancelDeps = ReadsDeps & {
  readonly api: Pick<TatumApi, 'broadcast' | 'reportErrors'>
  readonly journal: Journal
  readonly network: Network
  readonly findChain: (id: string) => Chain | undefined
}

/** What became of a payment that is cancelled. */
export type Cancelled = {
  readonly id: string
  readonly chain: string
  readonly network: Network
  readonly state: 'cancelled'
  /** Of the payment's own bytes, where it had any. */
  readonly txId: string | null
  /** Of what takes their place. */
  readonly replacement: string | null
  /** What others may use from now on: where one of them does, the payment can never arrive. */
  readonly released: readonly string[]
}

/**
 * Cancels a payment because its owner says so: it is never sent or signed again. Where senders number
 * their payments, bytes that pay nobody are sent to use up its number; else what it has is given up,
 * and may still arrive. May be cut off anywhere and done again: what comes of it is the same.
 */
export async function cancelPayment(
  deps: CancelDeps,
  id: string,
  signal: AbortSignal,
): Promise<Cancelled> {
  const { signer, journal, network } = deps
  const { payment, replacement: before } = await signer.ask({ type: 'cancellation' })
  const row = rowOf(id, await journal.find(id), payment)
  const number = payment === null ? undefined : await lookUpNumber(deps, payment, signal)
  // What was cancelled before may find its own replacement in a block.
  if (number?.isUsed && row.state !== 'cancelled') throw alreadyUsed(payment?.txId)
  // A replacement that is signed has its price.
  const price = number === undefined || before !== null ? null : await number.price()
  const { replacement, released } = await signer.ask({ type: 'cancel', price })

  const reason = reasonOf(row, replacement)
  const cancelled: PaymentRow = { ...row, state: 'cancelled', code: null, reason }
  // Before the replacement is out: from here on the payment's own bytes are never sent again.
  await journal.record(cancelled)
  if (replacement !== null && number?.isUsed === false) {
    await deps.api.broadcast(number.broadcast(replacement.txData), signal)
  }
  await report(deps, cancelled, signal)
  const told = { id, chain: row.chain, network, state: 'cancelled', txId: row.finalId ?? row.txId }
  return { ...told, state: 'cancelled', replacement: replacement?.txId ?? null, released }
}

function reasonOf({ txData }: PaymentRow, replacement: Signed | null): string {
  if (replacement !== null) return `replaced by ${replacement.txId}`
  return txData === null ? 'nothing of it was signed' : 'given up: its bytes may still arrive'
}

/** What the journal has, with the bytes that the ledger has. */
function rowOf(
  id: string,
  before: PaymentRow | undefined,
  payment: OrderedPayment | null,
): PaymentRow {
  if (before === undefined && payment === null) {
    throw new KmsError('usage', 'there is no such payment in the journal or the ledger', {
      hint: 'tatum-kms tx list shows them; those of test networks need --testnet',
    })
  }
  if (before !== undefined && before.arrivalData !== null) {
    throw refused(
      `the payment cannot be cancelled: it has arrived (see ${before.finalId ?? before.txId})`,
    )
  }
  const known = [null, payment?.txData, payment?.before?.txData]
  if (!known.includes(before?.txData ?? null)) {
    throw refused('the ledger does not have the bytes that the journal has: they may be paid')
  }
  const { contents = '', txData = null, txId = null, chain = before?.chain ?? '' } = payment ?? {}
  const nothing = {
    withdrawalId: null,
    lane: null,
    finalData: null,
    finalId: null,
    arrivalData: null,
    replacedId: null,
  }
  const stop = { code: null, reason: null, reported: null }
  const fresh = { pendingId: id, state: 'seen', contents } as const
  // Of a payment that was signed anew, the ledger may have others: the journal's are what was sent.
  const bytes = { txData: before?.txData ?? txData, txId: before?.txId ?? txId }
  return { ...nothing, ...stop, ...fresh, ...before, chain, ...bytes }
}

type LookedUp = {
  /** The network has a transaction with this number: the payment itself, or another. */
  readonly isUsed: boolean
  price(): Promise<string>
} & Pick<NonNullable<Chain['numbering']>, 'broadcast'>

async function lookUpNumber(
  deps: CancelDeps,
  { chain: chainId, txData }: OrderedPayment,
  signal: AbortSignal,
): Promise<LookedUp | undefined> {
  const chain = deps.findChain(chainId)
  if (chain?.numbering === undefined) return undefined
  const { numberOf, count, price: priceOf, broadcast } = chain.numbering
  const reads = chainReads(deps, chainId, [], signal)
  const { sender, number } = numberOf(txData)
  const isUsed = (await count(sender, reads)) > number
  const price = async (): Promise<string> => (await priceOf(txData, reads)).toString()
  return { isUsed, price, broadcast }
}

/** Tatum hands it out no more, and the application that asked for it hears why. */
async function report(
  { api, journal }: CancelDeps,
  cancelled: PaymentRow,
  signal: AbortSignal,
): Promise<void> {
  if (cancelled.reported === 'cancelled') return
  const error = 'cancelled by its owner: it is not signed or sent any more'
  await api.reportErrors([{ signatureId: cancelled.pendingId, error }], signal)
  await journal.record({ ...cancelled, reported: 'cancelled' })
}

function alreadyUsed(txId: string | undefined): KmsError {
  return refused(`the payment cannot be cancelled: its number is used on the network (see ${txId})`)
}

function refused(message: string): KmsError {
  return new KmsError('transaction-refused', message)
}
