import { afterAll, afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type DaemonDeps, runDaemon, runOnce } from '../../src/daemon/daemon.ts'
import { LeftToOthers } from '../../src/daemon/leases.ts'
import { askForRetry, takeRetries } from '../../src/daemon/retries.ts'
import { createTatumApi } from '../../src/tatum/api.ts'
import { until } from '../support/daemon-process.ts'
import { type FakeTatum, startFakeTatum } from '../support/fake-tatum.ts'
import { type InProcessFront, startFront } from '../support/in-process-front.ts'
import { type InProcessSigner, startSigner } from '../support/in-process-signer.ts'
import { btcPayment, pendingIdOf, wallets } from '../support/payments.ts'
import { idOf, storeWallets } from '../support/test-vault.ts'

const template = mkdtempSync(join(tmpdir(), 'kms-polling-'))
await storeWallets(template, [wallets.btcKey, wallets.ethKey])
afterAll(() => rmSync(template, { recursive: true }))

let folder: string
let tatum: FakeTatum
let signer: InProcessSigner
let front: InProcessFront
let stop: AbortController
/** What the clock says beside the truth. */
let offset: number
/** How often the vault was looked at, which is once in a round. */
let rounds: number

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'kms-polling-'))
  cpSync(template, folder, { recursive: true })
  tatum = startFakeTatum({ network: 'mainnet' })
  signer = startSigner(folder)
  offset = 0
  rounds = 0
  stop = new AbortController()
  front = await startFront(folder, tatum, signer, {
    now: () => Date.now() + offset,
    monotonic: () => performance.now(),
    beatMs: 5,
  })
})

afterEach(async () => {
  signer[Symbol.dispose]()
  await front[Symbol.asyncDispose]()
  await tatum.stop()
  rmSync(folder, { recursive: true })
})

function run(changes: Partial<DaemonDeps> = {}): Promise<void> {
  const ask: DaemonDeps['signer']['ask'] = question => {
    if (question.type === 'reload') rounds++
    return signer.ask(question)
  }
  const deps = { ...front.deps, signer: { ...front.deps.signer, ask }, ...changes }
  return runDaemon(deps, { stop: stop.signal, abort: new AbortController().signal })
}

async function finish(running: Promise<void>): Promise<void> {
  stop.abort()
  await running
}

function polls(chain: string): number {
  const path = `/v3/kms/pending/${chain}`
  return tatum.state.requests.filter(request => request.path === path).length
}

describe('polling', () => {
  test('rests longer while nothing comes, and one chain at work does not wake the others', async () => {
    tatum.onApproval(() => 403)
    const running = run({ idlePeriodMs: 8 * front.deps.periodMs })
    await until(() => rounds > 20)
    expect(polls('BTC')).toBeLessThan(rounds / 2)
    tatum.queue(btcPayment(1))
    await until(() => front.log.some(({ event }) => event === 'payment denied'))
    const [btc, eth, from] = [polls('BTC'), polls('ETH'), rounds]
    await until(() => rounds > from + 40)
    await finish(running)
    expect(polls('ETH') - eth).toBeLessThanOrEqual(40 / 8 + 2)
    expect(polls('BTC') - btc).toBeGreaterThan(3 * (polls('ETH') - eth))
  })

  test('is spread over the first half of a period', async () => {
    const waits: number[] = []
    const randoms = [0.5, 0.999]
    const running = run({
      periodMs: 1000,
      random: () => randoms.shift() ?? 0,
      async sleep(ms, signal) {
        waits.push(ms)
        await front.deps.sleep(1, signal)
      },
    })
    await until(() => polls('BTC') > 3 && polls('ETH') > 3)
    await finish(running)
    // Each chain keeps its own.
    expect(new Set(waits.filter(ms => ms > 5))).toEqual(new Set([250, 499]))
  })

  test.each([-5, 5])(
    'goes on when the clock jumps by %d hours, and waits no longer',
    async hours => {
      tatum.onApproval(() => 403)
      const denied = tatum.queue(btcPayment(1))
      const running = run()
      await until(() => front.log.some(({ event }) => event === 'payment denied'))
      offset = hours * 3_600_000
      tatum.onApproval(() => 200)
      await until(() => tatum.state.settled.has(denied))
      const seconds = hours * 3_600
      await until(() => front.log.some(line => line['seconds'] === seconds))
      await finish(running)
    },
  )

  test('asks for 60,000 wallets in three requests, and knows what they cost', async () => {
    const ids = Array.from({ length: 60_000 }, (_, n) => ({ id: idOf(n), chain: 'BTC' }))
    const calls: string[] = []
    const api = createTatumApi({
      ...{ baseUrl: tatum.url, apiKey: tatum.apiKey, version: 'test' },
      ...{ sleep: front.deps.sleep, random: () => 0 },
      observer: {
        called: (kind, credits) => calls.push(`${kind} ${credits}`),
        newerVersion: () => {},
      },
    })
    const ask: DaemonDeps['signer']['ask'] = async question => {
      if (question.type !== 'wallets') return signer.ask(question)
      const page = ids.slice(question.from, question.from + 20_000)
      const next = question.from + page.length
      return { wallets: page, next: next < ids.length ? next : null } as never
    }
    const id = tatum.queue(btcPayment(1))
    const deps = { ...front.deps, api, signer: { ...front.deps.signer, ask } }
    const endings = { stop: stop.signal, abort: new AbortController().signal }
    await runOnce(deps, endings)
    const asked = tatum.state.requests
      .filter(({ route }) => route === 'pending')
      .map(({ body }) => (body as { signatureIds: string[] }).signatureIds)
    expect(asked.map(({ length }) => length)).toEqual([25_000, 25_000, 10_000])
    expect(new Set(asked.flat()).size).toBe(60_000)
    expect(calls.filter(call => call.startsWith('pending'))).toEqual([
      ...['pending 50', 'pending 50', 'pending 20'],
    ])
    expect(tatum.state.settled.has(id)).toBe(true)
  })
})

describe('a note of somebody who wants a payment tried', () => {
  test('ends its wait', async () => {
    tatum.onApproval(() => 403)
    const id = tatum.queue(btcPayment(1))
    // Behind the first two tries this payment would wait for a minute.
    const pulse = { ...front.deps.pulse, everyMs: 60_000 }
    const running = run({ periodMs: 60_000, pulse })
    const asked = (): number =>
      tatum.state.requests.filter(({ route }) => route === 'approve').length
    await until(() => asked() === 2)
    const from = rounds
    await until(() => rounds > from + 2)
    expect(asked()).toBe(2)
    tatum.onApproval(() => 200)
    askForRetry(front.deps.disk, folder, id)
    await until(() => tatum.state.settled.has(id))
    await finish(running)
  })

  test('stays where another daemon has taken the payment over meanwhile', async () => {
    tatum.onApproval(() => 403)
    const id = tatum.queue(btcPayment(1))
    const endings = { stop: stop.signal, abort: new AbortController().signal }
    await runOnce(front.deps, endings)
    const { journal } = front.deps
    const refused = await journal.find(id)
    if (refused === undefined) throw new Error('there is no row')
    await journal.record({ ...refused, state: 'refused' })
    askForRetry(front.deps.disk, folder, id)
    const record = async (): Promise<never> => {
      throw new LeftToOthers()
    }
    const lost = { ...front.deps, journal: { ...journal, record } }
    expect(await takeRetries(lost)).toEqual([])
    expect(front.deps.disk.list(folder)).toContain(`retry-${id}`)
    expect(await takeRetries(front.deps)).toEqual([{ id, chain: 'BTC' }])
  })

  test('about a payment that is not known, or sent, is taken away and changes nothing', async () => {
    const id = tatum.queue(btcPayment(1))
    const endings = { stop: stop.signal, abort: new AbortController().signal }
    await runOnce(front.deps, endings)
    const before = await front.deps.journal.find(id)
    for (const about of [id, pendingIdOf(9)]) askForRetry(front.deps.disk, folder, about)
    await runOnce(front.deps, endings)
    expect(await front.deps.journal.find(id)).toEqual(before)
    expect(front.deps.disk.list(folder).filter(name => name.startsWith('retry'))).toEqual([])
  })
})
