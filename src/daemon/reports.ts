import { asKmsError } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import type { ErrorReport, TatumApi } from '../tatum/api.ts'
import type { Journal } from './journal.ts'
import type { Memory } from './memory.ts'
import { isSigned } from './payment.ts'

export type ReportDeps = {
  readonly api: Pick<TatumApi, 'reportErrors'>
  readonly journal: Journal
  readonly log: Log
}

/** Tells Tatum of each failure once; what cannot be delivered stays for the next cycle. */
export async function sendReports(
  { api, journal, log }: ReportDeps,
  memory: Memory,
  signal: AbortSignal,
): Promise<void> {
  const reports: ErrorReport[] = []
  for (const [id, { code, reason }] of memory.reports) {
    const row = await journal.find(id)
    if (row?.reported === code || (row !== undefined && isSigned(row))) memory.reports.delete(id)
    else reports.push({ signatureId: id, error: reason })
  }
  if (reports.length === 0) return
  try {
    await api.reportErrors(reports, signal)
  } catch (thrown) {
    if (signal.aborted) return
    const { code, message: reason } = asKmsError(thrown)
    if (memory.tell('the reports', code)) log.warning('failures could not be reported', { reason })
    return
  }
  memory.tell('the reports', undefined)
  for (const { signatureId } of reports) {
    const row = await journal.find(signatureId)
    const told = memory.reports.get(signatureId)
    if (row !== undefined && told) await journal.record({ ...row, reported: told.code })
    memory.reports.delete(signatureId)
  }
}
