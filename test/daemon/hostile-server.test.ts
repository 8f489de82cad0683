import { afterAll, afterEach, beforeAll, describe, expect, test } from 'bun:test'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { killGroup } from '../support/crash-loop.ts'
import {
  type DaemonProcess,
  frontOf,
  makeHome,
  startDaemon,
  until,
} from '../support/daemon-process.ts'
import { type FakeRoute, type FakeTatum, startFakeTatum } from '../support/fake-tatum.ts'
import { hostileAnswers } from '../support/hostile-answers.ts'
import { mixedPayment, mixedWallets } from '../support/mixed-payments.ts'
import { btcPayment } from '../support/payments.ts'
import { rawAnswers, startRawServer } from '../support/raw-server.ts'
import { storeWallets, testPassword } from '../support/test-vault.ts'

// Whatever a server answers on whichever route: the daemon stays up, says it once, and pays afterwards.

const apiKey = 'api-key-that-nobody-may-read'
const template = mkdtempSync(join(tmpdir(), 'kms-hostile-'))
const trapped: string[] = []
const running = new Set<DaemonProcess>()
let trap: ReturnType<typeof Bun.serve>

beforeAll(async () => {
  await storeWallets(template, mixedWallets)
  trap = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    fetch(request) {
      trapped.push(`${request.method} ${request.url}`)
      return Response.json([])
    },
  })
})

afterAll(async () => {
  await trap.stop(true)
  rmSync(template, { recursive: true })
})

afterEach(async () => {
  for (const daemon of running) killGroup(daemon)
  await Promise.all([...running].map(({ ended }) => ended))
})

type Attack = {
  readonly route: FakeRoute
  /** A payment that comes by that route, of this number in `mixedPayment`. */
  readonly chain: 0 | 1 | 4
}

const attacks: readonly Attack[] = [
  { route: 'pending', chain: 1 },
  { route: 'broadcast', chain: 1 },
  { route: 'read', chain: 0 },
  { route: 'rpc', chain: 0 },
  { route: 'node', chain: 4 },
  { route: 'report', chain: 1 },
  { route: 'approve', chain: 1 },
]

/** Of a machine that has other things to do as well. */
const patienceMs = 60_000

/** What a process of the daemon may ever hold: that of an idle one is about 90 MB. */
const maxPeakMb = 300

describe.skipIf(process.platform !== 'linux')('a hostile server', () => {
  test('is survived on every route, said once, and forgotten', async () => {
    const answers = hostileAnswers(trap.url.origin, 'quoted').length
    const started = performance.now()
    const left = [...attacks]
    const peaks: number[] = []
    const work = async (): Promise<void> => {
      for (let attack = left.shift(); attack !== undefined; attack = left.shift()) {
        peaks.push(await survive(attack))
      }
    }
    await Promise.all([work(), work(), work()])
    const seconds = Math.round((performance.now() - started) / 1000)
    const runs = answers * attacks.length
    say(
      `hostile server: ${answers} answers to ${attacks.length} routes, daemon up and paying ` +
        `after ${runs} of ${runs}; at most ${Math.max(...peaks)} MB (${seconds} s)`,
    )
    expect(trapped).toEqual([])
  }, 900_000)

  test.each(['/v3/kms/pending/', '/v3/bitcoin/broadcast', '/approve/'])(
    'that speaks no HTTP, or lies about its length, is survived on %s',
    async path => {
      using home = makeHome(template)
      await using tatum = startFakeTatum({ network: 'mainnet', apiKey })
      await using raw = await startRawServer(tatum.url)
      const daemon = start(home.folder, {
        ...tatum,
        url: raw.url,
        approverUrl: `${raw.url}/approve`,
      })
      for (const [i, [name, bytes]] of Object.entries(rawAnswers).entries()) {
        const explain = (): string => `${name}\n${daemon.said().slice(-3000)}`
        const answered = raw.answered()
        raw.answer(path, bytes)
        const id = tatum.queue(btcPayment(i + 1))
        const isPaid = (): boolean => tatum.state.settled.has(id)
        await until(() => raw.answered() >= answered + 2 || isPaid(), explain, patienceMs)
        raw.passOn()
        await until(isPaid, explain, patienceMs)
      }
      await expectCleanEnd(daemon, tatum)
    },
    300_000,
  )
})

/** One daemon, all answers to one route after the other. Answers the front's greatest size in MB. */
async function survive({ route, chain }: Attack): Promise<number> {
  // Nodes are told no key, and so have none to quote.
  const answers = hostileAnswers(trap.url.origin, route === 'node' ? 'another key' : apiKey)
  using home = makeHome(template)
  await using tatum = startFakeTatum({ network: 'mainnet', apiKey })
  const daemon = start(home.folder, tatum)
  for (const [i, [name, fault]] of answers.entries()) {
    const explain = (): string => `${route}: ${name}\n${daemon.said().slice(-3000)}`
    const asked = countOf(tatum, route)
    tatum.fail(route, fault)
    const hasPassed = queue(tatum, route, chain + 5 * (i + 1))
    await until(() => countOf(tatum, route) >= asked + 2 || hasPassed(), explain, patienceMs)
    tatum.heal()
    await until(hasPassed, explain, patienceMs)
  }
  const peak = peakOf(frontOf(daemon))
  expect(peak).toBeLessThan(maxPeakMb)
  await expectCleanEnd(daemon, tatum)
  return peak
}

/** Killed after the test if it is still there. */
function start(
  folder: string,
  tatum: Pick<FakeTatum, 'url' | 'apiKey' | 'approverUrl'>,
  ...args: readonly string[]
): DaemonProcess {
  const common = ['--period=0.05', `--external-url=${tatum.approverUrl}`, '--chain=BTC,ETH,FLOW']
  const daemon = startDaemon(folder, tatum, [...common, ...args])
  running.add(daemon)
  void daemon.ended.then(() => running.delete(daemon))
  return daemon
}

async function expectCleanEnd(daemon: DaemonProcess, tatum: FakeTatum): Promise<void> {
  daemon.kill('SIGTERM')
  expect({ status: await daemon.ended, said: daemon.said() }).toMatchObject({ status: 0 })
  expectSaidOnce(daemon)
  expectNothingGivenAway(daemon, tatum)
}

/** A payment that comes by this route; true once it has got through. */
function queue(tatum: FakeTatum, route: FakeRoute, n: number): () => boolean {
  const id = tatum.queue(mixedPayment(n))
  const isPaid = (): boolean => tatum.state.settled.has(id)
  if (route !== 'report') return isPaid
  // Whatever a 2xx says, a report has arrived with it: that it was made is all there is to see.
  const asked = countOf(tatum, route)
  tatum.queue(btcPayment(10_000 + n, { serializedTransaction: '{' }))
  return () => isPaid() && countOf(tatum, route) > asked
}

function countOf({ state }: FakeTatum, asked: FakeRoute): number {
  return state.requests.filter(({ route }) => route === asked).length
}

/** No line is what was said last of the same payment, or of the same chain. */
function expectSaidOnce({ said }: DaemonProcess): void {
  const last = new Map<string, string>()
  const lines = said()
    .split('\n')
    .filter(line => line.startsWith('{'))
  for (const line of lines) {
    const { time: _, event, ...fields } = JSON.parse(line)
    const about: string | undefined = fields.id ?? fields.chain
    if (about === undefined) continue
    const what = [about, event, fields.code ?? fields.reason].join(' ')
    expect(what).not.toBe(last.get(about) ?? '')
    last.set(about, what)
  }
}

/** Neither the log nor what Tatum is told has a secret, an address or what moves a cursor. */
function expectNothingGivenAway(daemon: DaemonProcess, { state }: FakeTatum): void {
  const said = daemon.said() + state.reports.map(({ error }) => error).join('\n')
  for (const secret of [apiKey, testPassword, '://', '127.0.0.1'])
    expect(said).not.toContain(secret)
  expect(said).toMatch(/^[\n -~]*$/)
  expect(said).not.toContain('internal fault')
}

/** In MB, from proc(5). */
function peakOf(pid: number | undefined): number {
  const peak = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1]
  return Math.round(Number(peak) / 1024)
}

function say(line: string): void {
  process.stderr.write(`${line}\n`)
}
