import { KmsError } from '../base/errors.ts'
import type { Http } from '../base/http.ts'
import { encodeJson, type Json } from '../base/json.ts'
import type { Verdict } from './verdict.ts'

/** The owner's approval server (4-eye), asked once per pending transaction. */
export type Approver = (pendingId: string, pending: Json, signal: AbortSignal) => Promise<Verdict>

export type ApproverSettings = {
  readonly url: string
  /** GET sends the id only, POST the whole pending transaction as well. */
  readonly method: 'GET' | 'POST'
  readonly insecureHttp: boolean
}

const timeoutMs = 15_000
/** Only the status counts; a long answer is not worth reading. */
const maxBytes = 64 * 1024
/** Client errors that say "not now" rather than "no": request timeout, too early, too many. */
const retryable = new Set([408, 425, 429])

/** `{url}/{id}`: any 2xx approves; no API key is ever sent there, and redirects are not followed. */
export function createApprover(
  { url, method, insecureHttp }: ApproverSettings,
  http: Http,
): Approver {
  const base = url.replace(/\/+$/, '')
  return async (pendingId, pending, signal) => {
    try {
      const { status } = await http({
        method,
        url: `${base}/${encodeURIComponent(pendingId)}`,
        label: 'the approval server',
        ...(method === 'POST' && {
          headers: { 'content-type': 'application/json' },
          body: encodeJson(pending),
        }),
        timeoutMs,
        maxBytes,
        insecureHttp,
        signal,
      })
      return judge(status)
    } catch (thrown) {
      if (!(thrown instanceof KmsError)) throw thrown
      return { kind: 'failed', reason: thrown.message }
    }
  }
}

function judge(status: number): Verdict {
  const reason = `the approval server answered ${status}`
  if (status >= 200 && status < 300) return { kind: 'approved' }
  if (status >= 400 && status < 500 && !retryable.has(status)) return { kind: 'denied', reason }
  return { kind: 'failed', reason }
}
