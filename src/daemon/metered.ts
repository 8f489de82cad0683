import { asKmsError } from '../base/errors.ts'
import type { Http, Retries } from '../base/http.ts'
import type { SignerClient } from '../signer/client.ts'
import type { Approve } from './approve.ts'
import type { Metrics } from './metrics.ts'

/** Whom the front talks to. */
export type Peer = 'tatum' | 'approver' | 'vet_node' | 'flow_node'

/** Counts what comes of each request. */
export function meterHttp(http: Http, peer: Peer, metrics: Metrics): Http {
  return async asked => {
    const count = (outcome: string): void => metrics.count('http_requests_total', { peer, outcome })
    try {
      const response = await http(asked)
      count(outcomeOf(response.status))
      return response
    } catch (thrown) {
      count(asKmsError(thrown).code === 'network' ? 'unreachable' : 'given_up')
      throw thrown
    }
  }
}

function outcomeOf(status: number): string {
  if (status === 429) return 'rate_limited'
  if (status >= 500) return 'server_error'
  return status >= 200 && status < 300 ? 'ok' : 'refused'
}

/** Counts the waits before a request is made again: of these `sleep` is told, and of nothing else. */
export function meterRetries(
  sleep: Retries['sleep'],
  peer: Peer,
  metrics: Metrics,
): Retries['sleep'] {
  return (ms, signal) => {
    metrics.count('http_retries_total', { peer })
    return sleep(ms, signal)
  }
}

/** Counts the approver's verdicts; what stopped a payment before it was asked is none. */
export function meterApprovals(approve: Approve, metrics: Metrics): Approve {
  const count = (verdict: string): void => metrics.count('approvals_total', { verdict })
  return async (...asked) => {
    try {
      const verdicts = await approve(...asked)
      count('approved')
      return verdicts
    } catch (thrown) {
      const { code } = asKmsError(thrown)
      if (code === 'approver-denied') count('denied')
      if (code === 'approver-unreachable') count('failed')
      throw thrown
    }
  }
}

/** Takes the time of the signer's answers. */
export function meterSigner(
  signer: SignerClient,
  metrics: Metrics,
  monotonic: () => number,
): SignerClient {
  return {
    ...signer,
    async ask(question) {
      const start = monotonic()
      try {
        return await signer.ask(question)
      } finally {
        const seconds = (monotonic() - start) / 1000
        metrics.observe('signer_seconds', { question: question.type }, seconds)
      }
    },
  }
}
