import { isDeepStrictEqual } from 'node:util'
import { askedInstead } from './asked-instead.ts'
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
export function startReplayTatum({ pending, chain, case: name, http }: RecordedCase): ReplayTatum {
  const apiKey = 'replayed-api-key'
  const did: Replayed = { broadcasts: [], reports: [], strays: [] }
  const exchanges = [...http, ...(askedInstead[`${chain} ${name}`] ?? [])]
  const waiting = [{ chain, ...pending }]
  const answer = (method: string, path: string, body: string): Response => {
    if (path === `/v3/kms/pending/${chain}`) return Response.json(waiting.splice(0))
    if (path.startsWith('/approve/')) return new Response()
    if (path === '/v3/tatum/kms/batch') {
      did.reports.push(...JSON.parse(body).errors)
      return new Response(null, { status: 204 })
    }
    if (path.endsWith('/broadcast')) {
      did.broadcasts.push({ path, body })
      return Response.json({ txId: 'replayed', completed: true })
    }
    const found = exchanges.find(exchange => matches(exchange, `${method} ${path}`, body))
    if (found !== undefined) return replay(found)
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
  if (request !== asked) return false
  const sent: unknown = body === '' ? undefined : JSON.parse(body)
  if (jsonrpc === undefined) return isDeepStrictEqual(sent, recorded)
  const { method, params } = sent as NonNullable<RecordedExchange['jsonrpc']>
  return isDeepStrictEqual({ method, params }, jsonrpc)
}

function replay({ jsonrpc, result, error, status = 200, response }: RecordedExchange): Response {
  if (jsonrpc === undefined) return Response.json(response, { status })
  return Response.json({ jsonrpc: '2.0', id: 1, ...(error === undefined ? { result } : { error }) })
}
