import { asKmsError, type ErrorCode } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import type { SignerClient } from '../signer/client.ts'
import type { Answers } from '../signer/messages.ts'
import type { TatumApi } from '../tatum/api.ts'
import { pendingId } from '../tatum/pending.ts'
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
  await resumeUnsent(deps, endings)
  const faults = new Map<string, string>()
  while (!endings.stop.aborted) {
    await runCycle(deps, faults, endings)
    await deps.sleep(deps.periodMs, endings.stop)
  }
}

/** One cycle, for `--runOnce`. */
export async function runOnce(deps: DaemonDeps, endings: Endings): Promise<CycleReport> {
  const resumed = await resumeUnsent(deps, endings)
  const cycle = await runCycle(deps, new Map(), endings)
  return {
    sent: resumed.sent + cycle.sent,
    failures: [...resumed.failures, ...cycle.failures],
  }
}

/** Payments whose bytes were journaled but not acknowledged go out again, before anything new. */
async function resumeUnsent(deps: DaemonDeps, endings: Endings): Promise<CycleReport> {
  const results: PaymentResult[] = []
  for (const row of await deps.journal.unsent()) {
    if (endings.stop.aborted) break
    const result = await resume(deps, row, endings.abort)
    logResult(deps.log, row.chain, row.pendingId, result)
    results.push(result)
  }
  return summarize(results)
}

/** @param faults what each chain's poll failed with last time, so that it is said once per change */
async function runCycle(
  deps: DaemonDeps,
  faults: Map<string, string>,
  endings: Endings,
): Promise<CycleReport> {
  const { changed } = await deps.signer.ask({ type: 'reload' })
  if (changed) deps.log.info('vault reloaded')
  const wallets = await walletsByChain(deps)
  const reports: Report[] = []
  const polled = deps.chains.filter(chain => wallets.has(chain))
  const cycles = await Promise.all(
    polled.map(async chain => {
      const poll = await pollChain(deps, chain, wallets.get(chain) ?? [], endings.abort)
      logPoll(deps.log, chain, poll, faults)
      if (poll.kind === 'failed') return { sent: 0, failures: [poll.code] }
      return payAll(deps, chain, poll.pending, reports, endings)
    }),
  )
  await sendReports(deps, reports, endings.abort)
  return {
    sent: cycles.reduce((sum, { sent }) => sum + sent, 0),
    failures: cycles.flatMap(({ failures }) => failures),
  }
}

/** Wallet ids to ask Tatum about; a chain without wallets is not polled. */
async function walletsByChain({ signer }: DaemonDeps): Promise<ReadonlyMap<string, string[]>> {
  const byChain = new Map<string, string[]>()
  for (let from: number | null = 0; from !== null; ) {
    const page: Answers['wallets'] = await signer.ask({ type: 'wallets', from })
    for (const { id, chain } of page.wallets) {
      const ids = byChain.get(chain)
      if (ids) ids.push(id)
      else byChain.set(chain, [id])
    }
    from = page.next
  }
  return byChain
}

type Poll =
  | { readonly kind: 'polled'; readonly pending: readonly unknown[] }
  | { readonly kind: 'failed'; readonly code: ErrorCode; readonly reason: string }

async function pollChain(
  { api }: DaemonDeps,
  chain: string,
  walletIds: readonly string[],
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
function logPoll(log: Log, chain: string, poll: Poll, faults: Map<string, string>): void {
  const before = faults.get(chain)
  if (poll.kind === 'polled') {
    if (faults.delete(chain)) log.info('poll works again', { chain })
    return
  }
  faults.set(chain, poll.reason)
  if (before !== poll.reason) log.warning('poll failed', { chain, reason: poll.reason })
}

/** One after the other: transactions of one address go out in the order Tatum gave them. */
async function payAll(
  deps: DaemonDeps,
  chain: string,
  pending: readonly unknown[],
  reports: Report[],
  endings: Endings,
): Promise<CycleReport> {
  const results: PaymentResult[] = []
  for (const sent of pending) {
    if (endings.stop.aborted) break
    const id = pendingId(sent)
    const result = await pay(deps, chain, sent, endings.abort)
    logResult(deps.log, chain, id, result)
    results.push(result)
    if (result.kind === 'stopped' && result.isNews && isReported(result.code) && id !== undefined) {
      reports.push({ signatureId: id, error: result.reason })
    }
  }
  return summarize(results)
}

type Report = { readonly signatureId: string; readonly error: string }

/** What the approver says stays between the owner and the daemon, as in the original. */
function isReported(code: ErrorCode): boolean {
  return code !== 'approver-denied' && code !== 'approver-unreachable'
}

async function sendReports(
  { api, log }: DaemonDeps,
  reports: readonly Report[],
  signal: AbortSignal,
): Promise<void> {
  if (reports.length === 0) return
  try {
    await api.reportErrors(reports, signal)
  } catch (thrown) {
    log.warning('failures could not be reported', { reason: asKmsError(thrown).message })
  }
}

function logResult(log: Log, chain: string, id: string | undefined, result: PaymentResult): void {
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
}

function summarize(results: readonly PaymentResult[]): CycleReport {
  return {
    sent: results.filter(({ kind }) => kind === 'sent').length,
    failures: results.flatMap(result => (result.kind === 'stopped' ? [result.code] : [])),
  }
}
