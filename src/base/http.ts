import { KmsError } from './errors.ts'

export type HttpRequest = {
  readonly method: 'GET' | 'POST' | 'PUT'
  readonly url: string
  /** Names the other side in errors ('the Tatum API'): a URL can hold a key and is never shown. */
  readonly label: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  /** For the whole exchange: connecting, sending, and the last byte of the answer. */
  readonly timeoutMs: number
  readonly maxBytes?: number
  /** Allows http to hosts other than this machine. */
  readonly insecureHttp?: boolean | undefined
  /** The only certificate authorities to trust, as PEM; those of the public web when there are none. */
  readonly authorities?: string | undefined
  /** An http or https proxy for all but this machine's own addresses; none unless given. */
  readonly proxy?: string | undefined
  readonly signal?: AbortSignal | undefined
}

export type HttpResponse = {
  readonly status: number
  readonly headers: { get(name: string): string | null }
  readonly text: string
}

export type Http = (request: HttpRequest) => Promise<HttpResponse>

const defaultMaxBytes = 1024 * 1024

/**
 * One exchange with a server that may be hostile. Every status is an answer, redirects included:
 * they are never followed, so that a key sent in a header or path reaches one host only.
 */
export async function request(asked: HttpRequest): Promise<HttpResponse> {
  const { label, timeoutMs, signal } = asked
  const url = secureUrl(asked.url, asked)
  refuseIfStopped(label, signal)

  using deadline = startDeadline(timeoutMs, signal)
  try {
    const response = await send(asked, url, deadline.signal)
    const text = await readText(asked, response)
    return { status: response.status, headers: response.headers, text }
  } catch (thrown) {
    // A body that is still coming in would otherwise go on to fill memory.
    deadline.expire()
    if (thrown instanceof KmsError) throw thrown
    refuseIfStopped(label, signal)
    if (deadline.passed())
      throw new KmsError('network', `${label} took longer than ${timeoutMs} ms`)
    throw new KmsError('network', `could not reach ${label}${describeFault(thrown)}`)
  }
}

/** The address as a URL; only https, except to this machine or where the owner accepts http. */
export function secureUrl(
  text: string,
  { label, insecureHttp = false }: Pick<HttpRequest, 'label' | 'insecureHttp'>,
): URL {
  const url = URL.parse(text)
  if (url === null) throw new KmsError('usage', `the address of ${label} is not a URL`)
  if (url.protocol === 'https:') return url
  if (url.protocol !== 'http:') {
    throw new KmsError('usage', `the address of ${label} is neither https nor http`)
  }
  if (insecureHttp || isThisMachine(url.hostname)) return url
  throw new KmsError(
    'usage',
    `refusing to talk to ${label} over http: anyone on the way can read it`,
    {
      hint: 'use an https address',
    },
  )
}

/** `hostname` comes from a parsed URL, where every spelling of an IPv4 address is dotted decimal. */
export function isThisMachine(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d{1,3}){3}$/.test(hostname)
}

function send(
  { method, headers, body, authorities, proxy }: HttpRequest,
  url: URL,
  signal: AbortSignal,
): Promise<Response> {
  return fetch(url, {
    method,
    headers: { ...headers, 'accept-encoding': 'identity' },
    body: body ?? null,
    redirect: 'manual',
    // A compressed answer is refused below; inflating it first would be the attack.
    decompress: false,
    // Both stated so that the environment has no say: without them Bun's fetch obeys
    // NODE_TLS_REJECT_UNAUTHORIZED=0 and HTTP(S)_PROXY.
    tls: { rejectUnauthorized: true, ...(authorities !== undefined && { ca: authorities }) },
    proxy: proxy === undefined || isThisMachine(url.hostname) ? false : proxy,
    signal,
  })
}

async function readText(
  { label, maxBytes = defaultMaxBytes }: HttpRequest,
  response: Response,
): Promise<string> {
  const encoding = response.headers.get('content-encoding') ?? 'identity'
  if (encoding.toLowerCase() !== 'identity') {
    throw new KmsError('network', `${label} sent a compressed answer, which was not asked for`)
  }
  const decoder = new TextDecoder()
  // A body cannot be longer than it was said to be; only one of which nothing was said is measured.
  if (declaredLength(response) <= maxBytes) return decoder.decode(await response.arrayBuffer())
  // Bytes go into one growing buffer: a list of chunks of one byte each would cost far more than
  // the limit allows.
  const sink = new Bun.ArrayBufferSink()
  sink.start({ asUint8Array: true })
  let length = 0
  for await (const chunk of response.body ?? []) {
    length += chunk.length
    if (length > maxBytes) {
      throw new KmsError('network', `${label} sent more than the ${maxBytes} bytes allowed`)
    }
    sink.write(chunk)
  }
  return decoder.decode(sink.end())
}

/** Infinite where the end is not known in advance (RFC 9112, 6.3). */
function declaredLength({ headers }: Response): number {
  const length = headers.get('content-length')
  if (headers.has('transfer-encoding') || !/^\d{1,15}$/.test(length ?? '')) return Infinity
  return Number(length)
}

type Deadline = Disposable & {
  readonly signal: AbortSignal
  expire(): void
  passed(): boolean
}

/** Not AbortSignal.any: composites of a signal that lives as long as the daemon would pile up. */
function startDeadline(timeoutMs: number, outer: AbortSignal | undefined): Deadline {
  const controller = new AbortController()
  const expire = () => controller.abort()
  let late = false
  const timer = setTimeout(() => {
    late = true
    expire()
  }, timeoutMs)
  outer?.addEventListener('abort', expire)
  return {
    signal: controller.signal,
    expire,
    passed: () => late,
    [Symbol.dispose]() {
      clearTimeout(timer)
      outer?.removeEventListener('abort', expire)
    },
  }
}

function refuseIfStopped(label: string, signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new KmsError('interrupted', `stopped while talking to ${label}`)
}

/** Bun's errors carry the URL in `path` and in some messages, so that only their code is kept. */
function describeFault(thrown: unknown): string {
  const code = thrown instanceof Error && 'code' in thrown ? thrown.code : undefined
  return typeof code === 'string' && /^\w{1,60}$/.test(code) ? ` (${code})` : ''
}

export type Retries = {
  /** How often to ask at most, the first time included. */
  readonly attempts: number
  sleep(ms: number, signal?: AbortSignal): Promise<void>
  /** A number in [0, 1). */
  random(): number
}

const firstDelayMs = 200
const longestDelayMs = 30_000
const longestRetryAfterMs = 60_000

/**
 * Asks again after 429, 5xx and connection errors, for requests that may arrive twice without
 * harm. Answers the last response, or throws the last error, when the attempts are used up.
 */
export function retrying(http: Http, { attempts, sleep, random }: Retries): Http {
  return async asked => {
    for (let attempt = 1; ; attempt++) {
      const outcome = await http(asked).catch(keepNetworkError)
      if (attempt >= attempts || !isWorthRetrying(outcome)) return unwrap(outcome)
      // Full jitter, so that daemons that failed together do not come back together.
      const backoff = Math.min(firstDelayMs * 2 ** (attempt - 1), longestDelayMs)
      await sleep(Math.max(random() * backoff, retryAfterMs(outcome)), asked.signal)
      refuseIfStopped(asked.label, asked.signal)
    }
  }
}

function keepNetworkError(thrown: unknown): KmsError {
  if (thrown instanceof KmsError && thrown.code === 'network') return thrown
  throw thrown
}

function isWorthRetrying(outcome: HttpResponse | KmsError): boolean {
  return outcome instanceof KmsError || outcome.status === 429 || outcome.status >= 500
}

function unwrap(outcome: HttpResponse | KmsError): HttpResponse {
  if (outcome instanceof KmsError) throw outcome
  return outcome
}

/** RFC 9110 10.2.3: seconds, or a date, which is taken relative to the server's own clock. */
function retryAfterMs(outcome: HttpResponse | KmsError): number {
  if (outcome instanceof KmsError) return 0
  const value = outcome.headers.get('retry-after') ?? ''
  const wait = /^\d+$/.test(value)
    ? Number(value) * 1000
    : Date.parse(value) - Date.parse(outcome.headers.get('date') ?? '')
  return Number.isNaN(wait) ? 0 : Math.min(Math.max(wait, 0), longestRetryAfterMs)
}
