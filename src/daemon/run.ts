import { asKmsError, type ErrorCode, KmsError } from '../base/errors.ts'
import type { TatumApi } from '../tatum/api.ts'
import { DeniedForGood } from './approve.ts'
import type { DeliveryDeps } from './delivery.ts'
import type { EventLog } from './events.ts'
import { isSigned, type PaymentRow } from './journal.ts'
import { LeftToOthers } from './leases.ts'
import type { Memory } from './memory.ts'
import type { Observer, PaymentOutcome } from './observer.ts'
import { SignedOtherwise } from './payment.ts'
import type { Roads } from './roads.ts'

export type CycleDeps = DeliveryDeps & {
  readonly api: TatumApi
  readonly log: EventLog
  readonly observer: Observer
  /** The pending ids that this run is for; undefined for all. */
  readonly onlyPayments?: ReadonlySet<string> | undefined
  /** Milliseconds since 1970. */
  readonly now: () => number
  /** Milliseconds since some time, whatever the clock is set to: what waits are reckoned by. */
  readonly monotonic: () => number
}

/** The two ways to be told to end. */
export type Endings = {
  /** Start no further payment; finish those under way. */
  readonly stop: AbortSignal
  /** Give up what is under way: the bytes are journaled, the next start goes on from there. */
  readonly abort: AbortSignal
}

export type Cycle = {
  readonly chain: string
  readonly walletIds: readonly string[]
  readonly memory: Memory
  readonly roads: Roads
}

/** What a cycle came to: enough for an exit status. */
export type CycleReport = {
  readonly sent: number
  /** Of these, on chain though Tatum's ledger did not follow. */
  readonly uncompleted: number
  /** In the order they happened. */
  readonly failures: readonly ErrorCode[]
}

/** A cycle under way. */
export type Run = {
  readonly deps: CycleDeps
  readonly cycle: Cycle
  readonly abort: AbortSignal
  readonly tally: { sent: number; uncompleted: number; readonly failures: ErrorCode[] }
  /** No further payment is to be started. */
  isOver(): boolean
}

/**
 * What stops a payment before it has bytes: journaled, told once, reported to Tatum once.
 *
 * @param judges what of the payment `work` looks at: its contents, which stay as they are, or what
 *   was added to them, which is another thing in every cycle
 */
export async function attempt<T>(
  run: Run,
  id: string,
  judges: 'contents' | 'completion',
  work: () => Promise<T>,
): Promise<T | undefined> {
  try {
    return await work()
  } catch (thrown) {
    const { deps, tally } = run
    const { chain, memory } = run.cycle
    const fault = failureOf(thrown, run)
    if (fault instanceof LeftToOthers) return undefined
    const { code, message: reason } = fault
    tally.failures.push(code)
    deps.observer.payment(chain, outcomeOf(code))
    memory.tried(id, deps.monotonic())
    if (memory.tell(id, code)) {
      const event = code === 'approver-denied' ? 'payment denied' : 'payment not sent'
      deps.log.warning(event, { id, chain, code, reason })
    }
    try {
      await journalStop(run, id, fault, judges)
    } catch (stopped) {
      if (!(stopped instanceof LeftToOthers)) throw stopped
    }
    if (isReported(fault)) memory.reports.set(id, { code, reason })
    return undefined
  }
}

function outcomeOf(code: ErrorCode): PaymentOutcome {
  if (code === 'approver-denied') return 'denied'
  if (code === 'policy-denied') return 'policy_denied'
  return code === 'transaction-malformed' ? 'refused' : 'failed'
}

/** The fault, unless it ends the cycle: a stop, or a journal that cannot remember what is sent. */
export function failureOf(thrown: unknown, { abort }: Run): KmsError {
  const fault = asKmsError(thrown)
  if (fault.code === 'disk') throw fault
  if (abort.aborted) throw new KmsError('terminated', 'stopped while a payment was under way')
  return fault
}

async function journalStop(
  { deps: { journal } }: Run,
  id: string,
  fault: KmsError,
  judges: 'contents' | 'completion',
): Promise<void> {
  const row = await journal.find(id)
  if (row === undefined || isSigned(row)) return
  const { code, message: reason } = fault
  const open = code === 'approver-denied' ? 'denied' : 'seen'
  const state = isFinal(fault, row, judges) ? 'refused' : open
  if (row.state === state && row.code === code && row.reason === reason) return
  await journal.record({ ...row, state, code, reason })
}

/**
 * Whether the payment is closed: with the same contents it is never looked at again, so that whoever
 * hears of its failure may pay in another way. Everything else may be otherwise in a later cycle.
 */
function isFinal(
  fault: KmsError,
  { contents }: PaymentRow,
  judges: 'contents' | 'completion',
): boolean {
  if (fault instanceof DeniedForGood) return true
  if (judges === 'completion') return false
  const { code } = fault
  // What a policy denies today another one may allow.
  return code === 'transaction-malformed' && contents !== '' && !(fault instanceof SignedOtherwise)
}

/** What the approver says stays between the owner and the daemon, as in the original. */
function isReported(fault: KmsError): boolean {
  const isOfApprover = fault.code === 'approver-denied' || fault.code === 'approver-unreachable'
  // What is only too early is paid in a later cycle: who is told of a failure pays again.
  return !isOfApprover && fault.code !== 'too-early' && !(fault instanceof SignedOtherwise)
}
