import { createHash } from 'node:crypto'
import { hex, utf8 } from '../base/bytes.ts'
import { asKmsError, type ErrorCode, KmsError } from '../base/errors.ts'
import type { Json } from '../base/json.ts'
import type { ChainReads, Completion, Network, PendingTx } from '../base/model.ts'
import type { Chain, Own } from '../chains/chain.ts'
import type { Approver } from '../guard/approval.ts'
import type { SignerClient } from '../signer/client.ts'
import { type Answers, decodePublicKey, type SignResult } from '../signer/messages.ts'
import type { TatumApi } from '../tatum/api.ts'
import { refuseOversized } from '../tatum/entry-size.ts'
import { parsePending } from '../tatum/pending.ts'
import type { Journal, PaymentRow } from './journal.ts'

export type PaymentDeps = {
  readonly api: Pick<TatumApi, 'get' | 'rpc' | 'broadcast'>
  readonly signer: Pick<SignerClient, 'ask'>
  readonly journal: Journal
  /** Undefined where payments need no second pair of eyes (testnet without --external-url). */
  readonly approve: Approver | undefined
  readonly network: Network
  readonly findChain: (id: string) => Chain | undefined
}

/** A payment with its one set of signed bytes. */
export type SignedRow = PaymentRow & { readonly txData: string; readonly txId: string }

/** A payment that may be signed now: approved, and not signed before. */
export type Approved = {
  readonly row: PaymentRow
  readonly chain: Chain
  readonly pending: PendingTx
  /** As Tatum sent it: the signer reads it again itself. */
  readonly sent: unknown
}

/**
 * The id has bytes of another transaction, which may be paid: it is refused, but Tatum is not told
 * that it failed, or it would be paid again.
 */
export class SignedOtherwise extends KmsError {
  constructor() {
    super('transaction-refused', 'this pending id was signed before with another transaction')
  }
}

/**
 * Looks a pending transaction over: its bytes if it was ever signed, else what may be signed now.
 * Everything that can be wrong with it, or with its approval, is thrown.
 *
 * @param id of `sent`, which may be malformed in every other way
 */
export async function lookOver(
  deps: PaymentDeps,
  chainId: string,
  id: string,
  sent: unknown,
  signal: AbortSignal,
): Promise<SignedRow | Approved> {
  refuseOversized(sent)
  const pending = parsePending(sent)
  const chain = needChain(deps, chainId, pending.chain)
  const contents = hex(createHash('sha256').update(utf8(pending.serializedTransaction)).digest())
  const before = await deps.journal.find(id)
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
    txData: null,
    txId: null,
    reason: before?.reason ?? null,
    reported: before?.reported ?? null,
  }
  // The journal may have been lost; what the ledger has was approved and signed before.
  const stored = await askLedger(deps, row)
  if (stored !== null) return await keepBytes(deps, row, stored)
  if (before === undefined) await deps.journal.record(row)
  await requireApproval(deps, pending, sent, signal)
  return { row, chain, pending, sent }
}

/** Completes and signs; the bytes are in the journal when this returns. */
export async function signPayment(
  deps: PaymentDeps,
  { row, chain, pending, sent }: Approved,
  signal: AbortSignal,
): Promise<SignedRow> {
  const completion = await complete(deps, chain, pending, signal)
  const payments = [{ pending: sent, completion }]
  const { results } = await deps.signer.ask({ type: 'sign', payments })
  const [result] = results
  if (result?.kind !== 'signed') throw refusalOf(result)
  return keepBytes(deps, row, result)
}

/**
 * Sends the bytes. They are the payment's only ones for ever, so a failure here says nothing about
 * the payment: it may have arrived all the same, and is neither a refusal nor reported as one.
 */
export async function deliver(
  { api, journal, findChain }: PaymentDeps,
  row: SignedRow,
  signal: AbortSignal,
): Promise<{ readonly completed: boolean }> {
  const chain = needChain({ findChain }, row.chain, row.chain)
  const { pendingId: id, withdrawalId, txData } = row
  const payment = { id, ...(withdrawalId !== null && { withdrawalId }) }
  const { completed } = await api.broadcast(chain.broadcast(payment, txData), signal)
  await journal.record({ ...row, state: 'sent', reason: null })
  return { completed: completed ?? true }
}

export function isSigned(row: PaymentRow): row is SignedRow {
  return row.txData !== null && row.txId !== null
}

async function askLedger(
  { signer }: PaymentDeps,
  { chain, pendingId, contents }: PaymentRow,
): Promise<Answers['signed']['signed']> {
  try {
    return (await signer.ask({ type: 'signed', chain, pendingId, contents })).signed
  } catch (thrown) {
    throw asKmsError(thrown).code === 'transaction-refused' ? new SignedOtherwise() : thrown
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

async function requireApproval(
  { approve }: PaymentDeps,
  pending: PendingTx,
  sent: unknown,
  signal: AbortSignal,
): Promise<void> {
  const verdict = await approve?.(pending.id, sent as Json, signal)
  if (verdict === undefined || verdict.kind === 'approved') return
  const code = verdict.kind === 'denied' ? 'approver-denied' : 'approver-unreachable'
  throw new KmsError(code, verdict.reason)
}

async function complete(
  { api, signer, network }: PaymentDeps,
  chain: Chain,
  pending: PendingTx,
  signal: AbortSignal,
): Promise<Completion> {
  const refs = chain.keys(pending)
  const { keys } = await signer.ask({ type: 'publicKeys', chain: chain.id, refs })
  const own: Own = { network, keys: keys.map(decodePublicKey) }
  const reads: ChainReads = {
    get: path => api.get(path, signal),
    rpc: (path, method, params) => api.rpc(path, method, params, signal),
    async nextNonce(address) {
      const { next } = await signer.ask({ type: 'nextNonce', chain: chain.id, address })
      return next === null ? undefined : BigInt(next)
    },
  }
  return chain.complete(pending, own, reads, signal)
}

function refusalOf(result: SignResult | undefined): KmsError {
  if (result?.kind === 'refused') return new KmsError(result.code as ErrorCode, result.reason)
  return new KmsError('unexpected', 'the signer gave no answer')
}

function needChain(
  { findChain }: Pick<PaymentDeps, 'findChain'>,
  asked: string,
  named: string,
): Chain {
  const chain = findChain(asked)
  if (chain !== undefined && named === asked) return chain
  throw new KmsError('transaction-malformed', `the transaction is not for ${asked}`)
}
