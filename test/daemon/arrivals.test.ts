import { afterAll, afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type DaemonDeps, runDaemon, runOnce } from '../../src/daemon/daemon.ts'
import { LeftToOthers } from '../../src/daemon/leases.ts'
import { until } from '../support/daemon-process.ts'
import { type FakeTatum, startFakeTatum } from '../support/fake-tatum.ts'
import { type InProcessFront, startFront } from '../support/in-process-front.ts'
import { type InProcessSigner, startSigner } from '../support/in-process-signer.ts'
import { btcPayment, ethAddress, ethPayment, pendingIdOf, wallets } from '../support/payments.ts'
import { storeWallets } from '../support/test-vault.ts'

// DESIGN 6: while the chain's count stays below a number for ten minutes, its bytes go out again.

const template = mkdtempSync(join(tmpdir(), 'kms-arrivals-'))
await storeWallets(template, Object.values(wallets))
afterAll(() => rmSync(template, { recursive: true }))

const never = new AbortController().signal
const endings = { stop: never, abort: never }
const tenMinutes = 600_000

let folder: string
let tatum: FakeTatum
let signer: InProcessSigner
let front: InProcessFront
let clock: number
let api: DaemonDeps['api']

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'kms-arrivals-'))
  cpSync(template, folder, { recursive: true })
  tatum = startFakeTatum({ network: 'mainnet', nonces: { [ethAddress]: 5 } })
  tatum.stopMining()
  clock = 1_800_000_000_000
  signer = startSigner(folder)
  front = await startFront(folder, tatum, signer, { now: () => clock })
  api = front.deps.api
})

afterEach(async () => {
  signer[Symbol.dispose]()
  await front[Symbol.asyncDispose]()
  await tatum.stop()
  rmSync(folder, { recursive: true })
})

test('bytes that do not arrive go out again every ten minutes, until they have', async () => {
  const id = tatum.queue(ethPayment(1))
  await cycle()
  for (const [minutes, sent] of [
    [9, 1],
    [1, 2],
    [9, 2],
    [2, 3],
  ] as const) {
    clock += minutes * 60_000
    await cycle()
    expect(broadcasts(id)).toBe(sent)
  }
  expect(tatum.state.broadcasts.get(id)).toHaveLength(1)
  expect(events('payment sent again')).toHaveLength(2)
  tatum.mine()
  for (let cycles = 0; cycles < 3; cycles++) {
    clock += tenMinutes
    await cycle()
  }
  expect(broadcasts(id)).toBe(3)
  expect(await stateOf(id)).toBe('done')
  // What is done is not asked about any more.
  expect(counts()).toBe(3)
})

test('an address is asked about once in ten minutes, however many of its payments wait', async () => {
  const ids = Array.from({ length: 30 }, (_, i) => tatum.queue(ethPayment(i + 1)))
  const stop = new AbortController()
  const sleep = (): Promise<void> => Bun.sleep(1)
  await cycle()
  clock += tenMinutes
  const running = runDaemon({ ...front.deps, sleep }, { stop: stop.signal, abort: never })
  await until(() => ids.every(id => broadcasts(id) === 2))
  const later = tatum.queue(ethPayment(99))
  await until(() => tatum.state.settled.has(later))
  clock += tenMinutes - 1
  await until(pollsAgain())
  expect(counts()).toBe(1)
  clock += 1
  await until(() => ids.every(id => broadcasts(id) === 3))
  expect(counts()).toBe(2)
  stop.abort()
  await running
})

test('a chain does not rest longer than ten minutes while a payment is not in a block', async () => {
  const id = tatum.queue(ethPayment(1))
  const stop = new AbortController()
  const periodMs = 300_000
  let rounds = 0
  const deps: DaemonDeps = {
    ...front.deps,
    periodMs,
    idlePeriodMs: 64 * periodMs,
    pulse: { ...front.deps.pulse, everyMs: periodMs },
    async sleep() {
      rounds++
      await Bun.sleep(5)
    },
  }
  const running = runDaemon(deps, { stop: stop.signal, abort: never })
  await until(() => tatum.state.settled.has(id))
  const [btc, eth, from] = [polls('BTC'), polls('ETH'), rounds]
  await until(() => rounds > from + 40)
  stop.abort()
  await running
  expect(polls('ETH') - eth).toBeGreaterThan(12)
  expect(polls('BTC') - btc).toBeLessThan(8)
})

test('those of one sender that have arrived are done, and the others go out in their order', async () => {
  const ids = [1, 2, 3, 4].map(n => tatum.queue(ethPayment(n)))
  tatum.mine()
  await cycle()
  for (const nonce of [7, 8]) tatum.forget('ETH', `nonce/${ethAddress}/${nonce}`)
  clock += tenMinutes
  tatum.state.requests.length = 0
  await cycle()
  expect(await Promise.all(ids.map(stateOf))).toEqual(['done', 'done', 'sent', 'sent'])
  const sent = tatum.state.requests.filter(({ route }) => route === 'broadcast')
  expect(sent.map(({ body }) => (body as { signatureId: string }).signatureId)).toEqual(
    ids.slice(2),
  )
})

test('a count that cannot be read is told, and neither a failure nor the end', async () => {
  const id = tatum.queue(ethPayment(1))
  await cycle()
  clock += tenMinutes
  tatum.fail('rpc', { kind: 'answer', body: '{"error":"busy"}' })
  expect(await cycle()).toMatchObject({ failures: [] })
  expect(events('arrivals not looked up')).toMatchObject([{ chain: 'ETH', sender: ethAddress }])
  expect(await stateOf(id)).toBe('sent')
  tatum.heal()
  clock += tenMinutes
  await cycle()
  expect(broadcasts(id)).toBe(2)
})

test.each([false, true])('what another has by now is not told of (in a block: %p)', async mined => {
  tatum.queue(ethPayment(1))
  await cycle()
  if (mined) tatum.mine()
  clock += tenMinutes
  let refused = 0
  const record = async (): Promise<never> => {
    refused++
    throw new LeftToOthers()
  }
  const { deps } = front
  await runOnce({ ...deps, journal: { ...deps.journal, record } }, endings)
  expect(refused).toBe(1)
  expect(events('arrivals not looked up')).toEqual([])
  expect(events('payment not confirmed')).toEqual([])
})

test('bytes that are refused the second time stay what they are', async () => {
  const id = tatum.queue(ethPayment(1))
  await cycle()
  clock += tenMinutes
  tatum.fail('broadcast', { kind: 'answer', status: 403, body: '{"errorCode":"kms.done"}' })
  expect(await cycle()).toMatchObject({ failures: [] })
  expect(await stateOf(id)).toBe('sent')
  expect(events('payment not confirmed')).toHaveLength(1)
  expect(tatum.state.reports).toEqual([])
})

describe('bytes that were refused because their number is used', () => {
  const tooLow = '{"errorCode":"ethereum.broadcast.failed","message":"nonce too low"}'
  let id: string

  beforeEach(async () => {
    id = tatum.queue(ethPayment(1))
    tatum.fail('broadcast', { kind: 'answer', status: 403, body: tooLow })
    expect(await cycle()).toMatchObject({ failures: ['network'] })
    // Other transactions of the sender, until its number is used.
    tatum.fail('rpc', { kind: 'answer', body: '{"jsonrpc":"2.0","id":1,"result":"0x6"}' })
    clock += tenMinutes
  })

  test('are done where the network knows the transaction', async () => {
    const asked = answerReceipt(txId => ({ transactionHash: txId.toUpperCase().replace('X', 'x') }))
    await cycle()
    expect(await stateOf(id)).toBe('done')
    expect(asked).toEqual([(await front.deps.journal.find(id))?.txId ?? ''])
    expect(events('payment sent')).toMatchObject([{ id }])
    expect(tatum.state.reports).toEqual([])
  })

  test('stay what they are where it does not: the owner is told in every run', async () => {
    const asked = answerReceipt(() => null)
    for (let cycles = 0; cycles < 3; cycles++) {
      await cycle()
      clock += tenMinutes
    }
    expect(await stateOf(id)).toBe('signed')
    expect(asked).toHaveLength(3)
    expect(events('payment overtaken')).toHaveLength(3)
    expect(tatum.state.reports).toEqual([])
  })

  test.each([{}, 7, { transactionHash: '0x00' }])(
    'stay what they are where it answers %j',
    async answer => {
      answerReceipt(() => answer)
      await cycle()
      expect(await stateOf(id)).toBe('signed')
      expect(events('arrivals not looked up')).toHaveLength(1)
    },
  )

  test('are not looked up while their number is free', async () => {
    tatum.heal('rpc')
    const asked = answerReceipt(() => null)
    await cycle()
    expect(await stateOf(id)).toBe('signed')
    expect(asked).toEqual([])
  })
})

test.each(['its sender', null])(
  'bytes under %p that cannot be read are told once, and passed over',
  async lane => {
    const id = tatum.queue(ethPayment(1))
    await cycle()
    const row = await front.deps.journal.find(id)
    if (row === undefined) throw new Error('there is no row')
    const junk = { ...row, pendingId: pendingIdOf(7), lane: lane && row.lane, txData: '0x02' }
    await front.deps.journal.record(junk)
    const stop = new AbortController()
    const sleep = (): Promise<void> => Bun.sleep(1)
    clock += tenMinutes
    const running = runDaemon({ ...front.deps, sleep }, { stop: stop.signal, abort: never })
    await until(() => events('payment sent again').length === 1)
    clock += tenMinutes
    await until(() => events('payment sent again').length === 2)
    stop.abort()
    await running
    expect(events('payment not confirmed')).toMatchObject([{ id: junk.pendingId }])
  },
)

test('chains without such numbers are not asked', async () => {
  const id = tatum.queue(btcPayment(1))
  await cycle()
  clock += tenMinutes
  tatum.state.requests.length = 0
  await cycle()
  expect(tatum.state.requests.map(({ route }) => route)).toEqual(['pending', 'pending'])
  expect(await stateOf(id)).toBe('sent')
})

function cycle() {
  return runOnce({ ...front.deps, api }, endings)
}

/** The sandbox has no receipts. Answers the transactions that were asked for. */
function answerReceipt(answer: (txId: string) => unknown): readonly unknown[] {
  const asked: unknown[] = []
  const { rpc } = front.deps.api
  api = {
    ...front.deps.api,
    async rpc(path, method, params, signal) {
      if (method !== 'eth_getTransactionReceipt') return rpc(path, method, params, signal)
      asked.push(...params)
      return answer(String(params[0]))
    },
  }
  return asked
}

async function stateOf(id: string): Promise<string | undefined> {
  return (await front.deps.journal.find(id))?.state
}

function broadcasts(id: string): number {
  return tatum.state.requests.filter(
    ({ route, body }) =>
      route === 'broadcast' && (body as { signatureId: string }).signatureId === id,
  ).length
}

/** Requests for the count of transactions in blocks. */
function counts(): number {
  return tatum.state.requests.filter(
    ({ route, body }) =>
      route === 'rpc' && (body as { method: string }).method === 'eth_getTransactionCount',
  ).length
}

function polls(chain: string): number {
  return tatum.state.requests.filter(({ path }) => path === `/v3/kms/pending/${chain}`).length
}

function pollsAgain(): () => boolean {
  const polls = () => tatum.state.requests.filter(({ route }) => route === 'pending').length
  const before = polls()
  return () => polls() > before + 6
}

function events(name: string) {
  return front.log.filter(({ event }) => event === name)
}
