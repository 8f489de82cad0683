import { isDeepStrictEqual } from 'node:util'
import { askedInstead, askedOnce } from './asked-instead.ts'
import type { RecordedCase, RecordedExchange } from './recorded-cases.ts'

/** What the program under test did, apart from reading what was recorded. */
export type Replayed = {
  readonly broadcasts: { readonly path: string; readonly body: string }[]
  readonly reports: { readonly signatureId: string; readonly error: string }[]
  /** Requests nothing was recorded for. */
  readonly strays: string[]
}

export type ReplayTatum = AsyncDisposable & {
  readonly url: string
  readonly apiKey: string
  readonly approverUrl: string
  readonly did: Replayed
}

/** The Tatum API as it was when one case was recorded; approves of everything. */
export function startReplayTatum(found: RecordedCase): ReplayTatum {
  const { pending, chain, network, case: name, http } = found
  const apiKey = 'replayed-api-key'
  const did: Replayed = { broadcasts: [], reports: [], strays: [] }
  const exchanges = [
    ...http,
    ...(askedInstead[`${chain} ${name}`] ?? []),
    ...(askedOnce[`${chain} ${network}`] ?? []),
  ]
  const waiting = [{ chain, ...pending }]
  const answer = (method: string, path: string, body: string): Response => {
    if (path === `/v3/kms/pending/${chain}`) return Response.json(waiting.splice(0))
    if (path.startsWith('/approve/')) return new Response()
    if (path === '/v3/tatum/kms/batch') {
      did.reports.push(...JSON.parse(body).errors)
      return new Response(null, { status: 204 })
    }
    const exchange = exchanges.find(known => matches(known, `${method} ${path}`, body))
    if (exchange !== undefined) return replay(exchange)
    // Flow's proposal keys are released at the same path: that is recorded with the rest.
    if (path.endsWith('/broadcast')) {
      did.broadcasts.push({ path, body })
      return Response.json({ txId: 'replayed', completed: true })
    }
    did.strays.push(`${method} ${path} ${body}`)
    return Response.json({ statusCode: 404, errorCode: 'not.recorded' }, { status: 404 })
  }
  const server = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    async fetch(request) {
      const { pathname, search } = new URL(request.url)
      const path = (pathname + search).replace(apiKey, '{apiKey}')
      return answer(request.method, path, await request.text())
    },
  })
  const url = `http://127.0.0.1:${server.port}`
  return {
    url,
    apiKey,
    approverUrl: `${url}/approve`,
    did,
    [Symbol.asyncDispose]: () => server.stop(true),
  }
}

function matches(
  { request, jsonrpc, body: recorded }: RecordedExchange,
  asked: string,
  body: string,
) {
  // Some were recorded with the key that was used, or of other hosts, which are all this one here.
  const recordedAs = request.replace('/test-api-key', '/{apiKey}').replace(/ https:\/\/[^/]+/, ' ')
  if (recordedAs !== asked) return false
  const sent: unknown = body === '' ? undefined : JSON.parse(body)
  if (jsonrpc === undefined) return isDeepStrictEqual(sent, recorded)
  const { method, params } = sent as NonNullable<RecordedExchange['jsonrpc']>
  return isDeepStrictEqual({ method, params }, jsonrpc)
}

function replay({ jsonrpc, result, error, status = 200, response }: RecordedExchange): Response {
  if (jsonrpc === undefined) return Response.json(response, { status })
  return Response.json({ jsonrpc: '2.0', id: 1, ...(error === undefined ? { result } : { error }) })
}
