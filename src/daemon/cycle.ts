import { asKmsError, type ErrorCode, KmsError } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import type { TatumApi } from '../tatum/api.ts'
import { pendingId } from '../tatum/pending.ts'
import type { Memory } from './memory.ts'
import {
  type Approved,
  deliver,
  isSigned,
  lookOver,
  type PaymentDeps,
  type SignedRow,
  signPayment,
} from './payment.ts'

export type CycleDeps = PaymentDeps & {
  readonly api: TatumApi
  readonly log: Log
  /** Milliseconds since 1970. */
  readonly now: () => number
}

/** The two ways to be told to end. */
export type Endings = {
  /** Start no further payment; finish those under way. */
  readonly stop: AbortSignal
  /** Give up what is under way: the bytes are journaled, the next start goes on from there. */
  readonly abort: AbortSignal
}

/** What a cycle came to: enough for an exit status. */
export type CycleReport = {
  readonly sent: number
  /** In the order they happened. */
  readonly failures: readonly ErrorCode[]
}

export type Cycle = {
  readonly chain: string
  readonly walletIds: readonly string[]
  readonly memory: Memory
}

/** Approvals under way at once, per chain: a slow approver must not hold up every payment. */
const approvalsAtOnce = 8

/** Polls one chain, pays what waits there, and sends again what may not have arrived. */
export async function runCycle(
  deps: CycleDeps,
  cycle: Cycle,
  endings: Endings,
): Promise<CycleReport> {
  const tally: Tally = { sent: 0, failures: [] }
  const polled = await poll(deps, cycle, endings.stop, tally)
  const listed = deps.journal.unsent(cycle.chain)
  const unsent = new Map((await listed).map(row => [row.pendingId, row]))
  const entries = entriesOf(deps, cycle, polled, tally)
  const due = entries.filter(({ id }) => cycle.memory.isDue(id, deps.now()))

  const looked = await mapInTurns(due, approvalsAtOnce, entry => {
    if (endings.stop.aborted) return Promise.resolve(undefined)
    return attempt(deps, cycle, entry.id, tally, endings, () =>
      lookOver(deps, cycle.chain, entry.id, entry.sent, endings.abort),
    )
  })
  // One after the other, in Tatum's order: so do the nonces of an address follow each other.
  for (const [i, entry] of due.entries()) {
    unsent.delete(entry.id)
    const found = looked[i]
    if (found !== undefined) await settle(deps, cycle, entry.id, found, tally, endings)
  }
  for (const [id, row] of unsent) {
    if (!isSigned(row) || !cycle.memory.isDue(id, deps.now())) continue
    await settle(deps, cycle, id, row, tally, endings)
  }
  await sendReports(deps, cycle.memory, endings.abort)
  cycle.memory.forgetAllBut([...entries.map(({ id }) => id), ...unsent.keys()])
  return tally
}

type Tally = { sent: number; failures: ErrorCode[] }
type Entry = { readonly id: string; readonly sent: unknown }

async function poll(
  { api, log }: CycleDeps,
  { chain, walletIds, memory }: Cycle,
  signal: AbortSignal,
  tally: Tally,
): Promise<readonly unknown[]> {
  try {
    // A poll that is cut off loses nothing, so that it need not hold up the end.
    const pending = await api.pending(chain, walletIds, signal)
    if (memory.tell('poll', undefined)) log.info('poll works again', { chain })
    return pending
  } catch (thrown) {
    if (signal.aborted) return []
    const { code, message: reason } = asKmsError(thrown)
    tally.failures.push(code)
    // A server that is down for a night is one line, and one more when it is back.
    if (memory.tell('poll', reason)) log.warning('poll failed', { chain, reason })
    return []
  }
}

/** Each id once; an entry without one can be neither journaled nor reported, only told of. */
function entriesOf(
  { log }: CycleDeps,
  { chain, memory }: Cycle,
  polled: readonly unknown[],
  tally: Tally,
): readonly Entry[] {
  const entries = new Map<string, Entry>()
  let nameless = 0
  for (const sent of polled) {
    const id = pendingId(sent)
    if (id === undefined) nameless++
    else if (!entries.has(id)) entries.set(id, { id, sent })
  }
  const reason = 'the pending transaction has no usable id'
  if (nameless > 0) tally.failures.push('transaction-malformed')
  if (memory.tell('nameless', nameless > 0 ? reason : undefined) && nameless > 0) {
    const code = 'transaction-malformed'
    log.warning('payment not sent', { id: 'without id', chain, code, reason })
  }
  return [...entries.values()]
}

/** Signs what is approved, sends what is signed. */
async function settle(
  deps: CycleDeps,
  cycle: Cycle,
  id: string,
  found: SignedRow | Approved,
  tally: Tally,
  endings: Endings,
): Promise<void> {
  if (endings.stop.aborted) return
  const row =
    'sent' in found
      ? await attempt(deps, cycle, id, tally, endings, () =>
          signPayment(deps, found, endings.abort),
        )
      : found
  if (row !== undefined) await deliverRow(deps, cycle, row, tally, endings)
}

async function deliverRow(
  deps: CycleDeps,
  { chain, memory }: Cycle,
  row: SignedRow,
  tally: Tally,
  endings: Endings,
): Promise<void> {
  const { pendingId: id, txId } = row
  try {
    const { completed } = await deliver(deps, row, endings.abort)
    tally.sent++
    memory.succeeded(id)
    deps.log.info('payment sent', { id, chain, txId })
    if (!completed) deps.log.warning('withdrawal must be completed by hand', { id, chain })
  } catch (thrown) {
    const { code, message: reason } = failureOf(thrown, endings)
    tally.failures.push(code)
    memory.failed(id, deps.now())
    // The reason quotes the server and may change every time; the code does not.
    if (memory.tell(id, `unconfirmed ${code}`)) {
      deps.log.warning('payment not confirmed', { id, chain, txId, code, reason })
    }
  }
}

/** What stops a payment before it has bytes: journaled, told once, reported to Tatum once. */
async function attempt<T>(
  deps: CycleDeps,
  { chain, memory }: Cycle,
  id: string,
  tally: Tally,
  endings: Endings,
  work: () => Promise<T>,
): Promise<T | undefined> {
  try {
    return await work()
  } catch (thrown) {
    const { code, message: reason } = failureOf(thrown, endings)
    tally.failures.push(code)
    memory.failed(id, deps.now())
    if (memory.tell(id, code)) {
      const event = code === 'approver-denied' ? 'payment denied' : 'payment not sent'
      deps.log.warning(event, { id, chain, code, reason })
    }
    await journalStop(deps, chain, id, { code, reason })
    if (isReported(code)) memory.reports.set(id, { code, reason })
    return undefined
  }
}

/** The fault, unless it ends the cycle: a stop, or a journal that cannot remember what is sent. */
function failureOf(thrown: unknown, { abort }: Endings): KmsError {
  const fault = asKmsError(thrown)
  if (fault.code === 'disk') throw fault
  if (abort.aborted) throw new KmsError('interrupted', 'stopped while a payment was under way')
  return fault
}

async function journalStop(
  { journal }: CycleDeps,
  chain: string,
  id: string,
  { code, reason }: { readonly code: ErrorCode; readonly reason: string },
): Promise<void> {
  const row = await journal.find(id)
  if (row !== undefined && isSigned(row)) return
  const state = code === 'approver-denied' ? 'denied' : isFinal(code) ? 'refused' : 'seen'
  if (row?.state === state && row.reason === reason) return
  const fresh = { pendingId: id, chain, contents: '', withdrawalId: null, reported: null }
  await journal.record({ ...fresh, ...row, state, reason, txData: null, txId: null })
}

function isFinal(code: ErrorCode): boolean {
  return code === 'transaction-malformed' || code === 'transaction-refused'
}

/** What the approver says stays between the owner and the daemon, as in the original. */
function isReported(code: ErrorCode): boolean {
  return code !== 'approver-denied' && code !== 'approver-unreachable'
}

/** Tells Tatum of each failure once; what cannot be delivered stays for the next cycle. */
async function sendReports(
  { api, journal, log }: CycleDeps,
  memory: Memory,
  signal: AbortSignal,
): Promise<void> {
  const reports: { signatureId: string; error: string }[] = []
  for (const [id, { code, reason }] of memory.reports) {
    const row = await journal.find(id)
    if (row?.reported === code || (row !== undefined && isSigned(row))) memory.reports.delete(id)
    else reports.push({ signatureId: id, error: reason })
  }
  if (reports.length === 0) return
  try {
    await api.reportErrors(reports, signal)
  } catch (thrown) {
    const { message: reason } = asKmsError(thrown)
    if (memory.tell('reports', reason)) log.warning('failures could not be reported', { reason })
    return
  }
  memory.tell('reports', undefined)
  for (const { signatureId } of reports) {
    const row = await journal.find(signatureId)
    const told = memory.reports.get(signatureId)
    if (row !== undefined && told) await journal.record({ ...row, reported: told.code })
    memory.reports.delete(signatureId)
  }
}

/** Like `map`, with at most `limit` under way; answers in the order of `values`. */
async function mapInTurns<T, R>(
  values: readonly T[],
  limit: number,
  work: (value: T) => Promise<R>,
): Promise<readonly R[]> {
  const results: R[] = []
  const queue = values.entries()
  const worker = async (): Promise<void> => {
    for (const [i, value] of queue) results[i] = await work(value)
  }
  await Promise.all(Array.from({ length: limit }, worker))
  return results
}
