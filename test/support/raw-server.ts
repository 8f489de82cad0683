import { connect, createServer, type Socket } from 'node:net'

/** Stands between the daemon and the sandbox, and now and then answers in its place with raw bytes. */
export type RawServer = AsyncDisposable & {
  readonly url: string
  /** How often it has answered itself. */
  answered(): number
  /** From now on requests whose path holds `path` get `bytes` and the end of the connection. */
  answer(path: string, bytes: string): void
  /** From now on everything is passed on. */
  passOn(): void
}

export async function startRawServer(upstream: string): Promise<RawServer> {
  const sockets = new Set<Socket>()
  let wrong: { readonly path: string; readonly bytes: string } | undefined
  let count = 0
  const server = createServer(socket => {
    keep(socket)
    // Who goes away in the middle is what this is about.
    socket.on('error', () => {})
    let onward: Socket | undefined
    socket.on('data', chunk => {
      const [line = ''] = chunk.toString('latin1').split('\r\n', 1)
      if (wrong !== undefined && line.includes(wrong.path)) {
        count++
        socket.end(wrong.bytes, 'latin1')
        return
      }
      onward ??= passTo(socket)
      onward.write(chunk)
    })
  })
  const passTo = (socket: Socket): Socket => {
    const onward = keep(connect(Number(new URL(upstream).port), '127.0.0.1'))
    onward.on('error', () => socket.destroy())
    onward.pipe(socket)
    return onward
  }
  const keep = (socket: Socket): Socket => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    return socket
  }
  /** A connection that is kept alive would go on as it began. */
  const change = (next: typeof wrong): void => {
    wrong = next
    for (const socket of sockets) socket.destroy()
  }
  const { promise: listening, resolve } = Promise.withResolvers<void>()
  server.listen(0, '127.0.0.1', () => resolve())
  await listening
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('it has no port')
  return {
    url: `http://127.0.0.1:${address.port}`,
    answered: () => count,
    answer: (path, bytes) => change({ path, bytes }),
    passOn: () => change(undefined),
    async [Symbol.asyncDispose]() {
      change(undefined)
      server.close()
    },
  }
}

const ok = 'HTTP/1.1 200 OK\r\n'

/** What is no HTTP, or lies about where it ends (RFC 9112, 6 and 11). */
export const rawAnswers: Readonly<Record<string, string>> = {
  'the end': '',
  'no HTTP': 'SSH-2.0-OpenSSH_9.6\r\n',
  'another version': 'HTTP/9.9 200 OK\r\n\r\n[]',
  'a status that is none': 'HTTP/1.1 99999999999 OK\r\n\r\n[]',
  'half a head': `${ok}content-le`,
  'more bytes announced than come': `${ok}content-length: 500\r\n\r\n[`,
  'fewer bytes announced than come': `${ok}content-length: 1\r\n\r\n[[[[[[[[`,
  'a negative length': `${ok}content-length: -5\r\n\r\n[]`,
  'a length beyond all numbers': `${ok}content-length: 99999999999999999999999\r\n\r\n[]`,
  'two lengths': `${ok}content-length: 2\r\ncontent-length: 3\r\n\r\n[7]`,
  'a length and chunks': `${ok}content-length: 2\r\ntransfer-encoding: chunked\r\n\r\n1\r\n7\r\n0\r\n\r\n`,
  'chunks without a size': `${ok}transfer-encoding: chunked\r\n\r\nzz\r\n[]\r\n`,
  'a chunk of 2^64 bytes': `${ok}transfer-encoding: chunked\r\n\r\nffffffffffffffff\r\n[]`,
  'chunks that do not end': `${ok}transfer-encoding: chunked\r\n\r\n1\r\n[\r\n`,
  'two answers at once': `${ok}content-length: 1\r\n\r\n7${ok}content-length: 1\r\n\r\n7`,
  'a head of 8 MB': `${ok}${'x-filler: 0123456789\r\n'.repeat(380_000)}\r\n7`,
  'a header of 1 MB': `${ok}x-filler: ${'x'.repeat(1_000_000)}\r\n\r\n7`,
  'not yet, a hundred thousand times': 'HTTP/1.1 100 Continue\r\n\r\n'.repeat(100_000),
  'a NUL in the head': `${ok}x-nul: a\0b\r\n\r\n7`,
  'another protocol': 'HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\n\r\n\x81\x7e',
}
