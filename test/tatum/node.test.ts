import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { KmsError } from '../../src/base/errors.ts'
import { type Http, request } from '../../src/base/http.ts'
import { type ChainNode, createNode, type NodeSettings } from '../../src/tatum/node.ts'
import { actWithFault, type Fault } from '../support/fake-faults.ts'

let asked: { method: string; path: string; headers: Record<string, string>; body: string }[]
let fault: Fault | undefined
let server: ReturnType<typeof Bun.serve>
let waits: number[]

beforeEach(() => {
  asked = []
  waits = []
  fault = undefined
  server = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    async fetch(sent) {
      const { pathname, search } = new URL(sent.url)
      const headers = Object.fromEntries(sent.headers)
      asked.push({ method: sent.method, path: pathname + search, headers, body: await sent.text() })
      return actWithFault(fault, async () => Response.json({ height: '7' }))
    },
  })
})

afterEach(() => server.stop(true))

/** The real thing, but tests do not wait a minute for a server that never answers. */
const hasty: Http = exchange => request({ ...exchange, timeoutMs: 100 })

function nodeOf(settings: Partial<NodeSettings> = {}): ChainNode {
  return createNode('flow', {
    baseUrl: `http://127.0.0.1:${server.port}`,
    version: '9.0.0',
    http: hasty,
    sleep: async ms => void waits.push(ms),
    random: () => 0.5,
    ...settings,
  })
}

describe('a node', () => {
  test('is asked without any key', async () => {
    expect(await nodeOf().get('/v1/blocks?height=final')).toEqual({ height: '7' })
    expect(await nodeOf({ baseUrl: `${server.url}base/` }).post('/v1/x', { a: 1 })).toEqual({
      height: '7',
    })
    expect(asked).toMatchObject([
      { method: 'GET', path: '/v1/blocks?height=final', body: '' },
      { method: 'POST', path: '/base/v1/x', body: '{"a":1}' },
    ])
    for (const { headers } of asked) {
      expect(headers['user-agent']).toBe('tatum-kms/9.0.0')
      expect(Object.keys(headers).filter(name => /key|auth|cookie|ttm/.test(name))).toEqual([])
    }
    expect(asked[1]?.headers['content-type']).toBe('application/json')
  })

  test('that knows nothing may say null', async () => {
    fault = { kind: 'answer', body: 'null' }
    expect(await nodeOf().get('/transactions/0x1')).toBeNull()
  })

  test('is looked up in: what it does not know is undefined, any other refusal a fault', async () => {
    expect(await nodeOf().find('/v1/x')).toEqual({ height: '7' })
    fault = { kind: 'answer', status: 404, body: '{"message":"not found"}' }
    expect(await nodeOf().find('/v1/x')).toBeUndefined()
    expect((await failure(nodeOf().get('/v1/x'))).message).toContain('status 404')
    fault = { kind: 'answer', status: 400 }
    expect(await failure(nodeOf().find('/v1/x'))).toMatchObject({ code: 'network' })
    fault = { kind: 'answer', body: 'null' }
    expect(await nodeOf().find('/v1/x')).toBeNull()
  })

  test('is asked three times when it does not answer well', async () => {
    fault = { kind: 'answer', status: 503 }
    const { code, message } = await failure(nodeOf().get('/v1'))
    expect({ code, message }).toEqual({
      code: 'network',
      message: 'a request to the Flow node was answered with status 503',
    })
    expect(asked).toHaveLength(3)
    expect(waits).toEqual([100, 200])
  })

  test.each([
    ['a URL in it', '{"message":"see https://evil.example/x"}', 'status 400: see [url]'],
    ['no JSON', '<html>', 'status 400'],
    ['lines', '{"message":"a\\nb"}', 'status 400: a b'],
  ])('is quoted fit for a log line: %s', async (_, body, outcome) => {
    fault = { kind: 'answer', status: 400, body }
    expect((await failure(nodeOf().post('/v1', {}))).message).toEndWith(outcome)
    expect(asked).toHaveLength(1)
  })

  const faults: readonly (readonly [string, Fault])[] = [
    ['a flood', { kind: 'flood', bytes: 10_000_000 }],
    ['a drip', { kind: 'drip' }],
    ['silence', { kind: 'hang' }],
    ['a closed connection', { kind: 'close-before-acting' }],
    ['half of a JSON text', { kind: 'answer', body: '{"a":' }],
    ['a redirect', { kind: 'answer', status: 302, headers: { location: 'http://127.0.0.1:1/' } }],
  ]

  test.each(faults)('that answers with %s is a fault of the network', async (_, kind) => {
    fault = kind
    const { code, message } = await failure(nodeOf().get('/v1'))
    expect(code).toBe('network')
    expect(message).not.toMatch(/127\.0\.0\.1|:\/\//)
  })

  test('is not waited for after a stop', async () => {
    const { code } = await failure(nodeOf().get('/v1', AbortSignal.abort()))
    expect(code).toBe('interrupted')
  })

  test.each(['http://rest-mainnet.onflow.org', 'flow', '', 'file:///etc'])(
    'cannot be at %p',
    baseUrl => {
      expect(() => nodeOf({ baseUrl })).toThrow('the Flow node')
    },
  )

  test('is asked about no path that would change its name', async () => {
    expect((await failure(nodeOf().get('.example.com/'))).code).toBe('unexpected')
  })
})

async function failure(promise: Promise<unknown>): Promise<KmsError> {
  const thrown = await promise.then(
    () => new Error('it did not fail'),
    error => error,
  )
  if (thrown instanceof KmsError) return thrown
  throw thrown
}
