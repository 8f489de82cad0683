import { afterAll, afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseTransaction } from 'viem'
import { type CycleReport, runDaemon, runOnce } from '../../src/daemon/daemon.ts'
import { pay } from '../../src/daemon/payment.ts'
import { type FakeTatum, startFakeTatum } from '../support/fake-tatum.ts'
import { type InProcessFront, startFront } from '../support/in-process-front.ts'
import { type InProcessSigner, startSigner } from '../support/in-process-signer.ts'
import {
  btcPayment,
  ethAddress,
  ethPayment,
  filledEthPayment,
  pendingIdOf,
  wallets,
} from '../support/payments.ts'
import { storeWallets } from '../support/test-vault.ts'

const template = mkdtempSync(join(tmpdir(), 'kms-payment-'))
await storeWallets(template, Object.values(wallets))
afterAll(() => rmSync(template, { recursive: true }))

const never = new AbortController().signal
const endings = { stop: never, abort: never }

let folder: string
let tatum: FakeTatum
let signer: InProcessSigner
let front: InProcessFront

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'kms-payment-'))
  cpSync(template, folder, { recursive: true })
  tatum = startFakeTatum({ network: 'mainnet', nonces: { [ethAddress]: 5 } })
  signer = startSigner(folder)
  front = await startFront(folder, tatum, signer)
})

afterEach(async () => {
  signer[Symbol.dispose]()
  await front[Symbol.asyncDispose]()
  await tatum.stop()
  rmSync(folder, { recursive: true })
})

describe('a payment', () => {
  test('is seen, approved, completed, signed, journaled, broadcast, journaled', async () => {
    const id = tatum.queue(ethPayment(1))
    expect(await runOnce(front.deps, endings)).toEqual({ sent: 1, failures: [] })
    expect(front.states).toEqual(['01 seen', '01 signed', '01 sent'])
    const [approve, ...routes] = tatum.state.requests
      .map(({ route }) => route)
      .filter(route => route !== 'pending')
    expect(approve).toBe('approve')
    expect(routes.slice(0, -1).toSorted()).toEqual(['read', 'read', 'rpc'])
    expect(routes.at(-1)).toBe('broadcast')
    expect(tatum.state.settled.get(id)).toHaveLength(1)
    const row = await front.deps.journal.find(id)
    expect(row?.txData).toBe(bytesOf(id))
    expect(JSON.parse(row?.pending ?? '')).toEqual({ ...ethPayment(1) })
  })

  test('has its bytes in the journal before they leave', async () => {
    const id = tatum.queue(btcPayment(1))
    tatum.fail('broadcast', { kind: 'close-before-acting' })
    await runOnce(front.deps, endings)
    expect(tatum.state.broadcasts.size).toBe(0)
    const journaled = (await front.deps.journal.find(id))?.txData
    tatum.heal()
    expect(await runOnce(front.deps, endings)).toMatchObject({ failures: [] })
    expect(bytesOf(id)).toBe(journaled ?? '')
  })

  test('goes out with consecutive nonces when several are of one address', async () => {
    const ids = [1, 2, 3].map(n => tatum.queue(ethPayment(n)))
    tatum.fail('broadcast', { kind: 'answer', status: 500 })
    await runOnce(front.deps, endings)
    tatum.heal()
    await runOnce(front.deps, endings)
    expect(ids.map(id => parseTransaction(bytesOf(id) as `0x${string}`).nonce)).toEqual([5, 6, 7])
  })

  test('of one chain does not wait for those of another', async () => {
    tatum.fail('pending', { kind: 'hang' }, { chain: 'ETH' })
    const stop = new AbortController()
    const id = tatum.queue(btcPayment(1))
    const cycle = runOnce(front.deps, { stop: stop.signal, abort: never })
    await until(() => tatum.state.settled.has(id))
    stop.abort()
    expect(await cycle).toEqual({ sent: 1, failures: [] })
  })
})

describe('the approver', () => {
  test('stops a payment until it says yes, and nothing is signed before', async () => {
    const id = tatum.queue(btcPayment(1))
    tatum.onApproval(() => 403)
    expect(await failures()).toEqual(['approver-denied'])
    tatum.onApproval(() => 503)
    expect(await failures()).toEqual(['approver-unreachable'])
    tatum.fail('approve', { kind: 'close-before-acting' })
    expect(await failures()).toEqual(['approver-unreachable'])
    tatum.heal()
    tatum.onApproval(() => 429)
    expect(await failures()).toEqual(['approver-unreachable'])
    expect(signer.ledger.count()).toBe(0)
    expect((await front.deps.journal.find(id))?.txData).toBeNull()
    tatum.onApproval(() => 204)
    expect(await failures()).toEqual([])
    expect(tatum.state.settled.get(id)).toHaveLength(1)
  })

  test('that says no is journaled as no, and Tatum is told nothing', async () => {
    const id = tatum.queue(btcPayment(1))
    tatum.onApproval(() => 403)
    await runOnce(front.deps, endings)
    await runOnce(front.deps, endings)
    expect(await front.deps.journal.find(id)).toMatchObject({
      state: 'denied',
      reason: 'the approval server answered 403',
    })
    expect(tatum.state.reports).toEqual([])
    expect(events('payment denied')).toHaveLength(1)
  })

  test('is asked about each payment on its own', async () => {
    const [yes, no] = [tatum.queue(btcPayment(1)), tatum.queue(btcPayment(2))]
    tatum.onApproval(id => (id === yes ? 200 : 400))
    expect(await runOnce(front.deps, endings)).toEqual({ sent: 1, failures: ['approver-denied'] })
    expect([...tatum.state.settled.keys()]).toEqual([yes])
    expect(tatum.state.broadcasts.has(no)).toBe(false)
  })

  test('is not asked again once there are bytes', async () => {
    tatum.queue(btcPayment(1))
    tatum.fail(
      'broadcast',
      { kind: 'answer', status: 403, body: '{"errorCode":"no"}' },
      { times: 1 },
    )
    await runOnce(front.deps, endings)
    tatum.onApproval(() => 403)
    expect(await failures()).toEqual([])
    expect(tatum.state.requests.filter(({ route }) => route === 'approve')).toHaveLength(1)
  })
})

describe('one id, one set of bytes', () => {
  test.each(['close-after-acting', 'close-before-acting'] as const)(
    'a broadcast whose reply is lost (%s) is repeated with the same bytes',
    async kind => {
      const ids = [tatum.queue(ethPayment(1)), tatum.queue(btcPayment(2))]
      tatum.fail('broadcast', { kind }, { times: 2 })
      expect(await runOnce(front.deps, endings)).toEqual({ sent: 2, failures: [] })
      for (const id of ids) {
        expect(tatum.state.broadcasts.get(id)).toHaveLength(1)
        expect(tatum.state.settled.get(id)).toHaveLength(1)
      }
    },
  )

  test('bytes whose broadcast failed to the end go out again first thing at the next start', async () => {
    const id = tatum.queue(ethPayment(1))
    tatum.fail('broadcast', { kind: 'close-after-acting' })
    expect(await failures()).toEqual(['network'])
    tatum.heal()
    expect(await runOnce(front.deps, endings)).toEqual({ sent: 1, failures: [] })
    expect(tatum.state.broadcasts.get(id)).toHaveLength(1)
  })

  test('an id that comes again gets the same bytes, whatever the API counts now', async () => {
    const id = tatum.queue(ethPayment(1))
    await runOnce(front.deps, endings)
    const first = bytesOf(id)
    handOutAgain(ethPayment(1))
    expect(await runOnce(front.deps, endings)).toEqual({ sent: 1, failures: [] })
    expect(tatum.state.broadcasts.get(id)).toEqual([first])
  })

  test('also when the journal is lost: the ledger has them', async () => {
    const id = tatum.queue(ethPayment(1))
    await runOnce(front.deps, endings)
    const first = bytesOf(id)
    handOutAgain(ethPayment(1))
    await loseJournal()
    expect(await runOnce(front.deps, endings)).toEqual({ sent: 1, failures: [] })
    expect(tatum.state.broadcasts.get(id)).toEqual([first])
    expect(signer.ledger.count()).toBe(1)
  })

  test.each(['with the journal', 'without it'])(
    'an id that comes again with other contents is refused, %s',
    async how => {
      const id = tatum.queue(ethPayment(1))
      await runOnce(front.deps, endings)
      handOutAgain(ethPayment(1, {}, { value: '999999' }))
      if (how === 'without it') await loseJournal()
      expect(await failures()).toEqual(['transaction-refused'])
      expect(tatum.state.broadcasts.get(id)).toHaveLength(1)
      expect(tatum.state.reports).toEqual([
        { signatureId: id, error: 'this pending id was signed before with another transaction' },
      ])
    },
  )

  test('bytes of one chain are never sent to another', async () => {
    tatum.queue(btcPayment(1))
    await runOnce(front.deps, endings)
    const moved = { ...btcPayment(1), chain: 'ETH' }
    expect(await pay(front.deps, 'ETH', moved, never)).toMatchObject({
      kind: 'stopped',
      code: 'transaction-refused',
    })
  })

  test('an id handed out twice in one answer is paid once', async () => {
    const entry = JSON.stringify(btcPayment(1))
    tatum.queue(btcPayment(1))
    tatum.fail(
      'pending',
      { kind: 'answer', body: `[${entry},${entry}]` },
      { times: 1, chain: 'BTC' },
    )
    expect(await failures()).toEqual([])
    expect(signer.ledger.count()).toBe(1)
    expect(tatum.state.broadcasts.get(pendingIdOf(1))).toHaveLength(1)
  })

  test('two payments for one output: the first is made, the second refused and reported', async () => {
    tatum.queue(btcPayment(1))
    tatum.queue(btcPayment(2, {}, 1))
    expect(await runOnce(front.deps, endings)).toEqual({
      sent: 1,
      failures: ['transaction-refused'],
    })
    expect(tatum.state.reports).toMatchObject([{ signatureId: pendingIdOf(2) }])
  })
})

describe('what cannot be paid', () => {
  test('is reported once, not each cycle, and said once in the log', async () => {
    const id = tatum.queue(btcPayment(1, { hashes: [wallets.btcKey.id], index: 7 } as never))
    tatum.queue(btcPayment(2, { serializedTransaction: '{' }))
    for (const _ of [1, 2, 3]) expect(await failures()).toHaveLength(1)
    expect(tatum.state.settled.has(id)).toBe(true)
    expect(tatum.state.reports).toHaveLength(1)
    expect(events('payment not sent')).toHaveLength(1)
  })

  test('is reported again when the reason changes', async () => {
    const id = tatum.queue(filledEthPayment(1, 5))
    tatum.fail('broadcast', { kind: 'answer', status: 403, body: refusal('one') }, { times: 1 })
    tatum.fail('broadcast', { kind: 'answer', status: 403, body: refusal('two') })
    for (const _ of [1, 2, 3]) await runOnce(front.deps, endings)
    expect(tatum.state.reports).toEqual([
      { signatureId: id, error: 'broadcast was answered with status 403: one: no' },
      { signatureId: id, error: 'broadcast was answered with status 403: two: no' },
    ])
  })

  test.each([
    ['not an object', 7, undefined],
    ['null', null, undefined],
    ['without an id', { ...btcPayment(1), id: undefined }, undefined],
    ['with an id that is a path', { ...btcPayment(1), id: '../../x' }, undefined],
    ['with an id of another type', { ...btcPayment(1), id: { $ne: 1 } }, undefined],
    ['with malformed JSON', { ...btcPayment(1), serializedTransaction: '{"a":' }, 'JSON object'],
    ['of an unknown chain', { ...btcPayment(1), chain: 'DOGE' }, 'not for BTC'],
    ['without a chain', { ...btcPayment(1), chain: null }, 'member chain'],
    ['of nobody’s wallet', { ...btcPayment(1), hashes: [unknownId()] }, 'no wallet'],
    [
      'of a wallet of another chain',
      { ...btcPayment(1), hashes: [wallets.ethKey.id] },
      'ETH wallet',
    ],
    ['with a wallet that is no UUID', { ...btcPayment(1), hashes: ['x'] }, 'member hashes'],
    ['with an index that cannot be', { ...btcPayment(1), index: 2 ** 31 }, 'member index'],
    ['that is large', { ...btcPayment(1), serializedTransaction: ' '.repeat(1_000_001) }, 'member'],
    ['nested too deep', { ...btcPayment(1), x: null }, 'nested too deep'],
  ])('one %s stops alone', async (name, hostile, reason) => {
    const deep = `{"id":"${pendingIdOf(1)}","x":${'['.repeat(500_000)}${']'.repeat(500_000)}}`
    const text = name === 'nested too deep' ? deep : JSON.stringify(hostile)
    const good = btcPayment(2)
    tatum.queue(good)
    const body = `[${text},${JSON.stringify(good)}]`
    tatum.fail('pending', { kind: 'answer', body }, { chain: 'BTC' })
    const report: CycleReport = await runOnce(front.deps, endings)
    expect(report.sent).toBe(1)
    expect(report.failures).toHaveLength(1)
    await runOnce(front.deps, endings)
    expect(tatum.state.settled.has(good.id)).toBe(true)
    expect(tatum.state.reports).toHaveLength(reason === undefined ? 0 : 1)
    if (reason !== undefined) expect(tatum.state.reports[0]?.error).toContain(reason)
    expect(tatum.state.reports[0]?.error ?? '').not.toMatch(/TypeError|internal|http:|\n/)
    expect(JSON.stringify(front.log)).not.toContain('internal fault')
  })

  test('reports that did not arrive are made up for in the next cycle', async () => {
    const stop = new AbortController()
    tatum.queue(btcPayment(1, { serializedTransaction: '{' }))
    tatum.fail('report', { kind: 'answer', status: 500 }, { times: 3 })
    const running = runDaemon(front.deps, { stop: stop.signal, abort: never })
    await until(() => tatum.state.reports.length > 0)
    await Bun.sleep(50)
    stop.abort()
    await running
    expect(tatum.state.reports).toHaveLength(1)
    expect(events('failures could not be reported')).toHaveLength(1)
  })
})

function bytesOf(id: string): string {
  return tatum.state.broadcasts.get(id)?.[0] ?? 'nothing was sent'
}

async function failures() {
  return (await runOnce(front.deps, endings)).failures
}

/** As if Tatum had forgotten that it was done; the count has moved on. */
function handOutAgain(payment: ReturnType<typeof ethPayment>): void {
  const body = JSON.stringify([payment])
  tatum.fail('pending', { kind: 'answer', body }, { chain: 'ETH' })
}

async function loseJournal(): Promise<void> {
  await front[Symbol.asyncDispose]()
  for (const end of ['', '-wal', '-shm'])
    rmSync(join(folder, `payments.sqlite${end}`), { force: true })
  front = await startFront(folder, tatum, signer)
}

function events(name: string): readonly unknown[] {
  return front.log.filter(({ event }) => event === name)
}

function refusal(errorCode: string): string {
  return JSON.stringify({ statusCode: 403, errorCode, message: 'no' })
}

function unknownId(): string {
  return '99999999-9999-4999-8999-999999999999'
}

async function until(isTrue: () => boolean): Promise<void> {
  for (let waited = 0; !isTrue(); waited += 5) {
    if (waited > 5000) throw new Error('it never came to be')
    await Bun.sleep(5)
  }
}
