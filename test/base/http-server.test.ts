import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createConnection, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type HttpServer, serveLocally } from '../../src/base/http-server.ts'

let folder: string
let path: string
let server: HttpServer

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'kms-http-'))
  path = join(folder, 'socket')
  server = await serveLocally({ host: '127.0.0.1', port: 0 }, answer)
})

afterEach(() => {
  server.close()
  rmSync(folder, { recursive: true })
})

function answer(asked: string) {
  if (asked !== '/known') return { status: 404, type: 'text/plain', text: 'not found\n' } as const
  return { status: 200, type: 'text/plain', text: `ä ${asked}\n` } as const
}

/** What comes back for some bytes, until the other side ends. */
function exchange(bytes: string, port = server.port): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>()
  let heard = ''
  const socket = createConnection({ host: '127.0.0.1', port }, () => socket.write(bytes, 'latin1'))
  socket.on('data', chunk => {
    heard += chunk.toString('utf8')
  })
  socket.on('error', () => {})
  socket.on('close', () => resolve(heard))
  return promise
}

describe('a request', () => {
  test('to GET is answered, and the connection ends', async () => {
    const said = await exchange('GET /known?x=1 HTTP/1.1\r\nHost: localhost:1\r\n\r\n')
    expect(said).toStartWith(
      'HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 10\r\n',
    )
    expect(said).toEndWith('\r\nconnection: close\r\n\r\nä /known\n')
  })

  test('to HEAD is answered without the text, but with its length', async () => {
    const said = await exchange('HEAD /known HTTP/1.0\r\n\r\n')
    expect(said).toContain('content-length: 10\r\n')
    expect(said).toEndWith('\r\n\r\n')
  })

  test('that comes byte by byte is answered', async () => {
    const { promise, resolve } = Promise.withResolvers<string>()
    const socket = createConnection({ host: '127.0.0.1', port: server.port }, async () => {
      for (const byte of 'GET /known HTTP/1.1\r\n\r\n') {
        socket.write(byte)
        await Bun.sleep(1)
      }
    })
    socket.on('data', chunk => resolve(chunk.toString('utf8')))
    expect(await promise).toStartWith('HTTP/1.1 200 ')
    socket.destroy()
  })

  test.each([
    ['of another path', 'GET / HTTP/1.1\r\n\r\n', 404],
    ['of a path that climbs', 'GET /../../etc/passwd HTTP/1.1\r\n\r\n', 404],
    ['with a body of no length', 'GET /known HTTP/1.1\r\nContent-Length: 0\r\n\r\n', 200],
    ['to POST', 'POST /known HTTP/1.1\r\n\r\n', 405],
    ['to CONNECT', 'CONNECT /known HTTP/1.1\r\n\r\n', 405],
    ['with a body', 'GET /known HTTP/1.1\r\ncontent-length: 5\r\n\r\nhello', 400],
    ['with two lengths', 'GET /known HTTP/1.1\r\ncontent-length: 0, 5\r\n\r\n', 400],
    ['in chunks', 'GET /known HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n', 400],
    ['of another version', 'GET /known HTTP/2.0\r\n\r\n', 400],
    ['of no version', 'GET /known\r\n\r\n', 400],
    ['of an absolute address', 'GET http://example.com/known HTTP/1.1\r\n\r\n', 400],
    ['with a path of control characters', 'GET /kno\x07wn HTTP/1.1\r\n\r\n', 400],
    ['with a long path', `GET /${'x'.repeat(300)} HTTP/1.1\r\n\r\n`, 400],
    ['with a folded header', 'GET /known HTTP/1.1\r\na: b\r\n c\r\n\r\n', 400],
    ['with a header without a name', 'GET /known HTTP/1.1\r\n: b\r\n\r\n', 400],
    ['with a zero byte', 'GET /known HTTP/1.1\r\na: \0\r\n\r\n', 400],
    ['that is none', '\x16\x03\x01\x02\r\n\r\n', 400],
    ['of lines that only end in LF', 'GET /known HTTP/1.1\nHost: x\n\n\r\n\r\n', 400],
    ['whose head has no end', `GET /known HTTP/1.1\r\na: ${'x'.repeat(20_000)}`, 431],
    ['whose head is too long', `GET /known HTTP/1.1\r\na: ${'x'.repeat(20_000)}\r\n\r\n`, 431],
    ['for another host', 'GET /known HTTP/1.1\r\nHost: attacker.example\r\n\r\n', 403],
    ['for two hosts', 'GET /known HTTP/1.1\r\nHost: localhost\r\nHost: a.example\r\n\r\n', 403],
    ['with another request behind it', 'GET /known HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\n\r\n', 200],
  ])('%s is answered in one way, once', async (_, bytes, status) => {
    const said = await exchange(bytes)
    expect(said.match(/HTTP\/1\.1 \d+/g)).toEqual([`HTTP/1.1 ${status}`])
    expect(await exchange('GET /known HTTP/1.1\r\n\r\n')).toStartWith('HTTP/1.1 200 ')
  })
})

test('only some connections are open at a time; the others are closed at once', async () => {
  const idle = Array.from({ length: 16 }, () =>
    createConnection({ host: '127.0.0.1', port: server.port }),
  )
  await Promise.all(idle.map(socket => new Promise(resolve => socket.on('connect', resolve))))
  while ((await exchange('GET /known HTTP/1.1\r\n\r\n')) !== '') await Bun.sleep(5)
  for (const socket of idle) socket.destroy()
  while ((await exchange('GET /known HTTP/1.1\r\n\r\n')) === '') await Bun.sleep(5)
})

describe('a socket in the file system', () => {
  test('is for its owner, and any host may be named', async () => {
    const mask = process.umask(0o077)
    const local = await serveLocally({ path }, answer)
    process.umask(mask)
    expect(statSync(path).mode & 0o077).toBe(0)
    const response = await fetch('http://any.example/known', { unix: path })
    expect(await response.text()).toBe('ä /known\n')
    local.close()
  })

  test('that a killed process left behind is replaced', async () => {
    const child = Bun.spawnSync([
      'python3',
      '-c',
      'import socket,sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])',
      path,
    ])
    expect({ status: child.exitCode, isThere: existsSync(path) }).toEqual({
      status: 0,
      isThere: true,
    })
    const local = await serveLocally({ path }, answer)
    expect((await fetch('http://x/known', { unix: path })).status).toBe(200)
    local.close()
  })

  test('where somebody listens is left alone', async () => {
    const other = createServer()
    await new Promise<void>(resolve => other.listen({ path }, resolve))
    await expect(serveLocally({ path }, answer)).rejects.toMatchObject({ code: 'unexpected' })
    other.close()
  })

  test('does not take the place of a file', async () => {
    writeFileSync(path, 'mine')
    await expect(serveLocally({ path }, answer)).rejects.toMatchObject({ code: 'unexpected' })
    expect(statSync(path).isFile()).toBe(true)
  })
})

test('a port that is taken is a fault that another start may not find', async () => {
  const taken = serveLocally({ host: '127.0.0.1', port: server.port }, answer)
  await expect(taken).rejects.toMatchObject({ code: 'unexpected' })
})

test('a socket in a folder that is not there is a wrong setting', async () => {
  const nowhere = serveLocally({ path: join(folder, 'none', 'socket') }, answer)
  await expect(nowhere).rejects.toMatchObject({ code: 'usage' })
})
