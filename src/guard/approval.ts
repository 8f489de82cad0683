import { KmsError } from '../base/errors.ts'
import type { Http } from '../base/http.ts'
import { asRecord, encodeJson, type Json, parseJson } from '../base/json.ts'
import { decodeVerdicts, type SignedVerdict } from './signed-verdicts.ts'
import type { Verdict } from './verdict.ts'

/** The owner's approval server (4-eye), asked once per pending transaction. */
export type Approver = (pendingId: string, pending: Json, signal: AbortSignal) => Promise<Verdict>

/** One whose yes is worth what its keys have signed. */
export type SigningApprover = (
  pendingId: string,
  asked: Json,
  signal: AbortSignal,
) => Promise<
  | { readonly kind: 'answered'; readonly verdicts: readonly SignedVerdict[] }
  | Exclude<Verdict, { readonly kind: 'approved' }>
>

export type ApproverSettings = {
  readonly url: string
  /** GET sends the id only, POST the whole pending transaction as well. */
  readonly method: 'GET' | 'POST'
  readonly insecureHttp: boolean
}

const timeoutMs = 15_000
/** A status, and room for signed verdicts: a longer answer is not worth reading. */
const maxBytes = 64 * 1024
/** Client errors that say "not now" rather than "no": request timeout, too early, too many. */
const retryable = new Set([408, 425, 429])

/** `{url}/{id}`: any 2xx approves; no API key is ever sent there, and redirects are not followed. */
export function createApprover(settings: ApproverSettings, http: Http): Approver {
  return async (...asked) => (await ask(settings, http, ...asked)).verdict
}

/** As `createApprover`, but a 2xx only says that there are verdicts to read: docs/format.md, 4. */
export function createSigningApprover(settings: ApproverSettings, http: Http): SigningApprover {
  return async (...asked) => {
    const { verdict, text } = await ask(settings, http, ...asked)
    if (verdict.kind !== 'approved') return verdict
    const verdicts = decodeVerdicts(asRecord(parseJson(text))?.get('verdicts'))
    if (verdicts !== undefined) return { kind: 'answered', verdicts }
    return { kind: 'failed', reason: 'the approval server answered without signed verdicts' }
  }
}

type Heard = { readonly verdict: Verdict; readonly text: string }

async function ask(
  { url, method, insecureHttp }: ApproverSettings,
  http: Http,
  pendingId: string,
  pending: Json,
  signal: AbortSignal,
): Promise<Heard> {
  try {
    const { status, text } = await http({
      method,
      url: `${url.replace(/\/+$/, '')}/${encodeURIComponent(pendingId)}`,
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
    return { verdict: judge(status), text }
  } catch (thrown) {
    if (!(thrown instanceof KmsError)) throw thrown
    return { verdict: { kind: 'failed', reason: thrown.message }, text: '' }
  }
}

function judge(status: number): Verdict {
  const reason = `the approval server answered ${status}`
  if (status >= 200 && status < 300) return { kind: 'approved' }
  if (status >= 400 && status < 500 && !retryable.has(status)) return { kind: 'denied', reason }
  return { kind: 'failed', reason }
}
