import { asKmsError, type KmsError } from '../base/errors.ts'
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
    const asked = await Promise.allSettled(
      [...memory.reports.keys()].map(async id => {
        if (await leases.take(paymentLease(id))) held.push(id)
      }),
    )
    // Only now: what is taken meanwhile is let go, too.
    const failed = asked.find(({ status }) => status === 'rejected')
    if (failed?.status === 'rejected') throw failed.reason
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
  const ids = [...memory.reports.keys()].filter(id => held.has(id))
  let failed: KmsError | undefined
  for (let at = 0; at < ids.length; at += reportsAtOnce) {
    // Only now: while others were reported, what had failed may have been signed.
    const sent = await readReports(journal, memory, ids.slice(at, at + reportsAtOnce))
    if (sent.length === 0) continue
    try {
      await api.reportErrors(sent, signal)
    } catch (thrown) {
      if (signal.aborted) return
      failed = asKmsError(thrown)
      // Tatum refuses it for one of its ids, which must not hold up the others.
      if (failed.code === 'transaction-refused') continue
      break
    }
    for (const { signatureId } of sent) await markReported(journal, memory, signatureId)
  }
  if (memory.tell('the reports', failed?.code) && failed !== undefined) {
    log.warning('failures could not be reported', { reason: failed.message })
  }
}

/** What is still to be told; the rest is forgotten. */
async function readReports(
  journal: Journal,
  { reports }: Memory,
  ids: readonly string[],
): Promise<readonly ErrorReport[]> {
  const read = ids.map(async (id): Promise<readonly ErrorReport[]> => {
    const told = reports.get(id)
    const row = await journal.find(id)
    if (told === undefined) return []
    const { code, reason } = told
    const isPast = row !== undefined && (row.reported === code || mayArrive(row))
    if (!isPast) return [{ signatureId: id, error: textOf(row, reason) }]
    reports.delete(id)
    return []
  })
  return (await Promise.all(read)).flat()
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
