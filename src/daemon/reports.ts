import { asKmsError } from '../base/errors.ts'
import type { ErrorReport, TatumApi } from '../tatum/api.ts'
import type { EventLog } from './events.ts'
import { isSigned, type Journal, type PaymentRow } from './journal.ts'
import { LeftToOthers, paymentLease } from './leases.ts'
import type { Memory } from './memory.ts'

export type ReportDeps = {
  readonly api: Pick<TatumApi, 'reportErrors'>
  readonly journal: Journal
  readonly log: EventLog
}

/** A server takes a body of some size only: many failures must not keep each other from it. */
const reportsAtOnce = 50

/**
 * Tells Tatum of each failure once; what cannot be delivered stays for the next cycle, and so does what
 * another daemon works on.
 */
export async function sendReports(
  deps: ReportDeps,
  memory: Memory,
  signal: AbortSignal,
): Promise<void> {
  const { leases } = deps.journal
  const held: string[] = []
  try {
    await Promise.all(
      [...memory.reports.keys()].map(async id => {
        if (await leases.take(paymentLease(id))) held.push(id)
      }),
    )
    await sendHeld(deps, memory, new Set(held), signal)
  } finally {
    for (const id of held) leases.letGo(paymentLease(id))
  }
}

async function sendHeld(
  { api, journal, log }: ReportDeps,
  memory: Memory,
  held: ReadonlySet<string>,
  signal: AbortSignal,
): Promise<void> {
  const reports: ErrorReport[] = []
  for (const [id, { code, reason }] of memory.reports) {
    if (!held.has(id)) continue
    const row = await journal.find(id)
    if (row !== undefined && (row.reported === code || mayArrive(row))) memory.reports.delete(id)
    else reports.push({ signatureId: id, error: textOf(row, reason) })
  }
  for (let at = 0; at < reports.length; at += reportsAtOnce) {
    const sent = reports.slice(at, at + reportsAtOnce)
    try {
      await api.reportErrors(sent, signal)
    } catch (thrown) {
      if (signal.aborted) return
      const { code, message: reason } = asKmsError(thrown)
      if (memory.tell('the reports', code)) {
        log.warning('failures could not be reported', { reason })
      }
      return
    }
    memory.tell('the reports', undefined)
    for (const { signatureId } of sent) await markReported(journal, memory, signatureId)
  }
}

/** Of a server's words there may be more than a report takes: what follows them must not be lost. */
const maxReason = 800

/** An application that hears of a failure may pay again: it must know where this daemon may, too. */
function textOf(row: PaymentRow | undefined, reason: string): string {
  const isClosed = row?.state === 'refused' || row?.state === 'expired'
  return isClosed
    ? reason
    : `${reason.slice(0, maxReason)} (it is tried again while Tatum lists it)`
}

function mayArrive(row: PaymentRow): boolean {
  return isSigned(row) && row.state !== 'expired'
}

async function markReported(journal: Journal, { reports }: Memory, id: string): Promise<void> {
  const row = await journal.find(id)
  const told = reports.get(id)
  try {
    if (row !== undefined && told) await journal.record({ ...row, reported: told.code })
  } catch (thrown) {
    if (!(thrown instanceof LeftToOthers)) throw thrown
  }
  reports.delete(id)
}
