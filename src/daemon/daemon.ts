import { asKmsError, type ErrorCode } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import type { SignerClient } from '../signer/client.ts'
import type { Answers } from '../signer/messages.ts'
import type { TatumApi } from '../tatum/api.ts'
import { pendingId } from '../tatum/pending.ts'
import type { PaymentRow } from './journal.ts'
import { type PaymentDeps, type PaymentResult, pay, resume } from './payment.ts'

export type DaemonDeps = PaymentDeps & {
  readonly api: TatumApi
  readonly signer: SignerClient
  readonly log: Log
  /** The chains to poll; those without a wallet are left out each time. */
  readonly chains: readonly string[]
  readonly periodMs: number
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>
}

/** What a cycle came to: enough for an exit status and for the next log line. */
export type CycleReport = {
  readonly sent: number
  /** In the order they happened. */
  readonly failures: readonly ErrorCode[]
}

/** The two ways to be told to end. */
export type Endings = {
  /** Start no further payment; finish those under way. */
  readonly stop: AbortSignal
  /** Give up what is under way: the bytes are journaled, the next start goes on from there. */
  readonly abort: AbortSignal
}

/** Polls until it is told to stop. */
export async function runDaemon(deps: DaemonDeps, endings: Endings): Promise<void> {
  const memories = rememberPerChain()
  const busy = new Map<string, Promise<unknown>>()
  const faults: unknown[] = []
  const stop = new AbortController()
  const startEnding = (): void => stop.abort()
  endings.stop.addEventListener('abort', startEnding)
  if (endings.stop.aborted) startEnding()
  const start = (chain: string, work: (endings: Endings) => Promise<unknown>): void => {
    const done = work({ stop: stop.signal, abort: endings.abort })
      .catch(fault => {
        faults.push(fault)
        startEnding()
      })
      .finally(() => busy.delete(chain))
    busy.set(chain, done)
  }

  for (const [chain, rows] of await unsentByChain(deps)) {
    start(chain, within => resumeUnsent(deps, { chain, memory: memories(chain) }, rows, within))
  }
  while (!stop.signal.aborted) {
    for (const [chain, walletIds] of await chainsToPoll(deps)) {
      // A chain whose server is slow is left to it; the others do not wait.
      if (busy.has(chain)) continue
      start(chain, within => runCycle(deps, { chain, walletIds, memory: memories(chain) }, within))
    }
    await deps.sleep(deps.periodMs, stop.signal)
  }
  await Promise.all(busy.values())
  if (faults.length > 0) throw faults[0]
}

/** One cycle of each chain, for `--runOnce`. */
export async function runOnce(deps: DaemonDeps, endings: Endings): Promise<CycleReport> {
  const memories = rememberPerChain()
  const resumed = await Promise.all(
    [...(await unsentByChain(deps))].map(([chain, rows]) =>
      resumeUnsent(deps, { chain, memory: memories(chain) }, rows, endings),
    ),
  )
  const cycles = await Promise.all(
    [...(await chainsToPoll(deps))].map(([chain, walletIds]) =>
      runCycle(deps, { chain, walletIds, memory: memories(chain) }, endings),
    ),
  )
  const reports = [...resumed, ...cycles]
  return {
    sent: reports.reduce((sum, { sent }) => sum + sent, 0),
    failures: reports.flatMap(({ failures }) => failures),
  }
}

/** What is kept from one cycle of a chain to the next, so that a change is told and nothing else. */
type Memory = {
  /** What polling failed with. */
  pollFault?: string | undefined
  /** Pending transactions without an id were among the last ones. */
  hadNameless: boolean
  /** Reports that did not arrive yet, and why. */
  readonly reports: Report[]
  reportFault?: string | undefined
}

function rememberPerChain(): (chain: string) => Memory {
  const memories = new Map<string, Memory>()
  return chain => {
    const memory = memories.get(chain) ?? { hadNameless: false, reports: [] }
    memories.set(chain, memory)
    return memory
  }
}

/** Payments whose bytes were journaled but not acknowledged. */
async function unsentByChain({ journal }: DaemonDeps) {
  return Map.groupBy(await journal.unsent(), ({ chain }) => chain)
}

/** They go out again before anything new of their chain. */
async function resumeUnsent(
  deps: DaemonDeps,
  { chain, memory }: Pick<Cycle, 'chain' | 'memory'>,
  rows: readonly PaymentRow[],
  endings: Endings,
): Promise<CycleReport> {
  const results: PaymentResult[] = []
  for (const row of rows) {
    if (endings.stop.aborted) break
    const result = await resume(deps, row, endings.abort)
    tellResult(deps.log, { chain, memory }, row.pendingId, result)
    results.push(result)
  }
  return summarize(results)
}

/** The wallet ids to ask Tatum about; a chain without wallets is not polled. */
async function chainsToPoll(deps: DaemonDeps): Promise<ReadonlyMap<string, readonly string[]>> {
  const { changed } = await deps.signer.ask({ type: 'reload' })
  if (changed) deps.log.info('vault reloaded')
  const byChain = new Map<string, string[]>()
  for (let from: number | null = 0; from !== null; ) {
    const page: Answers['wallets'] = await deps.signer.ask({ type: 'wallets', from })
    for (const { id, chain } of page.wallets) {
      const ids = byChain.get(chain)
      if (ids) ids.push(id)
      else if (deps.chains.includes(chain)) byChain.set(chain, [id])
    }
    from = page.next
  }
  return byChain
}

type Cycle = {
  readonly chain: string
  readonly walletIds: readonly string[]
  readonly memory: Memory
}

/** Polls one chain and pays what waits there. */
async function runCycle(deps: DaemonDeps, cycle: Cycle, endings: Endings): Promise<CycleReport> {
  const { chain, memory } = cycle
  // A poll that is cut off loses nothing, so that it need not hold up the end.
  const poll = await pollChain(deps, cycle, endings.stop)
  if (endings.stop.aborted) return { sent: 0, failures: [] }
  logPoll(deps.log, chain, poll, memory)
  if (poll.kind === 'failed') return { sent: 0, failures: [poll.code] }
  const report = await payAll(deps, cycle, poll.pending, endings)
  await sendReports(deps, memory, endings.abort)
  return report
}

type Poll =
  | { readonly kind: 'polled'; readonly pending: readonly unknown[] }
  | { readonly kind: 'failed'; readonly code: ErrorCode; readonly reason: string }

async function pollChain(
  { api }: DaemonDeps,
  { chain, walletIds }: Cycle,
  signal: AbortSignal,
): Promise<Poll> {
  try {
    return { kind: 'polled', pending: await api.pending(chain, walletIds, signal) }
  } catch (thrown) {
    const { code, message: reason } = asKmsError(thrown)
    return { kind: 'failed', code, reason }
  }
}

/** A server that is down for a night is one line, and one more when it is back. */
function logPoll(log: Log, chain: string, poll: Poll, memory: Memory): void {
  const before = memory.pollFault
  memory.pollFault = poll.kind === 'failed' ? poll.reason : undefined
  if (memory.pollFault === before) return
  if (poll.kind === 'polled') log.info('poll works again', { chain })
  else log.warning('poll failed', { chain, reason: poll.reason })
}

/** One after the other: transactions of one address go out in the order Tatum gave them. */
async function payAll(
  deps: DaemonDeps,
  { chain, memory }: Cycle,
  pending: readonly unknown[],
  endings: Endings,
): Promise<CycleReport> {
  const results: PaymentResult[] = []
  for (const sent of pending) {
    if (endings.stop.aborted) break
    const id = pendingId(sent)
    const result = await pay(deps, chain, sent, endings.abort)
    results.push(result)
    // Without an id there is no telling whether it is the same one again.
    if (id === undefined && memory.hadNameless) continue
    memory.hadNameless ||= id === undefined
    tellResult(deps.log, { chain, memory }, id, result)
  }
  memory.hadNameless = pending.some(sent => pendingId(sent) === undefined)
  return summarize(results)
}

type Report = { readonly signatureId: string; readonly error: string }

/** What the approver says stays between the owner and the daemon, as in the original. */
function isReported(code: ErrorCode): boolean {
  return code !== 'approver-denied' && code !== 'approver-unreachable'
}

/** What is reported at once; a server that takes no reports must not fill our memory with them. */
const maxReports = 1_000

/** Empties the memory's reports; what cannot be delivered stays for the next cycle. */
async function sendReports(
  { api, log }: DaemonDeps,
  memory: Memory,
  signal: AbortSignal,
): Promise<void> {
  const { reports, reportFault: before } = memory
  if (reports.length === 0) return
  reports.splice(0, reports.length - maxReports)
  try {
    await api.reportErrors(reports, signal)
    reports.length = 0
    memory.reportFault = undefined
  } catch (thrown) {
    const { message: reason } = asKmsError(thrown)
    memory.reportFault = reason
    if (reason !== before) log.warning('failures could not be reported', { reason })
  }
}

/** To the log at once, to Tatum at the end of the cycle. */
function tellResult(
  log: Log,
  { chain, memory }: Pick<Cycle, 'chain' | 'memory'>,
  id: string | undefined,
  result: PaymentResult,
): void {
  const payment = { id: id ?? 'without id', chain }
  if (result.kind === 'sent') {
    log.info('payment sent', { ...payment, txId: result.txId })
    if (!result.completed) log.warning('withdrawal must be completed by hand', payment)
    return
  }
  const { code, reason, isNews } = result
  if (!isNews) return
  const event = code === 'approver-denied' ? 'payment denied' : 'payment not sent'
  log.warning(event, { ...payment, code, reason })
  if (id !== undefined && isReported(code)) {
    memory.reports.push({ signatureId: id, error: reason })
  }
}

function summarize(results: readonly PaymentResult[]): CycleReport {
  return {
    sent: results.filter(({ kind }) => kind === 'sent').length,
    failures: results.flatMap(result => (result.kind === 'stopped' ? [result.code] : [])),
  }
}
