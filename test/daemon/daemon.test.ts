import { afterAll, afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ErrorCode, KmsError } from '../../src/base/errors.ts'
import { type Http, request } from '../../src/base/http.ts'
import { askInBatches } from '../../src/daemon/ask-to-sign.ts'
import { type DaemonDeps, runDaemon, runOnce } from '../../src/daemon/daemon.ts'
import { createTatumApi } from '../../src/tatum/api.ts'
import { until } from '../support/daemon-process.ts'
import { type FakeTatum, startFakeTatum } from '../support/fake-tatum.ts'
import { type InProcessFront, startFront } from '../support/in-process-front.ts'
import { type InProcessSigner, startSigner } from '../support/in-process-signer.ts'
import { btcPayment, ethPayment, wallets } from '../support/payments.ts'
import { storeWallets } from '../support/test-vault.ts'

const template = mkdtempSync(join(tmpdir(), 'kms-front-'))
await storeWallets(template, Object.values(wallets))
afterAll(() => rmSync(template, { recursive: true }))

/** A minute is the real limit; here a fifth of a second will do. */
const hurried: Http = asked => request({ ...asked, timeoutMs: 200 })

let folder: string
let tatum: FakeTatum
let signer: InProcessSigner
let front: InProcessFront
let stop: AbortController

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'kms-front-'))
  cpSync(template, folder, { recursive: true })
  tatum = startFakeTatum({ network: 'mainnet' })
  signer = startSigner(folder)
  front = await startFront(folder, tatum, signer, { http: hurried })
  stop = new AbortController()
})

afterEach(async () => {
  signer[Symbol.dispose]()
  await front[Symbol.asyncDispose]()
  await tatum.stop()
  rmSync(folder, { recursive: true })
})

describe('a chain in trouble', () => {
  test.each(['drip', 'hang'] as const)(
    'whose server will %s is asked again when its time is up; the other does not wait',
    async kind => {
      // A poll asks three times.
      tatum.fail('pending', { kind }, { chain: 'ETH', times: 3 })
      const held = tatum.queue(ethPayment(1))
      const running = run()
      for (const n of [2, 3]) {
        const id = tatum.queue(btcPayment(n))
        await until(() => tatum.state.settled.has(id))
        expect(tatum.state.settled.has(held)).toBe(false)
      }
      await until(() => tatum.state.settled.has(held))
      await finish(running)
      expect(events('poll failed')).toMatchObject([{ chain: 'ETH' }])
      expect(events('poll works again')).toMatchObject([{ chain: 'ETH' }])
    },
  )

  test('with bytes from an earlier run that do not go out does not hold up the other', async () => {
    tatum.fail('broadcast', { kind: 'hang' }, { chain: 'BTC' })
    tatum.queue(btcPayment(1))
    const earlier = run()
    await until(() => front.states.includes('01 signed'))
    await finish(earlier)
    stop = new AbortController()
    const running = run()
    const id = tatum.queue(ethPayment(2))
    await until(() => tatum.state.settled.has(id))
    tatum.heal()
    await until(() => tatum.state.settled.size === 2)
    await finish(running)
    expect(tatum.state.broadcasts.size).toBe(2)
  })

  test('whose bytes are answered with Retry-After does not hold up the other, nor the end', async () => {
    const headers = { 'retry-after': '60' }
    tatum.fail('broadcast', { kind: 'answer', status: 429, headers }, { chain: 'BTC' })
    tatum.queue(btcPayment(1))
    const waits: number[] = []
    const cutOff = new AbortController()
    const running = run({ api: apiThatWaits(waits) }, cutOff.signal)
    await until(() => waits.includes(60_000))
    const id = tatum.queue(ethPayment(2))
    await until(() => tatum.state.settled.has(id))
    expect(waits.filter(ms => ms > 0)).toEqual([60_000])
    stop.abort()
    // What the front does when payments under way have had their time.
    cutOff.abort()
    await running
    expect(front.states.filter(state => state.startsWith('01'))).toEqual(['01 seen', '01 signed'])
    expect(tatum.state.reports).toEqual([])
  })

  test('is never polled twice at a time', async () => {
    tatum.fail('pending', { kind: 'delay', ms: 100 }, { chain: 'ETH' })
    const running = run()
    await until(() => polls('BTC') >= 8)
    expect(polls('ETH')).toBeLessThanOrEqual(3)
    await finish(running)
  })

  test('is one line in the log for a night, and one when it is over', async () => {
    tatum.fail('pending', { kind: 'answer', status: 502 })
    const running = run()
    await until(() => polls('BTC') > 5)
    tatum.heal()
    await until(() => events('poll works again').length === 2)
    await finish(running)
    expect(events('poll failed')).toHaveLength(2)
  })

  test('does not make it forget what it has said of a payment', async () => {
    tatum.queue(btcPayment(1, { serializedTransaction: '{' }))
    const running = run()
    await until(() => events('payment not sent').length > 0)
    tatum.fail('pending', { kind: 'answer', status: 502 }, { chain: 'BTC', times: 6 })
    await until(() => events('poll works again').length > 0)
    const before = polls('BTC')
    await until(() => polls('BTC') > before + 3)
    await finish(running)
    expect(events('payment not sent')).toHaveLength(1)
    expect(tatum.state.reports).toHaveLength(1)
  })

  test('that hands out entries without an id says so once while it lasts', async () => {
    const nameless = JSON.stringify(Array.from({ length: 500 }, () => ({ id: null })))
    tatum.fail('pending', { kind: 'answer', body: nameless }, { chain: 'BTC' })
    const running = run()
    await until(() => polls('BTC') > 4)
    await finish(running)
    expect(events('payment not sent')).toHaveLength(1)
    expect(tatum.state.reports).toEqual([])
  })
})

describe('bytes of a chain that is not polled any more', () => {
  const notListed = { kind: 'answer', body: '[]' } as const

  beforeEach(async () => {
    tatum.queue(ethPayment(1))
    tatum.fail('broadcast', { kind: 'hang' }, { chain: 'ETH' })
    const earlier = run()
    await until(() => front.states.includes('01 signed'))
    await finish(earlier)
    stop = new AbortController()
    tatum.fail('pending', notListed)
    tatum.heal('broadcast')
    tatum.state.requests.length = 0
  })

  test.each([
    ['--chain does not name it', { chains: ['BTC'] }],
    ['its wallet is not asked about', { onlyWallets: new Set([wallets.btcKey.id]) }],
  ])('go out all the same: %s', async (_, change) => {
    const running = run(change)
    await until(() => tatum.state.settled.size === 1)
    await until(() => polls('BTC') > 2)
    await finish(running)
    expect(polls('ETH')).toBe(0)
    expect(events('payment sent')).toHaveLength(1)
    expect(events('poll failed')).toEqual([])
  })

  test('go out in a single run, too', async () => {
    const endings = { stop: stop.signal, abort: stop.signal }
    const report = await runOnce({ ...front.deps, chains: ['BTC'] }, endings)
    expect(report).toMatchObject({ sent: 1, failures: [] })
  })
})

describe('a disk that is full', () => {
  let isFull: boolean
  const full = (what: string): KmsError => new KmsError('disk', `the ${what} could not be written`)

  test('under the journal: nothing is asked or signed, said once, and it goes on by itself', async () => {
    isFull = true
    const { journal } = front.deps
    const orFull = async <T>(work: () => Promise<T>): Promise<T> => {
      if (isFull) throw full('journal')
      return work()
    }
    const id = tatum.queue(btcPayment(1))
    const running = run({
      journal: {
        ...journal,
        record: row => orFull(() => journal.record(row)),
        probe: () => orFull(journal.probe),
      },
    })
    await until(() => events('nothing can be signed').length > 0)
    const asked = tatum.state.requests.length
    await Bun.sleep(100)
    // A poll that was on its way when it happened.
    expect(tatum.state.requests.length).toBeLessThanOrEqual(asked + 1)
    expect(signer.ledger.find(id)).toBeUndefined()
    isFull = false
    await until(() => tatum.state.settled.has(id))
    await until(() => events('payments go on').length > 0)
    await finish(running)
    expect(events('nothing can be signed')).toMatchObject([
      { level: 'error', reason: 'the journal could not be written' },
    ])
    expect(events('payments go on')).toHaveLength(1)
  })

  test('under the ledger: no bytes leave, said once, and it goes on by itself', async () => {
    isFull = true
    const ask: DaemonDeps['signer']['ask'] = async question => {
      const writes = question.type === 'sign' || question.type === 'probe'
      if (isFull && writes) throw full('ledger')
      return signer.ask(question)
    }
    const ids = [tatum.queue(btcPayment(1)), tatum.queue(ethPayment(2))]
    const running = run({ signer: { ...front.deps.signer, ask }, askToSign: askInBatches({ ask }) })
    await until(() => events('nothing can be signed').length > 0)
    await Bun.sleep(100)
    expect(tatum.state.broadcasts.size).toBe(0)
    isFull = false
    await until(() => ids.every(id => tatum.state.settled.has(id)))
    await finish(running)
    expect(events('nothing can be signed')).toHaveLength(1)
    expect(tatum.state.reports).toEqual([])
  })

  test('that takes a probe, but no payment, is said once as well', async () => {
    isFull = true
    const { journal } = front.deps
    let tries = 0
    const record: DaemonDeps['journal']['record'] = async row => {
      tries++
      if (isFull) throw full('journal')
      return journal.record(row)
    }
    const id = tatum.queue(btcPayment(1))
    const running = run({ journal: { ...journal, record }, periodMs: 250 })
    await until(() => tries > 3)
    isFull = false
    await until(() => tatum.state.settled.has(id))
    await finish(running)
    expect(events('nothing can be signed')).toHaveLength(1)
  })

  test('under bytes that went out leaves them what they are: the same go out again', async () => {
    const { journal } = front.deps
    isFull = true
    const record: DaemonDeps['journal']['record'] = async row => {
      if (isFull && row.state === 'sent') throw full('journal')
      return journal.record(row)
    }
    const id = tatum.queue(ethPayment(1))
    const running = run({ journal: { ...journal, record } })
    await until(() => events('nothing can be signed').length > 0)
    isFull = false
    await until(() => front.states.includes('01 sent'))
    await finish(running)
    expect(tatum.state.broadcasts.get(id)).toHaveLength(1)
  })

  test('ends a single run', async () => {
    tatum.queue(btcPayment(1))
    const record = (): Promise<never> => Promise.reject(full('journal'))
    const deps = { ...front.deps, journal: { ...front.deps.journal, record } }
    const endings = { stop: stop.signal, abort: stop.signal }
    const ended = await runOnce(deps, endings).catch((fault: unknown) => fault)
    expect(ended).toMatchObject({ code: 'disk' })
  })
})

describe('what ends the daemon', () => {
  test('a stop, at once when nothing is under way', async () => {
    const running = run({ periodMs: 60_000 })
    await until(() => polls('BTC') > 0 && polls('ETH') > 0)
    stop.abort()
    await running
  })

  test('a fault of one chain waits for what is under way on the other, but not for ever', async () => {
    tatum.queue(ethPayment(1))
    tatum.fail('broadcast', { kind: 'hang' }, { chain: 'ETH' })
    const drains: number[] = []
    const reload = failingReload('wrong-password', () => broadcasts() > 0)
    const running = run({
      signer: { ...front.deps.signer, ask: reload },
      sleep: async (ms, signal) => {
        if (ms > 1_000) drains.push(ms)
        await sleepUntil(Math.min(ms, 50), signal)
      },
    })
    expect(await running.catch((fault: unknown) => fault)).toMatchObject({ code: 'wrong-password' })
    expect(drains).toEqual([20_000])
  })

  test.each(['wrong-password', 'vault-rolled-back', 'vault-damaged'] as const)(
    'a vault that reloads as %s, after payments under way',
    async code => {
      const id = tatum.queue(btcPayment(1))
      tatum.fail('broadcast', { kind: 'delay', ms: 100 })
      const ask = failingReload(code, () => broadcasts() > 0)
      const running = run({ signer: { ...front.deps.signer, ask } })
      expect(await running.catch((fault: unknown) => fault)).toMatchObject({ code })
      expect(front.states).toEqual(['01 seen', '01 signed', '01 sent'])
      expect(tatum.state.settled.has(id)).toBe(true)
    },
  )

  test.each(['disk', 'vault-missing', 'vault-busy', 'unsafe-permissions'] as const)(
    'is not a vault that cannot be read for the moment (%s): it is said once',
    async code => {
      let isOver = false
      const ask = failingReload(code, () => !isOver)
      const running = run({ signer: { ...front.deps.signer, ask } })
      await until(() => polls('BTC') > 3)
      const id = tatum.queue(btcPayment(1))
      await until(() => tatum.state.settled.has(id))
      expect(events('vault not reloaded')).toMatchObject([{ reason: 'so it is' }])
      isOver = true
      const before = polls('BTC')
      await until(() => polls('BTC') > before + 3)
      isOver = false
      await until(() => events('vault not reloaded').length === 2)
      await finish(running)
    },
  )

  test('a signer that is gone', async () => {
    const ask = async (): Promise<never> => {
      throw new KmsError('unexpected', 'the signer process has ended')
    }
    const running = run({ signer: { ...front.deps.signer, ask } })
    expect(await running.catch((fault: unknown) => fault)).toMatchObject({ code: 'unexpected' })
    expect(tatum.state.requests).toEqual([])
  })
})

function run(
  change: Partial<DaemonDeps> = {},
  abort = new AbortController().signal,
): Promise<void> {
  return runDaemon({ ...front.deps, sleep: sleepUntil, ...change }, { stop: stop.signal, abort })
}

async function sleepUntil(ms: number, signal?: AbortSignal): Promise<void> {
  const { promise: stopped, resolve } = Promise.withResolvers<void>()
  if (signal?.aborted) return
  signal?.addEventListener('abort', () => resolve(), { once: true })
  await Promise.race([Bun.sleep(ms), stopped])
}

/** With the waits of the real one, which are written down. */
function apiThatWaits(waits: number[]): DaemonDeps['api'] {
  const { url: baseUrl, apiKey } = tatum
  return createTatumApi({
    baseUrl,
    apiKey,
    version: 'test',
    http: hurried,
    random: () => 0,
    sleep(ms, signal) {
      waits.push(ms)
      return sleepUntil(ms, signal)
    },
  })
}

/** A signer whose vault does not reload while `fails` is so. */
function failingReload(code: ErrorCode, fails: () => boolean): DaemonDeps['signer']['ask'] {
  return async question => {
    if (question.type === 'reload' && fails()) throw new KmsError(code, 'so it is')
    return front.deps.signer.ask(question)
  }
}

function broadcasts(): number {
  return tatum.state.requests.filter(({ route }) => route === 'broadcast').length
}

function finish(running: Promise<void>): Promise<void> {
  stop.abort()
  return running
}

function polls(chain: string): number {
  return tatum.state.requests.filter(({ path }) => path === `/v3/kms/pending/${chain}`).length
}

function events(name: string): readonly unknown[] {
  return front.log.filter(({ event }) => event === name)
}
