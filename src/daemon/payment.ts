import { asKmsError, type ErrorCode, KmsError } from '../base/errors.ts'
import { encodeJson, type Json, parseJson } from '../base/json.ts'
import type { ChainReads, Network, PendingTx } from '../base/model.ts'
import type { Chain, Own } from '../chains/chain.ts'
import type { Approver } from '../guard/approval.ts'
import type { SignerClient } from '../signer/client.ts'
import { decodePublicKey } from '../signer/messages.ts'
import type { TatumApi } from '../tatum/api.ts'
import { parsePending, pendingId } from '../tatum/pending.ts'
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

/** Where a payment stands after one try. */
export type PaymentResult =
  | { readonly kind: 'sent'; readonly txId: string; readonly completed: boolean }
  | {
      readonly kind: 'stopped'
      readonly code: ErrorCode
      readonly reason: string
      /** False when the same thing stopped it the last time. */
      readonly isNews: boolean
    }

/**
 * Takes one pending transaction from what Tatum sent to what the network has, or says why not.
 *
 * journal → approval → completion → signer → journal → broadcast → journal. The bytes are in the
 * journal before they leave, and a payment that has bytes goes out with these bytes and no others.
 */
export async function pay(
  deps: PaymentDeps,
  chainId: string,
  sent: unknown,
  signal: AbortSignal,
): Promise<PaymentResult> {
  const id = pendingId(sent)
  if (id === undefined) {
    const reason = 'the pending transaction has no usable id'
    return { kind: 'stopped', code: 'transaction-malformed', reason, isNews: true }
  }
  const before = await deps.journal.find(id)
  const text = encodeSent(sent)
  const row = before?.txData == null ? startRow(before, id, chainId, text) : before
  if (before === undefined) await deps.journal.record(row)

  try {
    if (text === undefined) throw malformed('the pending transaction is nested too deep')
    const pending = parsePending(sent)
    const chain = needChain(deps, pending, chainId)
    refuseOtherContents(row, pending)
    const signed = await obtainBytes(deps, chain, pending, row, signal)
    return await send(deps, chain, pending, signed, signal)
  } catch (thrown) {
    return stop(deps, id, thrown)
  }
}

/** Sends the bytes of an earlier run that may not have arrived. */
export async function resume(
  deps: PaymentDeps,
  row: PaymentRow,
  signal: AbortSignal,
): Promise<PaymentResult> {
  try {
    const pending = parsePending(parseJson(row.pending))
    return await send(deps, needChain(deps, pending, row.chain), pending, row, signal)
  } catch (thrown) {
    return stop(deps, row.pendingId, thrown)
  }
}

/** The payment's one set of signed bytes: the journal's, or the signer's (old or new). */
async function obtainBytes(
  deps: PaymentDeps,
  chain: Chain,
  pending: PendingTx,
  row: PaymentRow,
  signal: AbortSignal,
): Promise<PaymentRow> {
  if (row.txData !== null) return row
  await requireApproval(deps, pending, row, signal)
  const sent = parseJson(row.pending)
  const completion = await complete(deps, chain, pending, signal)
  const { results } = await deps.signer.ask({
    type: 'sign',
    payments: [{ pending: sent, completion }],
  })
  const [result] = results
  if (result?.kind !== 'signed') {
    const { code = 'unexpected', reason = 'the signer gave no answer' } = result ?? {}
    throw new KmsError(code as ErrorCode, reason)
  }
  const { txData, txId } = result
  const signed: PaymentRow = { ...row, state: 'signed', txData, txId, reason: null }
  await deps.journal.record(signed)
  return signed
}

async function requireApproval(
  { approve, journal }: PaymentDeps,
  pending: PendingTx,
  row: PaymentRow,
  signal: AbortSignal,
): Promise<void> {
  const verdict = await approve?.(pending.id, parseJson(row.pending) as Json, signal)
  if (verdict === undefined || verdict.kind === 'approved') return
  if (verdict.kind === 'failed') throw new KmsError('approver-unreachable', verdict.reason)
  await journal.record({ ...row, state: 'denied', reason: row.reason })
  throw new KmsError('approver-denied', verdict.reason)
}

async function complete(
  { api, signer, network }: PaymentDeps,
  chain: Chain,
  pending: PendingTx,
  signal: AbortSignal,
) {
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

async function send(
  { api, journal }: PaymentDeps,
  chain: Chain,
  pending: PendingTx,
  row: PaymentRow,
  signal: AbortSignal,
): Promise<PaymentResult> {
  const { txData, txId } = row
  if (txData === null || txId === null)
    throw new KmsError('unexpected', 'there are no bytes to send')
  const { completed } = await api.broadcast(chain.broadcast(pending, txData), signal)
  await journal.record({ ...row, state: 'sent', reason: null })
  return { kind: 'sent', txId, completed: completed ?? true }
}

/** What stopped a payment is journaled; bytes it already has stay with it. */
async function stop(
  { journal }: PaymentDeps,
  pendingId: string,
  thrown: unknown,
): Promise<PaymentResult> {
  const { code, message: reason } = asKmsError(thrown)
  // Without a journal nothing may go on: what is sent must be remembered.
  if (code === 'disk') throw thrown
  const row = await journal.find(pendingId)
  const isNews = row?.reason !== reason
  if (row !== undefined && isNews) {
    const state = row.txData === null && isFinal(code) ? 'refused' : row.state
    await journal.record({ ...row, state, reason })
  }
  return { kind: 'stopped', code, reason, isNews }
}

function isFinal(code: ErrorCode): boolean {
  return code === 'transaction-malformed' || code === 'transaction-refused'
}

function needChain({ findChain }: PaymentDeps, pending: PendingTx, asked: string): Chain {
  const chain = findChain(asked)
  if (chain === undefined || pending.chain !== asked) {
    throw malformed(`the transaction is not for ${asked}`)
  }
  return chain
}

/** A payment without bytes is what Tatum says now, not what it said the first time. */
function startRow(
  before: PaymentRow | undefined,
  pendingId: string,
  chain: string,
  sent: string | undefined,
): PaymentRow {
  return {
    pendingId,
    chain,
    state: before?.state ?? 'seen',
    pending: sent ?? 'null',
    txData: null,
    txId: null,
    reason: before?.reason ?? null,
  }
}

/** As Tatum sent it; undefined for what a parser can read but no encoder can follow. */
function encodeSent(sent: unknown): string | undefined {
  try {
    return encodeJson(sent as Json)
  } catch {
    return undefined
  }
}

function malformed(message: string): KmsError {
  return new KmsError('transaction-malformed', message)
}

/** One id, one transaction: the same id with other contents is a fault or an attack. */
function refuseOtherContents({ pending: journaled, chain }: PaymentRow, pending: PendingTx): void {
  const { serializedTransaction } = parsePending(parseJson(journaled))
  if (chain !== pending.chain || serializedTransaction !== pending.serializedTransaction) {
    throw new KmsError(
      'transaction-refused',
      'this pending id was signed before with another transaction',
    )
  }
}
