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
  SignedOtherwise,
  type SignedRow,
  signPayment,
} from './payment.ts'
import { sendReports } from './reports.ts'

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
  const rows = await deps.journal.unsent(cycle.chain)
  const unsent = new Map(rows.map(row => [row.pendingId, row]))
  const entries = polled === undefined ? [] : entriesOf(deps, cycle, polled, tally)
  const settled = await settleAll(deps, cycle, entries, tally, endings)
  for (const [id, row] of unsent) {
    if (settled.has(id) || !isSigned(row) || !cycle.memory.isDue(id, deps.now())) continue
    await settle(deps, cycle, id, row, tally, endings)
  }
  await sendReports(deps, cycle.memory, endings.abort)
  // A poll that failed does not say what is listed.
  if (polled !== undefined) {
    cycle.memory.forgetAllBut([...entries.map(({ id }) => id), ...unsent.keys()])
  }
  return tally
}

type Tally = { sent: number; failures: ErrorCode[] }
type Entry = { readonly id: string; readonly sent: unknown }

async function poll(
  { api, log }: CycleDeps,
  { chain, walletIds, memory }: Cycle,
  signal: AbortSignal,
  tally: Tally,
): Promise<readonly unknown[] | undefined> {
  try {
    // A poll that is cut off loses nothing, so that it need not hold up the end.
    const pending = await api.pending(chain, walletIds, signal)
    if (memory.tell('the poll', undefined)) log.info('poll works again', { chain })
    return pending
  } catch (thrown) {
    if (signal.aborted) return undefined
    const { code, message: reason } = asKmsError(thrown)
    tally.failures.push(code)
    // A server that is down for a night is one line, and one more when it is back.
    if (memory.tell('the poll', code)) log.warning('poll failed', { chain, reason })
    return undefined
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
  if (memory.tell('nameless entries', nameless > 0 ? reason : undefined) && nameless > 0) {
    const code = 'transaction-malformed'
    log.warning('payment not sent', { id: 'without id', chain, code, reason })
  }
  return [...entries.values()]
}

/**
 * Looks the entries over, some at once, and settles each as its turn comes, in Tatum's order: so do
 * the nonces of an address follow each other. Answers the ids it got to settle.
 */
async function settleAll(
  deps: CycleDeps,
  cycle: Cycle,
  entries: readonly Entry[],
  tally: Tally,
  endings: Endings,
): Promise<ReadonlySet<string>> {
  const settled = new Set<string>()
  const due = entries.filter(({ id }) => cycle.memory.isDue(id, deps.now()))
  const looked = startInTurns(due, approvalsAtOnce, async ({ id, sent }) => {
    if (endings.stop.aborted) return undefined
    return attempt(deps, cycle, id, tally, endings, () =>
      lookOver(deps, cycle.chain, id, sent, endings.abort),
    )
  })
  try {
    for (const [i, { id }] of due.entries()) {
      const found = await looked[i]
      if (found === undefined) continue
      settled.add(id)
      await settle(deps, cycle, id, found, tally, endings)
    }
  } finally {
    // What is under way uses the journal, which is closed after a fault.
    await Promise.allSettled(looked)
  }
  return settled
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
    memory.tried(id, deps.now())
    if (!memory.tell(id, 'sent')) return
    deps.log.info('payment sent', { id, chain, txId })
    if (!completed) deps.log.warning('withdrawal must be completed by hand', { id, chain })
  } catch (thrown) {
    const { code, message: reason } = failureOf(thrown, endings)
    tally.failures.push(code)
    memory.tried(id, deps.now())
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
    const fault = failureOf(thrown, endings)
    const { code, message: reason } = fault
    tally.failures.push(code)
    memory.tried(id, deps.now())
    if (memory.tell(id, code)) {
      const event = code === 'approver-denied' ? 'payment denied' : 'payment not sent'
      deps.log.warning(event, { id, chain, code, reason })
    }
    await journalStop(deps, chain, id, { code, reason })
    if (isReported(fault)) memory.reports.set(id, { code, reason })
    return undefined
  }
}

/** The fault, unless it ends the cycle: a stop, or a journal that cannot remember what is sent. */
function failureOf(thrown: unknown, { abort }: Endings): KmsError {
  const fault = asKmsError(thrown)
  if (fault.code === 'disk') throw fault
  if (abort.aborted) throw new KmsError('terminated', 'stopped while a payment was under way')
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
function isReported(fault: KmsError): boolean {
  const isOfApprover = fault.code === 'approver-denied' || fault.code === 'approver-unreachable'
  return !isOfApprover && !(fault instanceof SignedOtherwise)
}

/** Like `map`, with at most `limit` under way; a rejection also ends what would come after it. */
function startInTurns<T, R>(
  values: readonly T[],
  limit: number,
  work: (value: T) => Promise<R>,
): readonly Promise<R>[] {
  const started: Promise<R>[] = []
  for (const value of values) {
    const before: Promise<unknown> = started.at(-limit) ?? Promise.resolve()
    const own = before.then(() => work(value))
    // Looked at later; until then it is nobody's.
    own.catch(() => {})
    started.push(own)
  }
  return started
}
