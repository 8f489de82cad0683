import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { KmsError } from '../../src/base/errors.ts'
import { type Http, request } from '../../src/base/http.ts'
import { createTatumApi, type TatumApi, type TatumApiSettings } from '../../src/tatum/api.ts'
import { refuseOversized } from '../../src/tatum/entry-size.ts'
import type { Fault } from '../support/fake-faults.ts'
import { type FakeRoute, type FakeTatum, startFakeTatum } from '../support/fake-tatum.ts'
import ethCases from '../vectors/sign/ETH.json' with { type: 'json' }

/** Marked, and spelled in another way inside a URL. */
const apiKey = 't-MARKED/KEY+0123456789'
const wallet = '63dde41a-ad9c-4b4b-a697-16af06cd976c'
const rpcPath = '/v3/ethereum/web3/{apiKey}'

let fake: FakeTatum
let waits: number[]

beforeEach(() => {
  fake = startFakeTatum({ apiKey, network: 'mainnet' })
  waits = []
})
afterEach(() => fake.stop())

function apiOf(settings: Partial<TatumApiSettings> = {}): TatumApi {
  return createTatumApi({
    baseUrl: fake.url,
    apiKey,
    version: '9.0.0',
    sleep: async ms => void waits.push(ms),
    random: () => 0.5,
    ...settings,
  })
}

/** The real thing, but tests do not wait a minute for a server that never answers. */
const hasty: Http = asked => request({ ...asked, timeoutMs: 100, maxBytes: 1_000_000 })

async function failure(promise: Promise<unknown>): Promise<KmsError> {
  const thrown = await promise.then(
    () => new Error('it did not fail'),
    error => error,
  )
  if (thrown instanceof KmsError) return thrown
  throw thrown
}

function uuids(count: number): readonly string[] {
  return Array.from(
    { length: count },
    (_, i) => `00000000-0000-4000-8000-${`${i}`.padStart(12, '0')}`,
  )
}

const [vector] = ethCases.filter(({ case: name }) => name === 'legacy-with-chainId')
if (vector?.expected.broadcast === undefined) throw new Error('the vectors changed')
const { pending, expected } = vector
const payment = vector.expected.broadcast
const offchain = ethCases.find(({ case: name }) => name === 'offchain-withdrawal')

describe('requests', () => {
  const common = {
    accept: 'application/json',
    'accept-encoding': 'identity',
    'user-agent': 'tatum-kms/9.0.0',
    'x-ttm-kms-client-version': '8.0.1',
  }

  test('polling posts the wallet ids with the headers of the protocol', async () => {
    await apiOf().pending('ETH', [wallet])
    expect(fake.state.requests).toMatchObject([
      {
        method: 'POST',
        path: '/v3/kms/pending/ETH',
        body: { signatureIds: [wallet] },
        headers: { ...common, 'x-api-key': apiKey, 'content-type': 'application/json' },
      },
    ])
  })

  test('reading has no body, and the key in the header', async () => {
    await apiOf().get('/v3/blockchain/fee/ETH')
    const [asked] = fake.state.requests
    expect(asked).toMatchObject({ method: 'GET', headers: { ...common, 'x-api-key': apiKey } })
    expect(asked?.headers['content-type']).toBeUndefined()
  })

  test('a call has the key in its path, encoded, and not in a header', async () => {
    await apiOf().rpc(rpcPath, 'eth_gasPrice', [])
    const [asked] = fake.state.requests
    expect(asked).toMatchObject({
      method: 'POST',
      path: `/v3/ethereum/web3/${encodeURIComponent(apiKey)}`,
      body: { jsonrpc: '2.0', id: 1, method: 'eth_gasPrice', params: [] },
      headers: common,
    })
    expect(asked?.headers['x-api-key']).toBeUndefined()
  })

  test('a base address may have a path and a slash at its end', async () => {
    await failure(apiOf({ baseUrl: `${fake.url}/proxy//` }).pending('ETH', [wallet]))
    expect(fake.state.requests[0]?.path).toBe('/proxy/v3/kms/pending/ETH')
  })

  test('a chain cannot leave its place in the path', async () => {
    await apiOf().pending('../../x?y', [wallet])
    expect(fake.state.requests[0]?.path).toBe('/v3/kms/pending/..%2F..%2Fx%3Fy')
  })

  test('a path that would continue the host name is not asked', async () => {
    const { code } = await failure(apiOf().get('.example.com/'))
    expect(code).toBe('unexpected')
  })

  test('more than 25,000 wallets are asked for in several requests', async () => {
    fake.queue({ ...pending, hashes: uuids(50_001).slice(-1) })
    const found = await apiOf().pending('ETH', uuids(50_001))
    expect(found).toHaveLength(1)
    const sizes = fake.state.requests.map(({ body }) => Object(body).signatureIds.length)
    expect(sizes).toEqual([25_000, 25_000, 1])
  })

  test('no wallets are not asked for', async () => {
    expect(await apiOf().pending('ETH', [])).toEqual([])
    expect(fake.state.requests).toEqual([])
  })
})

describe('settings', () => {
  test.each(['http://api.tatum.io', 'tatum', ''])('%p is no address', baseUrl => {
    expect(() => apiOf({ baseUrl })).toThrow(KmsError)
  })

  test.each(['', 'a b', 'a\r\nx-evil: 1', 'ключ'])('%j is no API key', key => {
    expect(() => apiOf({ apiKey: key })).toThrow(
      'the API key is empty or holds characters no key has',
    )
  })

  test('nothing of the API shows its key', () => {
    expect(Bun.inspect(apiOf(), { depth: 9 }) + JSON.stringify(apiOf())).not.toContain('MARKED')
  })
})

describe('pending transactions', () => {
  test('come as they were sent, unread', async () => {
    fake.queue(pending)
    fake.queue({ id: 'odd', chain: 'ETH', hashes: pending.hashes, serializedTransaction: 42 })
    expect(await apiOf().pending('ETH', pending.hashes)).toEqual([
      pending,
      { id: 'odd', chain: 'ETH', hashes: pending.hashes, serializedTransaction: 42 },
    ])
  })

  const shapes = [
    '{}',
    'null',
    '7',
    '"x"',
    '',
    '[{"id":',
    '<html>',
    '['.repeat(100_000),
    JSON.stringify({ length: 1, 0: {} }),
    JSON.stringify(Array.from({ length: 10_001 }, () => 0)),
  ]

  test('of the wrong shape are a fault of the network', async () => {
    for (const body of shapes) {
      fake.heal()
      fake.fail('pending', { kind: 'answer', body })
      expect(await failure(apiOf().pending('ETH', [wallet]))).toMatchObject({
        code: 'network',
        message: 'the Tatum API answered pending transactions of the wrong shape',
      })
    }
  })

  test('are asked for three times at most in one cycle', async () => {
    fake.fail('pending', { kind: 'answer', status: 503 })
    const { message } = await failure(apiOf().pending('ETH', [wallet]))
    expect(message).toBe('polling was answered with status 503')
    expect(fake.state.requests).toHaveLength(3)
  })

  test.each([
    ['arrays in arrays', `[${'[],'.repeat(250_000)}[]]`],
    ['objects', `[{"a":[${'{},'.repeat(250_000)}{}]}]`],
    ['both', `[${'[{}],'.repeat(125_000)}1]`],
  ])('that would be many times as large in memory are not parsed: %s', async (_, body) => {
    fake.fail('pending', { kind: 'answer', body })
    const { message } = await failure(apiOf().pending('ETH', [wallet]))
    expect(message).toBe('the Tatum API answered pending transactions of the wrong shape')
  })

  test('may hold as many objects as ten thousand payments need', async () => {
    const entry = { ...pending, signatures: [{ id: wallet, index: 0 }] }
    const body = JSON.stringify(Array.from({ length: 5_000 }, () => entry))
    fake.fail('pending', { kind: 'answer', body })
    expect(await apiOf().pending('ETH', [wallet])).toHaveLength(5_000)
  })
})

describe('an entry', () => {
  test.each([
    [
      'of more than 2 MiB',
      { ...pending, x: 'x'.repeat(2 ** 21) },
      'longer than 2097152 characters',
    ],
    ['nested deeper than it can be passed on', deepArray(200_000), 'nested too deep'],
  ])('%s is malformed', async (_, entry, reason) => {
    expect(await failure(Promise.try(() => refuseOversized(entry)))).toMatchObject({
      code: 'transaction-malformed',
      message: expect.stringContaining(reason),
    })
  })

  test('of 1 MB is none', () => {
    expect(() => refuseOversized({ ...pending, x: 'x'.repeat(1_000_000) })).not.toThrow()
  })

  function deepArray(depth: number): unknown {
    return JSON.parse('['.repeat(depth) + ']'.repeat(depth))
  }
})

describe('reads', () => {
  test('answer whatever JSON there is', async () => {
    expect(await apiOf().get('/v3/ethereum/transaction/count/0xabc')).toBe(0)
    expect(await apiOf().get('/v3/blockchain/fee/ETH')).toMatchObject({ medium: 2_000_000_000 })
  })

  test('are tried three times', async () => {
    fake.fail('read', { kind: 'answer', status: 500 }, { times: 2 })
    expect(await apiOf().get('/v3/ethereum/transaction/count/0xabc')).toBe(0)
    expect(waits).toEqual([100, 200])
    fake.fail('read', { kind: 'close-before-acting' })
    await failure(apiOf().get('/v3/ethereum/transaction/count/0xabc'))
    expect(fake.state.requests).toHaveLength(6)
  })

  test('of something that is not there are not tried again', async () => {
    const { message } = await failure(apiOf().get('/v3/nothing'))
    expect(message).toBe('a read was answered with status 404: not.found: nothing is here')
    expect(fake.state.requests).toHaveLength(1)
  })

  test.each(['', '[', 'undefined'])('of %j are of the wrong shape', async body => {
    fake.fail('read', { kind: 'answer', body })
    const { message } = await failure(apiOf().get('/v3/blockchain/fee/ETH'))
    expect(message).toBe('a read was answered in the wrong shape')
  })
})

describe('posts', () => {
  const body = { jsonrpc: '2.0', id: 9, method: 'eth_chainId', params: [] }

  test('answer the whole of what they are answered', async () => {
    expect(await apiOf().post(rpcPath, body)).toEqual({ jsonrpc: '2.0', id: 9, result: '0x1' })
    expect(fake.state.requests).toMatchObject([
      { method: 'POST', path: `/v3/ethereum/web3/${encodeURIComponent(apiKey)}`, body },
    ])
    expect(fake.state.requests[0]?.headers['x-api-key']).toBeUndefined()
  })

  test('have the key in a header where the path does not ask for it', async () => {
    const { message } = await failure(apiOf().post('/v3/nothing', { data: '00' }))
    expect(message).toBe('a request was answered with status 404: not.found: nothing is here')
    expect(fake.state.requests[0]?.headers['x-api-key']).toBe(apiKey)
    expect(fake.state.requests).toHaveLength(1)
  })

  test('are made three times when the answer is lost', async () => {
    fake.fail('rpc', { kind: 'close-after-acting' }, { times: 2 })
    expect(await apiOf().post(rpcPath, body)).toMatchObject({ result: '0x1' })
    expect(fake.state.requests).toHaveLength(3)
  })

  test.each(['', '[', 'undefined'])('answered with %j are of the wrong shape', async text => {
    fake.fail('rpc', { kind: 'answer', body: text })
    const { message } = await failure(apiOf().post(rpcPath, body))
    expect(message).toBe('a request was answered in the wrong shape')
  })
})

describe('calls', () => {
  const call = () => apiOf().rpc(rpcPath, 'eth_chainId', [])

  test('answer their result', async () => {
    expect(await call()).toBe('0x1')
    fake.fail('rpc', { kind: 'answer', body: '{"result":null,"error":null}' })
    expect(await call()).toBeNull()
  })

  test('that fail say what the node said', async () => {
    const { code, message } = await failure(apiOf().rpc(rpcPath, 'eth_sign', [{ to: '0x1' }]))
    expect({ code, message }).toEqual({
      code: 'network',
      message: 'rpc eth_sign failed: method not found',
    })
  })

  const long = { error: { message: `bad\u0000\u001b[31m ${apiKey}\n${'x'.repeat(500)}` } }
  const refusals: readonly (readonly [body: string, message: string])[] = [
    ['{"error":"plain text"}', 'rpc eth_chainId failed: plain text'],
    ['{"error":{"code":3}}', 'rpc eth_chainId failed: no reason given'],
    ['{"error":[]}', 'rpc eth_chainId failed: no reason given'],
    ['{"__proto__":{"result":1}}', 'rpc eth_chainId was answered in the wrong shape'],
    ['[{"result":1}]', 'rpc eth_chainId was answered in the wrong shape'],
    ['{"result":', 'rpc eth_chainId was answered in the wrong shape'],
    [JSON.stringify(long), `rpc eth_chainId failed: bad [31m [api key] ${'x'.repeat(181)}`],
  ]

  test.each(refusals)('answered with %j fail', async (body, message) => {
    fake.fail('rpc', { kind: 'answer', body })
    expect((await failure(call())).message).toBe(message)
  })

  test('are tried three times', async () => {
    fake.fail('rpc', { kind: 'close-after-acting' }, { times: 2 })
    expect(await call()).toBe('0x1')
    expect(fake.state.requests).toHaveLength(3)
  })
})

describe('broadcasts', () => {
  test('answer the id of the transaction', async () => {
    const id = fake.queue(pending)
    const answer = await apiOf().broadcast(payment)
    expect(answer).toEqual({ txId: fake.state.settled.get(id)?.[0]?.txId ?? '' })
    expect(fake.state.requests[0]).toMatchObject({
      path: '/v3/ethereum/broadcast',
      body: { txData: expected.txData, signatureId: pending.id },
    })
  })

  test('of a virtual account say whether its ledger is done too', async () => {
    if (offchain?.expected.broadcast === undefined) throw new Error('the vectors changed')
    fake.queue(offchain.pending)
    expect(await apiOf().broadcast(offchain.expected.broadcast)).toMatchObject({ completed: true })
  })

  const odd: readonly (readonly [body: string, answer: object])[] = [
    ['', {}],
    ['{"tx', {}],
    ['[]', {}],
    ['{"txId":7,"completed":"no"}', {}],
    ['{"txId":"a\\nb"}', {}],
    ['{"txId":null,"completed":false}', { completed: false }],
    ['{"__proto__":{"txId":"0x1"}}', {}],
  ]

  test.each(odd)('taken with the answer %j are taken', async (body, answer) => {
    fake.fail('broadcast', { kind: 'answer', body })
    expect(await apiOf().broadcast(payment)).toEqual(answer)
  })

  test('whose answer is lost go out again and are paid once', async () => {
    const id = fake.queue(pending)
    fake.fail('broadcast', { kind: 'close-after-acting' }, { times: 1 })
    expect(await apiOf().broadcast(payment)).toHaveProperty('txId')
    expect(fake.state.requests).toHaveLength(2)
    expect(fake.state.settled.get(id)).toHaveLength(1)
    expect(fake.state.broadcasts.get(id)).toHaveLength(1)
  })

  test.each([429, 500, 502, 503])('answered with %d go out four times', async status => {
    fake.fail('broadcast', { kind: 'answer', status })
    const { code, message } = await failure(apiOf().broadcast(payment))
    expect({ code, message, sent: fake.state.requests.length }).toEqual({
      code: 'network',
      message: `broadcast was answered with status ${status}`,
      sent: 4,
    })
    expect(waits).toEqual([100, 200, 400])
  })

  test('wait as long as a 429 asks for', async () => {
    fake.queue(pending)
    const headers = { 'retry-after': '7' }
    fake.fail('broadcast', { kind: 'answer', status: 429, headers }, { times: 1 })
    await apiOf().broadcast(payment)
    expect(waits).toEqual([7_000])
  })

  test('refused for what they are say why, and it is not the fault of the key', async () => {
    const { code, message } = await failure(apiOf().broadcast(payment))
    expect({ code, message, sent: fake.state.requests.length }).toEqual({
      code: 'network',
      message:
        'broadcast was answered with status 403: kms.missing: there is no such pending transaction',
      sent: 1,
    })
  })

  test('refused at length are quoted in 300 characters', async () => {
    const body = JSON.stringify({ errorCode: 'e', message: 'x'.repeat(200_000) })
    fake.fail('broadcast', { kind: 'answer', status: 403, body })
    const { message } = await failure(apiOf().broadcast(payment))
    expect(message).toBe(`broadcast was answered with status 403: e: ${'x'.repeat(297)}`)
  })

  test.each([
    'already known',
    'known transaction: 0xabc',
    'txn-already-in-mempool',
    'txn-already-known',
    'Transaction already in block chain',
    'transaction already exists in mempool',
    'txn-same-nonwitness-data-in-mempool',
    'DUP_TRANSACTION_ERROR : Dup transaction.',
    'TransactionPool.Remember: transaction already in ledger: AB3',
    'tefALREADY: the exact transaction was already in this ledger',
  ])('refused as %j were taken before', async message => {
    const body = JSON.stringify({ statusCode: 403, errorCode: 'x.broadcast.failed', message })
    fake.fail('broadcast', { kind: 'answer', status: 403, body })
    expect(await apiOf().broadcast(payment)).toEqual({})
  })

  // From "nonce too low" on: said of any transaction whose number or outputs another one has used, too.
  test.each([
    'insufficient funds',
    'already used',
    'unknown transaction type',
    'nonce too low',
    'tefPAST_SEQ: this sequence number has already passed',
    'tx_bad_seq',
    'lowerNonceInTx: true',
    'bad-txns-inputs-missingorspent',
    'replacement transaction underpriced',
  ])('refused as %j were not', async message => {
    const body = JSON.stringify({ statusCode: 403, errorCode: 'x.broadcast.failed', message })
    fake.fail('broadcast', { kind: 'answer', status: 403, body })
    expect(await failure(apiOf().broadcast(payment))).toMatchObject({ code: 'network' })
  })

  test('acted on whose answer is lost are not refused as known', async () => {
    await using strict = startFakeTatum({ apiKey, network: 'mainnet', refusesRepeats: true })
    const id = strict.queue(pending)
    strict.fail('broadcast', { kind: 'close-after-acting' }, { times: 1 })
    expect(await apiOf({ baseUrl: strict.url }).broadcast(payment)).toEqual({})
    expect(strict.state.requests).toHaveLength(2)
    expect(strict.state.settled.get(id)).toHaveLength(1)
  })

  test('redirected are not followed', async () => {
    const headers = { location: `${fake.url}/v3/ethereum/broadcast` }
    fake.fail('broadcast', { kind: 'answer', status: 307, headers })
    const { message } = await failure(apiOf().broadcast(payment))
    expect({ message, sent: fake.state.requests.length }).toEqual({
      message: 'broadcast was answered with status 307',
      sent: 1,
    })
  })
})

describe('error reports', () => {
  test('go out in one request', async () => {
    await apiOf().reportErrors([
      { signatureId: 'a', error: 'policy said no' },
      { signatureId: 'b', error: `see https://x.example/${apiKey} and ${apiKey}` },
    ])
    expect(fake.state.reports).toEqual([
      { signatureId: 'a', error: 'policy said no' },
      { signatureId: 'b', error: 'see [url] and [api key]' },
    ])
    expect(fake.state.requests).toMatchObject([{ path: '/v3/tatum/kms/batch' }])
  })
})

const methods: readonly (readonly [
  route: FakeRoute,
  ask: (api: TatumApi, signal?: AbortSignal) => Promise<unknown>,
])[] = [
  ['pending', (api, signal) => api.pending('ETH', [wallet], signal)],
  ['read', (api, signal) => api.get('/v3/blockchain/fee/ETH', signal)],
  ['rpc', (api, signal) => api.rpc(rpcPath, 'eth_chainId', [], signal)],
  ['rpc', (api, signal) => api.post(rpcPath, { method: 'eth_chainId' }, signal)],
  ['broadcast', (api, signal) => api.broadcast(payment, signal)],
  ['report', (api, signal) => api.reportErrors([{ signatureId: 'a', error: 'b' }], signal)],
]

const limits: Readonly<Record<string, number>> = {
  pending: 8 * 2 ** 20,
  read: 2 ** 20,
  rpc: 2 ** 20,
  broadcast: 2 ** 18,
  report: 2 ** 18,
}

test.each(methods)('an answer to %s is cut at what it may need', async (route, ask) => {
  fake.fail(route, { kind: 'flood', bytes: 100_000_000 })
  const { code, message } = await failure(ask(apiOf()))
  expect({ code, message }).toEqual({
    code: 'network',
    message: `the Tatum API sent more than the ${limits[route]} bytes allowed`,
  })
})

describe.each(methods)('the API key and %s', (route, ask) => {
  const quoting = (status: number, errorCode?: string): Fault => ({
    kind: 'answer',
    status,
    headers: { location: `https://evil.example/${apiKey}`, 'x-echo': apiKey },
    body: JSON.stringify({
      errorCode,
      message: `no '${apiKey}' (${encodeURIComponent(apiKey)}) at https://api/${apiKey}/x`,
      error: { message: `${'x'.repeat(190)}${apiKey}` },
    }),
  })
  const faults: Readonly<Record<string, Fault>> = {
    'quoted with 400': quoting(400, 'validation.failed'),
    'quoted with 401': quoting(401),
    'quoted with 403': quoting(403),
    'quoted with 403 and a code that is the key': quoting(403, apiKey),
    'quoted with 500': quoting(500),
    'quoted in a redirect': quoting(302),
    'a compressed answer': { kind: 'answer', headers: { 'content-encoding': 'br' }, body: apiKey },
    'a flood': { kind: 'flood', bytes: 2_000_000 },
    'a drip': { kind: 'drip' },
    silence: { kind: 'hang' },
    'a closed connection': { kind: 'close-before-acting' },
  }

  function expectClean(error: KmsError): void {
    const { message, hint, cause, stack } = error
    const shown = `${message} ${hint} ${Bun.inspect(cause)} ${stack} ${JSON.stringify(error)}`
    for (const part of ['MARKED', encodeURIComponent(apiKey), '://', new URL(fake.url).host]) {
      expect(shown).not.toContain(part)
    }
    expect(cause).toBeUndefined()
    expect(error.message).not.toMatch(/KEY|0123456789/)
  }

  test.each(Object.keys(faults))('%s', async name => {
    const fault = faults[name]
    if (fault !== undefined) fake.fail(route, fault)
    expectClean(await failure(ask(apiOf({ http: hasty }))))
  })

  test('a server that is gone', async () => {
    const api = apiOf({ http: hasty })
    await fake.stop()
    const error = await failure(ask(api))
    expectClean(error)
    expect(error.message).toMatch(/^could not reach the Tatum API \(\w+\)$/)
  })

  test('a name that does not resolve', async () => {
    expectClean(await failure(ask(apiOf({ http: hasty, baseUrl: 'https://tatum.invalid' }))))
  })

  test('a stop', async () => {
    const error = await failure(ask(apiOf(), AbortSignal.abort()))
    expectClean(error)
    expect(error.code).toBe('interrupted')
  })

  test.each([
    [401, undefined],
    [401, 'subscription.invalid'],
    [403, undefined],
  ] as const)('a key refused with %d and code %p is told apart', async (status, errorCode) => {
    fake.fail(route, quoting(status, errorCode))
    const { code, message } = await failure(ask(apiOf()))
    expect(code).toBe('api-key-refused')
    expect(message).toStartWith(`the Tatum API refused the API key with status ${status}: `)
    expect(fake.state.requests).toHaveLength(1)
  })

  test('the wrong key is refused', async () => {
    const { code } = await failure(ask(apiOf({ apiKey: 'another' })))
    expect(code).toBe('api-key-refused')
  })
})

describe('an observer', () => {
  test('hears of each request, of those that are made again too, and of what it costs', async () => {
    const calls: [kind: string, credits: number][] = []
    const observer = {
      called: (kind: string, credits: number) => void calls.push([kind, credits]),
      newerVersion: () => {},
    }
    const api = apiOf({ observer })
    fake.queue(pending)
    fake.fail('broadcast', { kind: 'answer', status: 500 }, { times: 2 })
    await api.pending('ETH', uuids(501))
    await api.broadcast(payment)
    await api.reportErrors([])
    expect(calls).toEqual([
      ['pending', 2],
      ...Array.from({ length: 3 }, (): [string, number] => ['broadcast', 2]),
      ['report', 2],
    ])
  })

  test('hears of a newer version, whatever else is wrong with the answer', async () => {
    const versions: unknown[] = []
    const observer = {
      called: () => {},
      newerVersion: (newer: unknown) => void versions.push(newer),
    }
    for (const said of [
      '8.0.1;INFO;same',
      '8.2.0;INFO;new',
      `9.0.0;;${apiKey}`,
      'x'.repeat(5_000),
    ]) {
      const headers = new Headers({ 'x-ttm-kms-latest-version': said })
      const http: Http = async () => ({ status: 400, headers, text: '' })
      await failure(apiOf({ observer, http }).pending('ETH', [wallet]))
    }
    expect(versions).toEqual([
      { version: '8.2.0', grade: 'INFO', message: 'new' },
      { version: '9.0.0', grade: '', message: '[api key]' },
    ])
  })
})
