import { afterAll, beforeEach, describe, expect, test } from 'bun:test'
import { type Http, request } from '../../src/base/http.ts'
import { createApprover, createSigningApprover } from '../../src/guard/approval.ts'
import { ethPayment } from '../support/payments.ts'

type Seen = {
  readonly method: string
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

const seen: Seen[] = []
/** Ports of the connections that were made. */
const peers = new Set<number | undefined>()
let answer: () => Response | Promise<Response>
const server = Bun.serve({
  hostname: '127.0.0.1',
  port: 0,
  async fetch(asked, { requestIP }) {
    peers.add(requestIP.call(server, asked)?.port)
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
  peers.clear()
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

describe('a connection', () => {
  test.each(['GET', 'POST'] as const)('is used again for the next question by %s', async method => {
    await ask(method)
    peers.clear()
    answer = () => Response.json({ verdicts: [] })
    for (let n = 0; n < 20; n++) await ask(method)
    answer = () => new Response('no', { status: 403 })
    for (let n = 0; n < 20; n++) await ask(method)
    expect(seen).toHaveLength(41)
    expect(peers.size).toBeLessThanOrEqual(1)
  })

  test('is made for each question that waits, and used again by the next ones', async () => {
    answer = async () => {
      await Bun.sleep(20)
      return new Response()
    }
    for (let round = 0; round < 5; round++) {
      await Promise.all(Array.from({ length: 16 }, () => ask('GET')))
    }
    expect(seen).toHaveLength(80)
    expect(peers.size).toBeLessThanOrEqual(20)
  })
})

describe('an approver that signs', () => {
  const verdict = {
    key: 'ab'.repeat(32),
    verdict: 'approved',
    expiry: 1,
    signature: 'cd'.repeat(64),
  }

  test('is heard when it answers with verdicts, however many they are', async () => {
    for (const verdicts of [[verdict], [], [verdict, verdict]]) {
      answer = () => Response.json({ verdicts, more: 'things' }, { status: 202 })
      expect(await askSigning()).toEqual({ kind: 'answered', verdicts } as never)
    }
  })

  test.each([
    ['nothing', ''],
    ['no JSON', 'approved'],
    ['half of it', '{"verdicts":['],
    ['true', 'true'],
    ['null', 'null'],
    ['verdicts alone', JSON.stringify([verdict])],
    ['no list', JSON.stringify({ verdicts: verdict })],
    [
      'a yes without signature',
      JSON.stringify({ verdicts: [{ ...verdict, signature: undefined }] }),
    ],
    ['more verdicts than anybody has', JSON.stringify({ verdicts: Array(65).fill(verdict) })],
    ['verdicts of the prototype', JSON.stringify({ ['__proto__']: { verdicts: [verdict] } })],
    ['a very deep answer', `${'['.repeat(30_000)}${']'.repeat(30_000)}`],
    ['more than 64 KiB', JSON.stringify({ more: ' '.repeat(64 * 1024), verdicts: [verdict] })],
  ])('has said nothing when a 200 holds %s', async (_, text) => {
    answer = () => new Response(text)
    const heard = await askSigning()
    expect(heard).toMatchObject({ kind: 'failed' })
    expect(JSON.stringify(heard)).not.toContain('ab'.repeat(32))
  })

  test.each([400, 403, 404])('%d denies, unsigned, whatever it holds', async status => {
    answer = () => Response.json({ verdicts: [verdict] }, { status })
    expect(await askSigning()).toMatchObject({ kind: 'denied' })
  })

  test.each([302, 408, 429, 500, 503])('%d is no answer, whatever it holds', async status => {
    answer = () => Response.json({ verdicts: [verdict] }, { status, headers: { location: url } })
    expect(await askSigning()).toMatchObject({ kind: 'failed' })
    expect(seen).toHaveLength(1)
  })

  function askSigning() {
    const settings = { url, method: 'POST', insecureHttp: true } as const
    return createSigningApprover(settings, request)('id', {}, signal)
  }
})

const zeros = new Uint8Array(16 * 1024)

function verdictOn(status: number) {
  answer = () => new Response(null, { status, headers: { location: url } })
  return ask('GET')
}

function ask(method: 'GET' | 'POST', address = url, stop = signal) {
  return createApprover({ url: address, method, insecureHttp: true }, request)('id', {}, stop)
}
