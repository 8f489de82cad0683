import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'bun:test'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { makeCertificate } from '../support/certificate.ts'
import { killGroup } from '../support/crash-loop.ts'
import {
  type DaemonProcess,
  frontOf,
  makeHome,
  startDaemon,
  until,
} from '../support/daemon-process.ts'
import { type FakeTatum, startFakeTatum } from '../support/fake-tatum.ts'
import { contradiction, hostileLists, sameIdOn } from '../support/hostile-entries.ts'
import { membersOf } from '../support/members.ts'
import { btcPayment, ethPayment, wallets } from '../support/payments.ts'
import { storeWallets } from '../support/test-vault.ts'

// Answers that are well-formed, and what they list is not; and servers that are somebody else.

const template = mkdtempSync(join(tmpdir(), 'kms-entries-'))
let home: ReturnType<typeof makeHome>
let tatum: FakeTatum
let daemon: DaemonProcess | undefined

beforeAll(() => storeWallets(template, Object.values(wallets)))
afterAll(() => rmSync(template, { recursive: true }))

beforeEach(() => {
  home = makeHome(template)
  tatum = startFakeTatum({ network: 'mainnet' })
})

afterEach(async () => {
  if (daemon !== undefined) killGroup(daemon)
  await daemon?.ended
  daemon = undefined
  await tatum.stop()
  home[Symbol.dispose]()
})

const lists = Object.entries(hostileLists)

test('lists that make no sense are survived one after the other, and nothing in them is signed', async () => {
  const running = start()
  for (const [i, [name, body]] of lists.entries()) {
    const explain = (): string => `${name}\n${running.said().slice(-3000)}`
    const before = polls()
    tatum.fail('pending', { kind: 'answer', body }, { chain: 'BTC' })
    await until(() => polls() >= before + 3, explain)
    tatum.heal()
    const id = tatum.queue(btcPayment(i + 1))
    await until(() => tatum.state.settled.has(id), explain, 20_000)
  }
  expect(tatum.state.settled.size).toBe(lists.length)
  expect([...tatum.state.broadcasts.keys()]).toEqual([...tatum.state.settled.keys()])
  const lines = eventsOf(running).map(({ event, id, code }) => `${event} ${id} ${code}`)
  // Said again only where in between there was nothing wrong.
  const most = Math.max(
    ...Object.values(Object.groupBy(lines, line => line)).map(l => l?.length ?? 0),
  )
  expect(most).toBeLessThanOrEqual(lists.length)
  for (const { error } of tatum.state.reports) expect(error).toMatch(/^[ -~]{10,1000}$/)
  expect(running.said()).toMatch(/^[\n -~]*$/)
  expect(running.said()).not.toContain('internal fault')
  say(`hostile lists: ${lists.length} survived, ${tatum.state.reports.length} refusals reported`)
  expect(await stop(running)).toBe(0)
}, 60_000)

describe('one id', () => {
  test('with two transactions in one answer, changing places, has one set of bytes', async () => {
    const [first, second] = contradiction(1)
    tatum.queue(btcPayment(1))
    const running = start()
    for (let n = 0; n < 5; n++) {
      for (const body of [first, second]) {
        tatum.heal()
        tatum.fail('pending', { kind: 'answer', body }, { chain: 'BTC' })
        const before = polls()
        await until(() => polls() > before + 1, running.said)
      }
    }
    tatum.heal()
    const good = tatum.queue(btcPayment(2))
    await until(() => tatum.state.settled.has(good), running.said)
    expect(bytesSent().get(btcPayment(1).id)?.size).toBe(1)
    expect(await stop(running)).toBe(0)
  }, 60_000)

  test('on two chains at once is signed for one of them', async () => {
    const running = start()
    for (let n = 1; n <= 5; n++) {
      const { BTC, ETH } = sameIdOn(n)
      tatum.queue(btcPayment(n))
      tatum.fail('pending', { kind: 'answer', body: BTC }, { chain: 'BTC' })
      tatum.fail('pending', { kind: 'answer', body: ETH }, { chain: 'ETH' })
      const before = polls()
      await until(() => bytesSent().has(btcPayment(n).id), running.said)
      await until(() => polls() > before + 4, running.said)
      tatum.heal()
    }
    const good = [tatum.queue(btcPayment(11)), tatum.queue(ethPayment(12))]
    await until(() => good.every(id => tatum.state.settled.has(id)), running.said)
    for (const { size } of bytesSent().values()) expect(size).toBe(1)
    expect(bytesSent().size).toBe(7)
    expect(await stop(running)).toBe(0)
  }, 60_000)
})

test('ten thousand payments at once are all paid, once, in bounded memory', async () => {
  const all = Array.from({ length: 10_000 }, (_, i) => btcPayment(i + 1))
  const left = new Map(all.map(payment => [payment.id as string, payment]))
  const sent = new Map<string, Set<string>>()
  // Nothing is looked at here: it is the daemon that is to be measured.
  await using server = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    routes: {
      '/v3/kms/pending/BTC': () => Response.json([...left.values()]),
      '/v3/bitcoin/broadcast': async request => {
        const { signatureId, txData } = (await request.json()) as Record<string, string>
        left.delete(signatureId ?? '')
        sent.set(signatureId ?? '', (sent.get(signatureId ?? '') ?? new Set()).add(txData ?? ''))
        return Response.json({ txId: 'x' })
      },
    },
    fetch: () => Response.json([]),
  })
  const { origin: url } = server.url
  const running = start({ url, apiKey: 'x', approverUrl: url }, '--period=2', '--chain=BTC')
  await until(() => left.size === 0, running.said, 230_000)
  const peaks = [running.pid, frontOf(running)].map(peakOf)
  say(`ten thousand payments at once: at most ${Math.max(...peaks)} MB in a process`)
  expect(Math.max(...peaks)).toBeLessThan(400)
  expect(sent.size).toBe(10_000)
  expect([...sent.values()].every(({ size }) => size === 1)).toBe(true)
  expect(await stop(running)).toBe(0)
}, 240_000)

test('a server that vouches for itself gets no key: the daemon says so once, and stays up', async () => {
  const heard: string[] = []
  await using impostor = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    tls: makeCertificate(),
    fetch(request) {
      heard.push(request.url)
      return Response.json([])
    },
  })
  const url = impostor.url.origin
  const running = start({ ...tatum, url }, '--chain=BTC')
  await until(() => running.said().includes('poll failed'), running.said)
  await Bun.sleep(1_000)
  expect(heard).toEqual([])
  const failed = eventsOf(running).filter(({ event }) => event === 'poll failed')
  expect(failed).toMatchObject([{ chain: 'BTC' }])
  expect(await stop(running)).toBe(0)
}, 60_000)

function start(of: Parameters<typeof startDaemon>[1] = tatum, ...args: readonly string[]) {
  const common = ['--period=0.05', `--external-url=${of.approverUrl}`, '--chain=BTC,ETH']
  const given = common.filter(flag => !args.some(arg => arg.split('=')[0] === flag.split('=')[0]))
  daemon = startDaemon(home.folder, of, [...given, ...args])
  return daemon
}

function stop(running: DaemonProcess): Promise<number | string> {
  running.kill('SIGTERM')
  return running.ended
}

/** Whatever the server made of it: all bytes that it was ever sent for each id. */
function bytesSent(): ReadonlyMap<string, ReadonlySet<unknown>> {
  const sent = new Map<string, Set<unknown>>()
  for (const { route, body } of tatum.state.requests) {
    const { signatureId, txData } = membersOf(body)
    if (route !== 'broadcast') continue
    sent.set(String(signatureId), (sent.get(String(signatureId)) ?? new Set()).add(txData))
  }
  return sent
}

function polls(): number {
  return tatum.state.requests.filter(({ route }) => route === 'pending').length
}

function eventsOf({ said }: DaemonProcess): readonly Readonly<Record<string, unknown>>[] {
  const lines = said().split('\n')
  return lines.filter(line => line.startsWith('{')).map(line => JSON.parse(line))
}

/** In MB, from proc(5). */
function peakOf(pid: number | undefined): number {
  const status = readFileSync(`/proc/${pid}/status`, 'latin1')
  return Math.round(Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]) / 1024)
}

function say(line: string): void {
  process.stderr.write(`${line}\n`)
}
