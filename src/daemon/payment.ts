import { createHash } from 'node:crypto'
import { hex, utf8 } from '../base/bytes.ts'
import { asKmsError, type ErrorCode, KmsError } from '../base/errors.ts'
import type { Json } from '../base/json.ts'
import type { Log } from '../base/log.ts'
import type { Completion, Intent, Network, PendingTx } from '../base/model.ts'
import type { Chain, ChainSettings, Own } from '../chains/chain.ts'
import type { Approver } from '../guard/approval.ts'
import { type Answers, decodePublicKey } from '../signer/messages.ts'
import { refuseOversized } from '../tatum/entry-size.ts'
import { parsePending } from '../tatum/pending.ts'
import type { AskToSign } from './ask-to-sign.ts'
import { isSigned, type Journal, type PaymentRow, type SignedRow } from './journal.ts'
import { chainReads, type ReadsDeps, type Warning } from './reads.ts'

export type PaymentDeps = ReadsDeps & {
  readonly askToSign: AskToSign
  readonly journal: Journal
  /** Undefined where payments need no second pair of eyes (testnet without --external-url). */
  readonly approve: Approver | undefined
  readonly network: Network
  readonly chainSettings: ChainSettings
  readonly log: Pick<Log, 'warning'>
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
  constructor(reason = 'this pending id was signed before with another transaction') {
    super('transaction-refused', reason)
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
  refuseOversized(sent)
  const pending = parsePending(sent)
  const chain = needChain(deps, chainId, pending.chain)
  const contents = hex(createHash('sha256').update(utf8(pending.serializedTransaction)).digest())
  if (before !== undefined && isSigned(before)) {
    if (before.contents === contents && before.chain === chainId) return before
    throw new SignedOtherwise()
  }
  const row: PaymentRow = {
    pendingId: id,
    chain: chainId,
    state: before?.state ?? 'seen',
    contents,
    withdrawalId: pending.withdrawalId ?? null,
    lane: null,
    txData: null,
    txId: null,
    finalData: null,
    finalId: null,
    reason: before?.reason ?? null,
    reported: before?.reported ?? null,
  }
  // The journal may have been lost; what the ledger has was approved and signed before.
  const stored = await askLedger(deps, row)
  if (stored !== null) return await keepBytes(deps, row, stored)
  if (before === undefined) await deps.journal.record(row)
  const own = await ownKeys(deps, chain, pending)
  const intent = chain.review(pending, own)
  const lane = chain.order === 'by-address' ? (intent.from[0] ?? null) : null
  return { row: { ...row, lane }, chain, pending, sent, own, intent }
}

/** Throws unless somebody else says yes, where that is asked for. */
export async function requireApproval(
  { approve }: PaymentDeps,
  { pending, sent }: Reviewed,
  signal: AbortSignal,
): Promise<void> {
  const verdict = await approve?.(pending.id, sent as Json, signal)
  if (verdict === undefined || verdict.kind === 'approved') return
  const code = verdict.kind === 'denied' ? 'approver-denied' : 'approver-unreachable'
  throw new KmsError(code, verdict.reason)
}

type Completed = { readonly completion: Completion; readonly warnings: readonly Warning[] }

/** Reads what the payment came without. */
export async function completePayment(
  deps: PaymentDeps,
  { chain, pending, own }: Reviewed,
  signal: AbortSignal,
): Promise<Completed> {
  const warnings: Warning[] = []
  const reads = chainReads(deps, chain.id, warnings, signal)
  return { completion: await chain.complete(pending, own, reads, signal), warnings }
}

/** Has it signed; the bytes are in the journal when this returns. */
export async function signPayment(
  deps: PaymentDeps,
  { row, sent }: Reviewed,
  { completion, warnings }: Completed,
): Promise<SignedRow> {
  const result = await deps.askToSign({ pending: sent, completion })
  if (result.kind === 'refused') throw new KmsError(result.code as ErrorCode, result.reason)
  const signed = await keepBytes(deps, row, result)
  // Only now: a payment that is not signed has other things to tell, and is tried again.
  for (const { event, reason } of warnings) {
    deps.log.warning(event, { id: row.pendingId, chain: row.chain, reason })
  }
  return signed
}

async function askLedger(
  { signer }: PaymentDeps,
  { chain, pendingId, contents }: PaymentRow,
): Promise<Answers['signed']['signed']> {
  try {
    return (await signer.ask({ type: 'signed', chain, pendingId, contents })).signed
  } catch (thrown) {
    const { code, message } = asKmsError(thrown)
    throw code === 'transaction-refused' ? new SignedOtherwise(message) : thrown
  }
}

async function keepBytes(
  { journal }: PaymentDeps,
  row: PaymentRow,
  { txData, txId }: { readonly txData: string; readonly txId: string },
): Promise<SignedRow> {
  const signed: SignedRow = { ...row, state: 'signed', txData, txId, reason: null }
  await journal.record(signed)
  return signed
}

async function ownKeys(
  { signer, network, chainSettings: settings }: PaymentDeps,
  chain: Chain,
  pending: PendingTx,
): Promise<Own> {
  const refs = chain.keys(pending)
  const { keys } = await signer.ask({ type: 'publicKeys', chain: chain.id, refs })
  return { network, keys: keys.map(decodePublicKey), settings }
}

function needChain({ findChain }: PaymentDeps, asked: string, named: string): Chain {
  const chain = findChain(asked)
  if (chain !== undefined && named === asked) return chain
  throw new KmsError('transaction-malformed', `the transaction is not for ${asked}`)
}
