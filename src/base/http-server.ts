import { createConnection, createServer, type Server, type Socket } from 'node:net'
import { KmsError } from './errors.ts'
import { removeSocket } from './state-file.ts'

/** Where a server listens: only this machine can come there. */
export type LocalAddress =
  | { readonly host: '127.0.0.1' | '::1'; readonly port: number }
  | { readonly path: string }

export type HttpAnswer = {
  readonly status: 200 | 404 | 503
  readonly type: string
  readonly text: string
}

export type HttpServer = {
  /** The port that was given, or found where it was 0; 0 for a socket in the file system. */
  readonly port: number
  close(): void
}

/**
 * Answers GET and HEAD of short requests without a body, one per connection, few at a time. It parses
 * so little on purpose: anything else is an error and the end of the connection.
 */
export async function serveLocally(
  address: LocalAddress,
  answer: (path: string) => HttpAnswer,
): Promise<HttpServer> {
  const open = new Set<Socket>()
  const server = createServer(socket => {
    socket.on('error', () => socket.destroy())
    if (open.size >= maxConnections) {
      socket.destroy()
      return
    }
    open.add(socket)
    socket.on('close', () => open.delete(socket))
    converse(socket, head => respond(head, 'path' in address, answer))
  })
  await listen(server, address)
  const bound = server.address()
  return {
    port: typeof bound === 'object' && bound !== null ? bound.port : 0,
    close() {
      server.close()
      for (const socket of open) socket.destroy()
    },
  }
}

const maxConnections = 16
const maxHeadLength = 8_192
/** From the first byte to the last, of request and answer. */
const longestTalkMs = 5_000

async function listen(server: Server, address: LocalAddress): Promise<void> {
  // A process that was killed leaves its socket behind, which is in the way of the next one's.
  if ('path' in address && !(await isInUse(address.path))) removeSocket(address.path)
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  server.on('error', cause => {
    const code = 'code' in cause ? String(cause.code) : 'unknown'
    // Somebody may let go of it: that is worth another start, and a wrong setting is not.
    const kind = code === 'EADDRINUSE' ? 'unexpected' : 'usage'
    reject(new KmsError(kind, `cannot listen for metrics (${code})`, { cause }))
  })
  server.listen(address, resolve)
  return promise
}

function isInUse(path: string): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const probe = createConnection({ path })
  probe.on('connect', () => resolve(true))
  probe.on('error', () => resolve(false))
  return promise.finally(() => probe.destroy())
}

function converse(socket: Socket, respondTo: (head: string) => string): void {
  const late = setTimeout(() => socket.destroy(), longestTalkMs)
  socket.on('close', () => clearTimeout(late))
  let head = ''
  const hear = (chunk: Buffer): void => {
    head += chunk.toString('latin1')
    const isWhole = head.includes('\r\n\r\n')
    if (!isWhole && head.length <= maxHeadLength) return
    socket.off('data', hear)
    // What still comes is neither kept nor read: the answer is the end of the connection.
    socket.resume()
    socket.end(respondTo(isWhole ? head.slice(0, head.indexOf('\r\n\r\n')) : head))
  }
  socket.on('data', hear)
}

function respond(head: string, isFile: boolean, answer: (path: string) => HttpAnswer): string {
  if (head.length > maxHeadLength) return plain(431, 'Request Header Fields Too Large')
  const [line = '', ...headers] = head.split('\r\n')
  const [, method, path] = /^([A-Z]{1,10}) (\/[\x21-\x7e]{0,200}) HTTP\/1\.[01]$/.exec(line) ?? []
  if (method === undefined || path === undefined) return plain(400, 'Bad Request')
  if (method !== 'GET' && method !== 'HEAD') return plain(405, 'Method Not Allowed')
  if (!headers.every(isHarmless)) return plain(400, 'Bad Request')
  if (!isFile && !headers.every(isForThisMachine)) return plain(403, 'Forbidden')
  const { status, type, text } = answer(path.split('?', 1)[0] ?? path)
  return message(status, reasons[status], type, text, method === 'HEAD')
}

/** RFC 9112: a field has a name and no fold, and there is no body. */
function isHarmless(header: string): boolean {
  if (!/^[!#$%&'*+.^_`|~0-9A-Za-z-]+:[\t\x20-\x7e\x80-\xff]*$/.test(header)) return false
  if (/^transfer-encoding:/i.test(header)) return false
  return !/^content-length:/i.test(header) || /^content-length:\s*0\s*$/i.test(header)
}

/** A page in a browser that had its own name point here (DNS rebinding) says that name. */
function isForThisMachine(header: string): boolean {
  if (!/^host:/i.test(header)) return true
  return /^host:\s*(localhost|127\.0\.0\.1|\[::1\])(:\d{1,5})?\s*$/i.test(header)
}

const reasons = { 200: 'OK', 404: 'Not Found', 503: 'Service Unavailable' } as const

function plain(status: number, reason: string): string {
  return message(status, reason, 'text/plain', `${reason}\n`, false)
}

function message(
  status: number,
  reason: string,
  type: string,
  text: string,
  isHead: boolean,
): string {
  const head = [
    `HTTP/1.1 ${status} ${reason}`,
    `content-type: ${type}`,
    `content-length: ${Buffer.byteLength(text)}`,
    'cache-control: no-store',
    'x-content-type-options: nosniff',
    'connection: close',
  ]
  return `${head.join('\r\n')}\r\n\r\n${isHead ? '' : text}`
}
