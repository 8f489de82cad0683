import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { makeCertificate } from '../certificate.ts'
import { answerAws } from './fake-aws.ts'
import { answerAzure } from './fake-azure.ts'
import { answerHashicorp } from './fake-hashicorp.ts'
import { answerVgs } from './fake-vgs.ts'
import type { Received } from './signature.ts'

export type FakeManagers = Disposable & {
  readonly url: string
  /** The only authority that vouches for it. */
  readonly cert: string
  readonly certFile: string
  /** Everything that was asked, in order: method and path. */
  readonly asked: string[]
  /** Answers instead of the real thing, until it is undefined again. */
  instead: ((received: Received) => Response | undefined) | undefined
}

/** All four managers, and what belongs to them, at one address of this machine, over TLS. */
export function startFakeManagers(password: string): FakeManagers {
  const { cert, key } = makeCertificate()
  const folder = mkdtempSync(join(tmpdir(), 'kms-managers-'))
  const certFile = join(folder, 'authority.pem')
  writeFileSync(certFile, cert)
  const asked: string[] = []
  const server = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    tls: { cert, key },
    async fetch(request) {
      const { pathname, search } = new URL(request.url)
      const { method, headers } = request
      const received = { method, path: pathname + search, headers, body: await request.text() }
      asked.push(`${method} ${pathname}`)
      return (
        managers.instead?.(received) ??
        answerAws(received, password, Date.now()) ??
        answerAzure(received, password) ??
        answerVgs(received, password) ??
        answerHashicorp(received, password) ??
        new Response('', { status: 404 })
      )
    },
  })
  const managers: FakeManagers = {
    url: `https://127.0.0.1:${server.port}`,
    cert,
    certFile,
    asked,
    instead: undefined,
    [Symbol.dispose]() {
      server.stop(true)
      rmSync(folder, { recursive: true })
    },
  }
  return managers
}
