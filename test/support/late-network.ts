import { type Http, type HttpResponse, request } from '../../src/base/http.ts'
import { asRecord, asString } from '../../src/base/json.ts'
import { btc } from '../../src/chains/btc.ts'
import type { Chain } from '../../src/chains/chain.ts'

/**
 * What Flow, Cardano and Solana have in common, without any of them: payments of Bitcoin that
 * somebody else finishes, and that go out before Tatum is told.
 */
export type LateNetwork = {
  readonly chain: Chain
  /** Serves the network's own node and Tatum's broadcast of this chain; the rest goes its way. */
  readonly http: Http
  /** The signer's bytes that came to be finished, each time. No two answers are the same. */
  readonly finished: string[]
  /** Final bytes that came, each time. */
  readonly submitted: string[]
  /** Final bytes that are on chain. */
  readonly arrived: Set<string>
  /** What Tatum was told, `<pending id> <text>`. */
  readonly told: string[]
  /** From now on no bytes are taken that have not arrived. */
  expire(): void
}

export function createLateNetwork(): LateNetwork {
  const finished: string[] = []
  const submitted: string[] = []
  const arrived = new Set<string>()
  const told: string[] = []
  let isExpired = false

  const answers: Readonly<Record<string, (body: ReadonlyMap<string, unknown>) => object>> = {
    '/late/finish'(body) {
      const txData = textOf(body, 'txData')
      finished.push(txData)
      return { final: `${txData}/finished-${finished.length}` }
    },
    '/late/arrived': body => ({ isThere: arrived.has(textOf(body, 'bytes')) }),
    '/late/submit'(body) {
      const bytes = textOf(body, 'bytes')
      submitted.push(bytes)
      if (isExpired && !arrived.has(bytes)) return { isExpired }
      arrived.add(bytes)
      return {}
    },
    '/v3/bitcoin/broadcast'(body) {
      told.push(`${textOf(body, 'signatureId')} ${textOf(body, 'txData')}`)
      return { txId: 'told' }
    },
  }
  return {
    chain: { ...btc, finish, submit },
    async http(asked) {
      const answer = answers[new URL(asked.url).pathname]
      if (answer === undefined) return request(asked)
      return jsonResponse(answer(asRecord(JSON.parse(asked.body ?? '')) ?? new Map()))
    },
    finished,
    submitted,
    arrived,
    told,
    expire() {
      isExpired = true
    },
  }
}

/** As the network names it, from its final bytes. */
export function lateId(bytes: string): string {
  return `late-${Bun.hash(bytes)}`
}

const finish: NonNullable<Chain['finish']> = async (txData, _own, reads) => {
  const answer = asRecord(await reads.node('flow').post('/late/finish', { txData }))
  const final = textOf(answer ?? new Map(), 'final')
  return { txData: final, txId: lateId(final) }
}

const submit: NonNullable<Chain['submit']> = async (bytes, _own, reads) => {
  const sent = { kind: 'sent', txData: lateId(bytes) } as const
  const looked = asRecord(await reads.node('flow').post('/late/arrived', { bytes }))
  if (looked?.get('isThere') === true) return sent
  const answer = asRecord(await reads.node('flow').post('/late/submit', { bytes }))
  return answer?.get('isExpired') === true ? { kind: 'expired' } : sent
}

function textOf(body: ReadonlyMap<string, unknown>, member: string): string {
  const text = asString(body.get(member))
  if (text === undefined) throw new Error(`there is no ${member}`)
  return text
}

function jsonResponse(body: object): HttpResponse {
  return { status: 200, headers: new Headers(), text: JSON.stringify(body) }
}
