import { afterAll, describe, expect, test } from 'bun:test'
import { createServer, type Socket } from 'node:net'
import fc from 'fast-check'
import { asKmsError, KmsError } from '../../src/base/errors.ts'
import {
  type Http,
  type HttpRequest,
  type HttpResponse,
  request,
  retrying,
  secureUrl,
} from '../../src/base/http.ts'
import { makeCertificate } from '../support/certificate.ts'

const secret = 'MARKED-KEY-IN-URL'
const label = 'the test server'

/** Talks raw HTTP, so that it can do what no HTTP library would. */
const answers: Readonly<Record<string, (socket: Socket) => void>> = {
  '/ok': socket => socket.write('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok'),
  '/empty': socket => socket.write('HTTP/1.1 204 No Content\r\n\r\n'),
  '/redirect': socket =>
    socket.write('HTTP/1.1 302 Found\r\nlocation: /ok\r\ncontent-length: 0\r\n\r\n'),
  '/gzip': socket =>
    socket.write('HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 2\r\n\r\nok'),
  '/gzip-flood': socket => {
    socket.write('HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ntransfer-encoding: chunked\r\n\r\n')
    repeat(socket, `10000\r\n${'a'.repeat(0x10000)}\r\n`, 0)
  },
  '/half': socket => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 20\r\n\r\nok'),
  '/garbage': socket => socket.end('this is not HTTP\r\n\r\n'),
  '/close': socket => socket.destroy(),
  '/silence': () => {},
  '/drip': socket => {
    socket.write('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n')
    repeat(socket, '1\r\na\r\n', 10)
  },
  '/header-drip': socket => {
    socket.write('HTTP/1.1 200 OK\r\n')
    repeat(socket, 'x: y\r\n', 10)
  },
  // What follows belongs to no answer, or to one that says two things of its length.
  ...Object.fromEntries(
    [
      ['/longer-than-said', 'content-length: 2'],
      ['/chunked-and-said', 'content-length: 2\r\ntransfer-encoding: chunked'],
      ['/said-and-chunked', 'transfer-encoding: chunked\r\ncontent-length: 2'],
      ['/said-twice', 'content-length: 2\r\ncontent-length: 90000000'],
      ['/said-oddly', 'content-length: 2, 90000000'],
      ['/said-with-sign', 'content-length: +2'],
      ['/said-in-hex', 'content-length: 0x2'],
    ].map(([path, headers]) => [
      path,
      (socket: Socket) => {
        socket.write(`HTTP/1.1 200 OK\r\n${headers}\r\n\r\n`)
        repeat(socket, `10000\r\n${'a'.repeat(0x10000)}\r\n`, 0)
      },
    ]),
  ),
  '/flood': socket => {
    socket.write('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n')
    repeat(socket, `10000\r\n${'a'.repeat(0x10000)}\r\n`, 0)
  },
}

let closed = 0
const seen: string[] = []
const server = createServer(socket => {
  socket.on('error', () => {})
  socket.on('close', () => closed++)
  socket.on('data', data => {
    const head = data.toString()
    seen.push(head)
    answers[head.split(' ')[1]?.split('?')[0] ?? '']?.(socket)
  })
})
await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
afterAll(() => void server.close())

function repeat(socket: Socket, text: string, everyMs: number): void {
  const timer = setInterval(() => socket.write(text), everyMs)
  socket.on('close', () => clearInterval(timer))
}

function base(): string {
  const address = server.address()
  if (typeof address !== 'object' || address === null) throw new Error('not listening')
  return `http://127.0.0.1:${address.port}`
}

function get(path: string, more: Partial<HttpRequest> = {}): Promise<HttpResponse> {
  const url = `${base()}${path}?key=${secret}`
  return request({ method: 'GET', url, label, timeoutMs: 2_000, ...more })
}

async function failure(promise: Promise<unknown>): Promise<KmsError> {
  const thrown = await promise.then(
    () => new Error('it did not fail'),
    error => error,
  )
  expect(thrown).toBeInstanceOf(KmsError)
  expect(Bun.inspect(thrown)).not.toContain(secret)
  expect(JSON.stringify({ ...thrown, message: thrown.message })).not.toContain('127.0.0.1')
  return asKmsError(thrown)
}

describe('one exchange', () => {
  test('answers status, headers and text', async () => {
    const { status, headers, text } = await get('/ok')
    expect({ status, length: headers.get('Content-Length'), text }).toEqual({
      status: 200,
      length: '2',
      text: 'ok',
    })
  })

  test('an answer without a body is an empty text', async () => {
    expect(await get('/empty')).toMatchObject({ status: 204, text: '' })
  })

  test('method, headers and body go out as given, and nothing compressed is asked for', async () => {
    await get('/ok', { method: 'POST', headers: { 'x-one': '1' }, body: '{"a":1}' })
    const head = (seen.at(-1) ?? '').toLowerCase()
    expect(head).toStartWith('post /ok')
    expect(head).toContain('x-one: 1\r\n')
    expect(head).toContain('accept-encoding: identity\r\n')
    expect(head).toEndWith('\r\n\r\n{"a":1}')
  })

  test('a redirect is an answer and is not followed', async () => {
    const before = seen.length
    expect((await get('/redirect')).status).toBe(302)
    expect(seen.length).toBe(before + 1)
  })

  test('a compressed answer is refused', async () => {
    const { code, message } = await failure(get('/gzip'))
    expect({ code, message }).toEqual({
      code: 'network',
      message: 'the test server sent a compressed answer, which was not asked for',
    })
  })
})

describe('a server with a private authority', () => {
  const { cert, key } = makeCertificate()
  const tls = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    tls: { cert, key },
    fetch: ({ method }) => new Response(method),
  })
  afterAll(() => tls.stop(true))
  const put = (authorities?: string) =>
    request({
      method: 'PUT',
      url: `https://127.0.0.1:${tls.port}/`,
      label,
      timeoutMs: 2_000,
      authorities,
    })

  test('is trusted with it', async () => {
    expect(await put(cert)).toMatchObject({ status: 200, text: 'PUT' })
  })

  test.each([
    ['without it', undefined],
    ['with another one', makeCertificate().cert],
    ['with none', ''],
    ['with nonsense', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n'],
  ])('is not trusted %s', async (_, authorities) => {
    const { code, message } = await failure(put(authorities))
    expect(code).toBe('network')
    expect(message).toMatch(/^could not reach the test server( \(\w+\))?$/)
  })
})

describe('a hostile or broken server', () => {
  test.each(['/half', '/close', '/garbage'])('%s cannot be reached', async path => {
    const { code, message } = await failure(get(path))
    expect(code).toBe('network')
    expect(message).toMatch(/^could not reach the test server \(\w+\)$/)
  })

  test('a port nobody listens on says so without the address', async () => {
    const closedPort = Bun.serve({ hostname: '127.0.0.1', port: 0, fetch: () => new Response() })
    const url = `http://127.0.0.1:${closedPort.port}/${secret}`
    await closedPort.stop(true)
    const { message } = await failure(request({ method: 'GET', url, label, timeoutMs: 2_000 }))
    expect(message).toBe('could not reach the test server (ECONNREFUSED)')
  })

  test.each(['/silence', '/drip', '/header-drip', '/flood'])(
    '%s is cut at the deadline',
    async path => {
      const before = closed
      const { code, message } = await failure(
        get(path, { timeoutMs: 150, maxBytes: Number.POSITIVE_INFINITY }),
      )
      expect({ code, message }).toEqual({
        code: 'network',
        message: 'the test server took longer than 150 ms',
      })
      await Bun.sleep(50)
      expect(closed).toBeGreaterThan(before)
    },
  )

  test('a body over the limit is cut, and the connection with it', async () => {
    const before = closed
    const { message } = await failure(get('/flood', { maxBytes: 1_000_000 }))
    expect(message).toBe('the test server sent more than the 1000000 bytes allowed')
    await Bun.sleep(50)
    expect(closed).toBeGreaterThan(before)
  })

  test.each([
    '/longer-than-said',
    '/chunked-and-said',
    '/said-and-chunked',
    '/said-twice',
    '/said-oddly',
    '/said-with-sign',
    '/said-in-hex',
  ])('%s: whatever is said of the length of a flood, memory stays', async path => {
    const before = process.memoryUsage.rss()
    const outcome = await get(path, { maxBytes: 1_000_000, timeoutMs: 1_000 }).catch(asKmsError)
    if (outcome instanceof KmsError) expect(outcome.code).toBe('network')
    else expect(outcome.text.length).toBeLessThanOrEqual(1_000_000)
    expect(process.memoryUsage.rss() - before).toBeLessThan(100 * 2 ** 20)
  })

  test('a compressed body is not even taken off the wire', async () => {
    const before = closed
    await failure(get('/gzip-flood'))
    await Bun.sleep(50)
    expect(closed).toBeGreaterThan(before)
  })

  test('a body of exactly the limit is taken, one byte more is not', async () => {
    expect((await get('/ok', { maxBytes: 2 })).text).toBe('ok')
    await failure(get('/ok', { maxBytes: 1 }))
  })
})

describe('the caller', () => {
  test('can stop an exchange at any time', async () => {
    const controller = new AbortController()
    setTimeout(() => controller.abort(), 30)
    const start = performance.now()
    const { code } = await failure(get('/drip', { signal: controller.signal }))
    expect(code).toBe('interrupted')
    expect(performance.now() - start).toBeLessThan(1_000)
  })

  test('that stopped before is not heard by the server', async () => {
    const before = seen.length
    const { code } = await failure(get('/ok', { signal: AbortSignal.abort() }))
    expect({ code, requests: seen.length - before }).toEqual({ code: 'interrupted', requests: 0 })
  })
})

describe('addresses', () => {
  const accepted = [
    'https://api.tatum.io',
    'http://localhost:1',
    'http://127.0.0.1',
    'http://127.9.9.9:80',
    'http://0x7f.1',
    'http://[::1]:3000',
  ]
  const refused = [
    'http://api.tatum.io',
    'http://127.0.0.1.example.com',
    'http://localhost.example.com',
    'http://127.0.0.1@example.com',
    'http://128.0.0.1',
    'http://[::2]',
    'ftp://127.0.0.1',
    'file:///etc/passwd',
    'data:,x',
    `nonsense ${secret}`,
    '',
  ]

  test.each(accepted)('%s is accepted', url => {
    expect(secureUrl(url, { label })).toBeInstanceOf(URL)
  })

  test.each(refused)('%s is refused', async url => {
    const { code } = await failure(request({ method: 'GET', url, label, timeoutMs: 100 }))
    expect(code).toBe('usage')
  })

  test('http to anywhere is accepted when the owner says so', () => {
    expect(secureUrl('http://example.com', { label, insecureHttp: true }).host).toBe('example.com')
    expect(() => secureUrl('ftp://example.com', { label, insecureHttp: true })).toThrow(KmsError)
  })
})

describe('the environment', () => {
  const cases = [
    ['HTTP_PROXY', 'http'],
    ['http_proxy', 'http'],
    ['HTTPS_PROXY', 'https'],
    ['ALL_PROXY', 'http'],
    ['NODE_TLS_REJECT_UNAUTHORIZED', 'https'],
  ] as const

  test.each(cases)('%s changes nothing', async (name, scheme) => {
    const tls = scheme === 'https' ? selfSigned() : undefined
    await using direct = startServer('direct', tls)
    await using proxy = startServer('proxy')
    const value = name === 'NODE_TLS_REJECT_UNAUTHORIZED' ? '0' : `http://127.0.0.1:${proxy.port}`
    const said = askInProcess(`${scheme}://127.0.0.1:${direct.port}/`, { [name]: value })
    expect(await said).toBe(
      scheme === 'http' ? 'direct' : 'could not reach the server (DEPTH_ZERO_SELF_SIGNED_CERT)',
    )
  })
})

function startServer(text: string, tls?: { readonly key: string; readonly cert: string }) {
  const options = { hostname: '127.0.0.1', port: 0, fetch: () => new Response(text) }
  const started = Bun.serve(tls === undefined ? options : { ...options, tls })
  return { port: started.port, [Symbol.asyncDispose]: () => started.stop(true) }
}

function selfSigned(): { readonly key: string; readonly cert: string } {
  const command = 'openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2'
  const made = Bun.spawnSync([
    ...command.split(' '),
    ...['-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1'],
    ...['-keyout', '-', '-out', '-'],
  ]).stdout.toString()
  const [key = '', cert = ''] = made.split(/(?=-----BEGIN CERTIFICATE)/)
  return { key, cert }
}

/** The environment counts from the start of a process, so that each case has its own. */
async function askInProcess(
  url: string,
  environment: Readonly<Record<string, string>>,
): Promise<string> {
  const script = `
    import { request } from '${import.meta.dir}/../../src/base/http.ts'
    const asked = { method: 'GET', url: '${url}', label: 'the server', timeoutMs: 5000 }
    process.stdout.write(await request(asked).then(answer => answer.text, error => error.message))`
  const child = Bun.spawn([process.execPath, '-e', script], {
    env: { ...environment },
    stderr: 'inherit',
  })
  return new Response(child.stdout).text()
}

describe('asking again', () => {
  const asked: HttpRequest = { method: 'GET', url: 'https://x', label, timeoutMs: 1 }

  /** Plays the outcomes one by one and notes the waits between them. */
  function play(
    outcomes: readonly (number | HttpResponse | KmsError)[],
    { attempts = 6, random = 0.5 } = {},
  ): { run(signal?: AbortSignal): Promise<HttpResponse>; waits: number[]; calls(): number } {
    const waits: number[] = []
    let calls = 0
    const http: Http = async () => {
      const outcome = outcomes[calls++] ?? 200
      if (outcome instanceof KmsError) throw outcome
      return typeof outcome === 'number' ? answer(outcome) : outcome
    }
    const sleep = async (ms: number) => void waits.push(ms)
    const again = retrying(http, { attempts, sleep, random: () => random })
    return { run: signal => again({ ...asked, signal }), waits, calls: () => calls }
  }

  function answer(status: number, headers: Readonly<Record<string, string>> = {}): HttpResponse {
    return { status, headers: new Headers({ ...headers }), text: '' }
  }

  const lost = new KmsError('network', 'lost')

  test.each([200, 204, 302, 400, 401, 403, 404])('%d is final', async status => {
    const played = play([status])
    expect((await played.run()).status).toBe(status)
    expect(played.waits).toEqual([])
  })

  test.each([429, 500, 502, 503, 504])('%d is asked again', async status => {
    const played = play([status, 200])
    expect((await played.run()).status).toBe(200)
    expect(played.waits).toEqual([100])
  })

  test('a connection error is asked again, a stop or a wrong address is not', async () => {
    expect((await play([lost]).run()).status).toBe(200)
    for (const code of ['interrupted', 'usage', 'unexpected'] as const) {
      const played = play([new KmsError(code, 'no')])
      expect(await failure(played.run())).toMatchObject({ code })
      expect(played.calls()).toBe(1)
    }
  })

  test('the last outcome is the answer when the attempts are used up', async () => {
    expect((await play([500, lost, 503], { attempts: 3 }).run()).status).toBe(503)
    expect(await failure(play([500, 503, lost], { attempts: 3 }).run())).toBe(lost)
    expect((await play([500], { attempts: 1 }).run()).status).toBe(500)
  })

  test('waits start within 200 ms and double to 30 s, with full jitter', async () => {
    const played = play(
      Array.from({ length: 11 }, () => 500),
      { attempts: 11, random: 0.999999 },
    )
    await played.run()
    const caps = played.waits.map(ms => Math.ceil(ms / 100) * 100)
    expect(caps).toEqual([200, 400, 800, 1600, 3200, 6400, 12_800, 25_600, 30_000, 30_000])
    const short = play([500, 500], { random: 0 })
    await short.run()
    expect(short.waits).toEqual([0, 0])
  })

  const date = 'Wed, 21 Oct 2026 07:28:00 GMT'
  const retryAfters = [
    ['3', {}, 3_000],
    ['0', {}, 100],
    ['3600', {}, 60_000],
    ['9'.repeat(400), {}, 60_000],
    ['-1', {}, 100],
    ['soon', {}, 100],
    ['Wed, 21 Oct 2026 07:28:05 GMT', { date }, 5_000],
    ['Thu, 22 Oct 2026 07:28:05 GMT', { date }, 60_000],
    ['Wed, 21 Oct 2026 07:27:00 GMT', { date }, 100],
    ['Wed, 21 Oct 2026 07:28:05 GMT', {}, 100],
  ] as const

  test.each(retryAfters)('retry-after %s with %o waits %d ms', async (value, headers, ms) => {
    const played = play([answer(429, { 'retry-after': value, ...headers })])
    await played.run()
    expect(played.waits).toEqual([ms])
  })

  test('any header gives a wait between nothing and a minute', async () => {
    const header = fc.string({ unit: fc.constantFrom(...'0123456789-:.eE, GMTJanWed') })
    await fc.assert(
      fc.asyncProperty(header, header, async (retryAfter, served) => {
        const played = play([answer(503, { 'retry-after': retryAfter, date: served })])
        await played.run()
        const [wait = -1] = played.waits
        expect(wait).toBeGreaterThanOrEqual(100)
        expect(wait).toBeLessThanOrEqual(60_000)
      }),
      { numRuns: Number(process.env['FC_NUM_RUNS'] ?? 100) },
    )
  })

  test('a stop while waiting ends it', async () => {
    const controller = new AbortController()
    const http: Http = async () => answer(500)
    const sleep = async () => controller.abort()
    const again = retrying(http, { attempts: 6, sleep, random: () => 0 })
    expect(await failure(again({ ...asked, signal: controller.signal }))).toMatchObject({
      code: 'interrupted',
    })
  })
})
