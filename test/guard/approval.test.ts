import { afterAll, beforeEach, describe, expect, test } from 'bun:test'
import { type Http, request } from '../../src/base/http.ts'
import { createApprover } from '../../src/guard/approval.ts'
import { ethPayment } from '../support/payments.ts'

type Seen = {
  readonly method: string
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

const seen: Seen[] = []
let answer: () => Response
const server = Bun.serve({
  hostname: '127.0.0.1',
  port: 0,
  async fetch(asked) {
    const { pathname, search } = new URL(asked.url)
    const headers = Object.fromEntries(asked.headers)
    seen.push({ method: asked.method, path: pathname + search, headers, body: await asked.text() })
    return answer()
  },
})
const url = `http://127.0.0.1:${server.port}/check`
const { signal } = new AbortController()

beforeEach(() => {
  seen.length = 0
  answer = () => new Response()
})
afterAll(() => server.stop(true))

describe('only a clear yes is a yes', () => {
  test.each([200, 201, 202, 204, 299])('%d approves', async status => {
    expect(await verdictOn(status)).toEqual({ kind: 'approved' })
  })

  test.each([400, 401, 403, 404, 410, 418, 451, 499])('%d denies', async status => {
    expect(await verdictOn(status)).toEqual({
      kind: 'denied',
      reason: `the approval server answered ${status}`,
    })
  })

  test.each([300, 301, 302, 303, 304, 307, 308, 408, 425, 429, 500, 502, 503, 504, 599])(
    '%d is no answer',
    async status => {
      expect(await verdictOn(status)).toEqual({
        kind: 'failed',
        reason: `the approval server answered ${status}`,
      })
    },
  )

  test('what the answer says does not matter', async () => {
    answer = () => new Response('{"approved":true}', { status: 403 })
    expect(await ask('GET')).toMatchObject({ kind: 'denied' })
    answer = () => new Response('{"approved":false}')
    expect(await ask('GET')).toEqual({ kind: 'approved' })
  })

  test('a redirect is not followed, wherever it leads', async () => {
    answer = () => new Response(null, { status: 302, headers: { location: `${url}/approved` } })
    expect(await ask('GET')).toMatchObject({ kind: 'failed' })
    expect(seen).toHaveLength(1)
  })

  test('nobody there is no answer', async () => {
    expect(await ask('GET', 'http://127.0.0.1:9/check')).toMatchObject({ kind: 'failed' })
    expect(await ask('GET', 'http://no-such-host.invalid/check')).toMatchObject({ kind: 'failed' })
  })

  test('a 200 that never ends is no answer', async () => {
    answer = () => new Response(new ReadableStream({ pull: stream => stream.enqueue(zeros) }))
    expect(await ask('GET')).toMatchObject({ kind: 'failed' })
  })

  test('a server that is slow is no answer', async () => {
    const hurried: Http = asked => request({ ...asked, timeoutMs: 50 })
    const approve = createApprover({ url, method: 'GET', insecureHttp: false }, hurried)
    answer = () => new Response(new ReadableStream({ pull: () => Bun.sleep(500) }))
    expect(await approve('id', {}, signal)).toMatchObject({ kind: 'failed' })
  })

  test('a stop is no answer', async () => {
    expect(await ask('GET', url, AbortSignal.abort())).toMatchObject({ kind: 'failed' })
    expect(seen).toEqual([])
  })
})

describe('what the server is told', () => {
  test('GET sends the id and nothing else', async () => {
    await ask('GET')
    expect(seen).toMatchObject([{ method: 'GET', path: '/check/id', body: '' }])
  })

  test('POST sends the whole transaction as it came', async () => {
    const pending = { ...ethPayment(1), unknown: { member: ['of', 1, null] } }
    await createApprover({ url, method: 'POST', insecureHttp: false }, request)(
      'id',
      pending,
      signal,
    )
    expect(seen).toMatchObject([{ method: 'POST', path: '/check/id' }])
    expect(JSON.parse(seen[0]?.body ?? '')).toEqual(pending)
    expect(seen[0]?.headers['content-type']).toBe('application/json')
  })

  test.each(['GET', 'POST'] as const)('%s sends no API key and no cookie', async method => {
    await ask(method)
    const names = Object.keys(seen[0]?.headers ?? {})
    expect(names.filter(name => /key|auth|cookie|token|x-/.test(name))).toEqual([])
  })

  test.each([
    ['a/../b', '/check/a%2F..%2Fb'],
    ['a?b#c', '/check/a%3Fb%23c'],
    ['%2e%2e/', '/check/%252e%252e%2F'],
    ['é\n', '/check/%C3%A9%0A'],
  ])('the id %j stays one segment of the path', async (id, path) => {
    await createApprover({ url, method: 'GET', insecureHttp: false }, request)(id, {}, signal)
    expect(seen).toMatchObject([{ path }])
  })

  test('slashes at the end of the address are one', async () => {
    await ask('GET', `${url}//`)
    expect(seen).toMatchObject([{ path: '/check/id' }])
  })
})

const zeros = new Uint8Array(16 * 1024)

function verdictOn(status: number) {
  answer = () => new Response(null, { status, headers: { location: url } })
  return ask('GET')
}

function ask(method: 'GET' | 'POST', address = url, stop = signal) {
  return createApprover({ url: address, method, insecureHttp: true }, request)('id', {}, stop)
}
