import { createHash } from 'node:crypto'
import { hex, utf8 } from '../base/bytes.ts'
import { asKmsError, type ErrorCode, KmsError } from '../base/errors.ts'
import { asRecord, asString } from '../base/json.ts'
import type { Completion, Intent, Network, PendingTx, Signed } from '../base/model.ts'
import type { Chain, ChainSettings, Own } from '../chains/chain.ts'
import type { SignedVerdict } from '../guard/signed-verdicts.ts'
import { refuseOversized } from '../tatum/entry-size.ts'
import { parsePending } from '../tatum/pending.ts'
import { type Approve, DeniedForGood, refusalOf } from './approve.ts'
import type { AskIfSigned, AskToSign } from './ask-to-sign.ts'
import type { EventLog } from './events.ts'
import { isSigned, type Journal, type PaymentRow, type SignedRow } from './journal.ts'
import { publicKeysOf } from './known-keys.ts'
import { laneLease, paymentLease, requireHeld } from './leases.ts'
import { chainReads, type ReadsDeps, type Warning } from './reads.ts'

export type PaymentDeps = ReadsDeps & {
  readonly askToSign: AskToSign
  readonly askIfSigned: AskIfSigned
  readonly journal: Journal
  /** Undefined where payments need no second pair of eyes (testnet without --external-url). */
  readonly approve: Approve | undefined
  readonly network: Network
  readonly chainSettings: ChainSettings
  readonly log: Pick<EventLog, 'warning'>
  readonly findChain: (id: string) => Chain | undefined
}

/** A payment that was not signed before: what it would do, and with which keys. */
export type Reviewed = {
  readonly row: PaymentRow
  readonly chain: Chain
  readonly pending: PendingTx
  /** As Tatum sent it: the signer reads it again itself. */
  readonly sent: unknown
  readonly own: Own
  readonly intent: Intent
}

/**
 * The id has bytes of another transaction, which may be paid, or of none any more: it is refused, but
 * Tatum is not told that it failed, or it would be paid again.
 */
export class SignedOtherwise extends KmsError {
  constructor(
    reason = 'this pending id was signed before with another transaction',
    code: ErrorCode = 'transaction-refused',
  ) {
    super(code, reason)
  }
}

/**
 * Looks a pending transaction over: its bytes if it was ever signed, else what may be approved and
 * signed now; nothing where a person cancelled it. Everything that can be wrong with it is thrown.
 *
 * @param id of `sent`, which may be malformed in every other way
 */
export async function lookOver(
  deps: PaymentDeps,
  chainId: string,
  id: string,
  sent: unknown,
): Promise<SignedRow | Reviewed | undefined> {
  const before = await deps.journal.find(id)
  if (before?.state === 'cancelled') return undefined
  const row = rowOf(before, { pendingId: id, chain: chainId, contents: contentsOf(sent) })
  if (row !== before) await deps.journal.record(row)
  // The journal may have been lost, and what has bytes may be paid: nothing else is said of it.
  const bytes = isSigned(row) ? row : await askLedger(deps, row)
  if (bytes === null) refuseAgain(row)
  const { pending, chain } = readEntry(deps, row, sent, bytes !== null)
  if (isSigned(row)) return row
  const listed: PaymentRow = { ...row, withdrawalId: pending.withdrawalId ?? null }
  if (bytes !== null) return await keepBytes(deps, listed, bytes)
  return await review(deps, listed, { pending, chain }, sent)
}

/** Looks a payment over whose bytes have expired: what may be approved and signed anew. */
export async function lookOverAgain(
  deps: PaymentDeps,
  row: SignedRow,
  sent: unknown,
): Promise<Reviewed> {
  const { pendingId, chain } = row
  rowOf(row, { pendingId, chain, contents: contentsOf(sent) })
  return await review(deps, row, readEntry(deps, row, sent, true), sent)
}

/** Reads a payment of which nothing is known but what Tatum sent. */
export async function reviewEntry(
  deps: ReviewDeps & Pick<PaymentDeps, 'findChain'>,
  chainId: string,
  sent: unknown,
): Promise<Reviewed> {
  const row = { ...unsigned, pendingId: '', chain: chainId, contents: contentsOf(sent) }
  const entry = readEntry(deps, row, sent, false)
  return await review(deps, { ...row, pendingId: entry.pending.id }, entry, sent)
}

/** Throws unless somebody else says yes, where that is asked for. */
export async function requireApproval(
  { approve }: PaymentDeps,
  { pending, sent }: Reviewed,
  signal: AbortSignal,
): Promise<readonly SignedVerdict[]> {
  return (await approve?.(pending.id, sent, signal)) ?? []
}

export type Completed = { readonly completion: Completion; readonly warnings: readonly Warning[] }

/** What there is to sign, and who has agreed to it. */
export type Ready = Completed & { readonly approvals: readonly SignedVerdict[] }

/**
 * Reads what the payment came without.
 *
 * @param before done when what may take the next number of its sender has it, or does not
 */
export async function completePayment(
  deps: ReadsDeps,
  { chain, pending, own }: Reviewed,
  signal: AbortSignal,
  before?: Promise<unknown>,
): Promise<Completed> {
  const warnings: Warning[] = []
  const reads = chainReads(deps, chain.id, warnings, signal, before)
  return { completion: await chain.complete(pending, own, reads, signal), warnings }
}

/** Has it signed; the bytes are in the journal when this returns. */
export async function signPayment(
  deps: PaymentDeps,
  { row, sent }: Reviewed,
  { completion, approvals, warnings }: Ready,
): Promise<SignedRow> {
  // A number that is signed here and used by another daemon would be missing from the sender's row.
  requireHeld(deps.journal.leases, paymentLease(row.pendingId))
  if (row.lane !== null) requireHeld(deps.journal.leases, laneLease(row.chain, row.lane))
  const result = await deps.askToSign({ pending: sent, completion, approvals })
  if (result.kind === 'refused') throw refusalOf(result)
  const signed = await keepBytes(deps, row, result)
  // Only now: a payment that is not signed has other things to tell, and is tried again.
  tellWarnings(deps, row, warnings)
  return signed
}

export function tellWarnings(
  { log }: Pick<PaymentDeps, 'log'>,
  { pendingId: id, chain }: PaymentRow,
  warnings: readonly Warning[],
): void {
  for (const { event, reason } of warnings) log.warning(event, { id, chain, reason })
}

/** Empty where there is no transaction to speak of. */
function contentsOf(sent: unknown): string {
  const serialized = asString(asRecord(sent)?.get('serializedTransaction'))
  if (serialized === undefined) return ''
  return hex(createHash('sha256').update(utf8(serialized)).digest())
}

/** What is known of the payment: of other contents than before, nothing. */
function rowOf(
  before: PaymentRow | undefined,
  listed: Pick<PaymentRow, 'pendingId' | 'chain' | 'contents'>,
): PaymentRow {
  if (before === undefined) return { ...unsigned, ...listed }
  const isSame = before.contents === listed.contents
  if (isSame && before.chain === listed.chain) return before
  // Whatever chain lists it now, or whatever became of its contents: only others are another try.
  if (before.state === 'refused' && (isSame || listed.contents === '')) return before
  if (isSigned(before)) throw new SignedOtherwise()
  return { ...unsigned, ...listed }
}

const unsigned = {
  state: 'seen',
  withdrawalId: null,
  lane: null,
  txData: null,
  txId: null,
  finalData: null,
  finalId: null,
  arrivalData: null,
  replacedId: null,
  code: null,
  reason: null,
  reported: null,
} as const

/** Who was told that it failed for good may have paid again. */
function refuseAgain({ state, code, reason }: PaymentRow): void {
  if (state !== 'refused') return
  const said = reason ?? 'it was refused before'
  if (code === 'approver-denied') throw new DeniedForGood(said)
  throw new KmsError(code ?? 'transaction-malformed', said)
}

type ReviewDeps = Pick<PaymentDeps, 'signer' | 'network' | 'chainSettings'>

async function review(
  deps: ReviewDeps,
  row: PaymentRow,
  { pending, chain }: ReadEntry,
  sent: unknown,
): Promise<Reviewed> {
  const own = await ownKeys(deps, chain, pending)
  const intent = chain.review(pending, own)
  const lane = chain.order === 'by-address' ? (intent.from[0] ?? null) : null
  return { row: { ...row, lane }, chain, pending, sent, own, intent }
}

type ReadEntry = { readonly pending: PendingTx; readonly chain: Chain }

/** @param hasBytes whatever is wrong with the entry now, the payment has not failed */
function readEntry(
  deps: Pick<PaymentDeps, 'findChain'>,
  { chain: chainId }: PaymentRow,
  sent: unknown,
  hasBytes: boolean,
): ReadEntry {
  try {
    refuseOversized(sent)
    const pending = parsePending(sent)
    return { pending, chain: needChain(deps, chainId, pending.chain) }
  } catch (thrown) {
    const { code, message } = asKmsError(thrown)
    throw hasBytes ? new SignedOtherwise(message, code) : thrown
  }
}

async function askLedger(
  { askIfSigned }: PaymentDeps,
  { chain, pendingId, contents }: PaymentRow,
): Promise<Signed | null> {
  const result = await askIfSigned({ chain, pendingId, contents })
  if (result.kind === 'none') return null
  if (result.kind === 'found') return result
  const refusal = refusalOf(result)
  throw refusal.code === 'transaction-refused' ? new SignedOtherwise(refusal.message) : refusal
}

async function keepBytes(
  { journal }: PaymentDeps,
  row: PaymentRow,
  { txData, txId }: { readonly txData: string; readonly txId: string },
): Promise<SignedRow> {
  const signed: SignedRow = { ...row, state: 'signed', txData, txId, code: null, reason: null }
  const kept = await journal.record(signed)
  if (isSigned(kept) && kept.state !== 'cancelled') return kept
  throw new SignedOtherwise('it was cancelled while it was signed')
}

async function ownKeys(
  { signer, network, chainSettings: settings }: ReviewDeps,
  chain: Chain,
  pending: PendingTx,
): Promise<Own> {
  const keys = await publicKeysOf(signer, chain.id, chain.keys(pending))
  return { network, keys, settings }
}

function needChain(
  { findChain }: Pick<PaymentDeps, 'findChain'>,
  asked: string,
  named: string,
): Chain {
  const chain = findChain(asked)
  if (chain !== undefined && named === asked) return chain
  // Not for good: under its own chain it may be paid.
  throw new KmsError('transaction-refused', `the transaction is not for ${asked}`)
}
