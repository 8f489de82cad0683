import { afterAll, afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseTransaction } from 'viem'
import { KmsError } from '../../src/base/errors.ts'
import { parseJson } from '../../src/base/json.ts'
import { eth } from '../../src/chains/eth.ts'
import { type DaemonDeps, runDaemon, runOnce } from '../../src/daemon/daemon.ts'
import { lookOver } from '../../src/daemon/payment.ts'
import type { CycleReport } from '../../src/daemon/run.ts'
import { type FakeRoute, type FakeTatum, startFakeTatum } from '../support/fake-tatum.ts'
import { type InProcessFront, startFront } from '../support/in-process-front.ts'
import { type InProcessSigner, startSigner } from '../support/in-process-signer.ts'
import { btcPayment, ethAddress, ethPayment, pendingIdOf, wallets } from '../support/payments.ts'
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
    expect(await runOnce(front.deps, endings)).toMatchObject({ sent: 1, failures: [] })
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
    expect(row?.contents).toMatch(/^[0-9a-f]{64}$/)
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
    expect(await cycle).toMatchObject({ sent: 1, failures: ['terminated'] })
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
    await during(front.deps, () => until(() => countOf('approve') > 3))
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
    expect(await runOnce(front.deps, endings)).toMatchObject({
      sent: 1,
      failures: ['approver-denied'],
    })
    expect([...tatum.state.settled.keys()]).toEqual([yes])
    expect(tatum.state.broadcasts.has(no)).toBe(false)
  })

  test('that stalls is asked about many payments at a time', async () => {
    for (let n = 1; n <= 100; n++) tatum.queue(btcPayment(n))
    tatum.fail('approve', { kind: 'delay', ms: 50 })
    const started = performance.now()
    expect(await runOnce(front.deps, endings)).toMatchObject({ sent: 100, failures: [] })
    // 100 in a row would take 5 seconds for the approver alone.
    expect(performance.now() - started).toBeLessThan(4_000)
  }, 15_000)

  test('that has said no is asked again after growing waits', async () => {
    let clock = 0
    const asked: number[] = []
    tatum.queue(btcPayment(1))
    tatum.onApproval(() => {
      asked.push(clock)
      return 403
    })
    const deps = {
      ...front.deps,
      periodMs: 5_000,
      now: () => clock,
      monotonic: () => clock,
      sleep: async () => {
        clock += 5_000
        await Bun.sleep(10)
      },
    }
    await during(deps, () => until(() => asked.length >= 9))
    const waits = asked.slice(1).map((at, i) => at - (asked[i] ?? 0))
    // Longer where a cycle is still under way when the next is due.
    for (const [i, least] of [0, 5, 10, 20, 40, 60, 60, 60].entries()) {
      expect(waits[i]).toBeGreaterThanOrEqual(least * 1_000)
    }
    expect(events('payment denied')).toHaveLength(1)
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
      expect(await runOnce(front.deps, endings)).toMatchObject({ sent: 2, failures: [] })
      for (const id of ids) {
        expect(tatum.state.broadcasts.get(id)).toHaveLength(1)
        expect(tatum.state.settled.get(id)).toHaveLength(1)
      }
    },
  )

  test('bytes whose broadcast failed to the end go out again at the next start', async () => {
    const id = tatum.queue(ethPayment(1))
    tatum.fail('broadcast', { kind: 'close-after-acting' })
    expect(await failures()).toEqual(['network'])
    tatum.heal()
    expect(await runOnce(front.deps, endings)).toMatchObject({ sent: 1, failures: [] })
    expect(tatum.state.broadcasts.get(id)).toHaveLength(1)
  })

  test('an id that comes again gets the same bytes, whatever the API counts now', async () => {
    const id = tatum.queue(ethPayment(1))
    await runOnce(front.deps, endings)
    const first = bytesOf(id)
    handOutAgain(ethPayment(1))
    expect(await runOnce(front.deps, endings)).toMatchObject({ sent: 1, failures: [] })
    expect(tatum.state.broadcasts.get(id)).toEqual([first])
  })

  test('also when the journal is lost: the ledger has them, and nobody is asked again', async () => {
    const id = tatum.queue(ethPayment(1))
    await runOnce(front.deps, endings)
    const first = bytesOf(id)
    handOutAgain(ethPayment(1))
    await loseJournal()
    tatum.state.requests.length = 0
    tatum.onApproval(() => 403)
    expect(await runOnce(front.deps, endings)).toMatchObject({ sent: 1, failures: [] })
    expect(tatum.state.broadcasts.get(id)).toEqual([first])
    expect(signer.ledger.count()).toBe(1)
    const asked = tatum.state.requests.map(({ route }) => route)
    expect(asked.filter(route => route !== 'pending')).toEqual(['broadcast'])
  })

  test('bytes that Tatum lists no more go out again in a later cycle of the same run', async () => {
    const id = tatum.queue(btcPayment(1))
    tatum.fail('broadcast', { kind: 'close-before-acting' })
    await during(front.deps, async () => {
      await until(() => events('payment not confirmed').length > 0)
      tatum.fail('pending', { kind: 'answer', body: '[]' })
      const polls = countOf('pending')
      await until(() => countOf('pending') > polls + 4)
      tatum.heal('broadcast')
      await until(() => tatum.state.settled.has(id))
    })
    expect(events('payment sent')).toHaveLength(1)
    expect(events('payment not confirmed')).toHaveLength(1)
    expect(tatum.state.broadcasts.get(id)).toHaveLength(1)
  })

  test('bytes go out even while Tatum lists their id with nonsense', async () => {
    const id = tatum.queue(btcPayment(1))
    tatum.fail('broadcast', { kind: 'close-before-acting' }, { times: 4 })
    expect(await failures()).toEqual(['network'])
    const body = JSON.stringify([{ ...btcPayment(1), chain: 7 }])
    tatum.fail('pending', { kind: 'answer', body }, { chain: 'BTC' })
    expect(await runOnce(front.deps, endings)).toMatchObject({
      sent: 1,
      failures: ['transaction-malformed'],
    })
    expect(tatum.state.settled.has(id)).toBe(true)
    expect(tatum.state.reports).toEqual([])
  })

  test('what Tatum goes on listing is sent again with growing waits, and said once', async () => {
    let clock = 0
    tatum.queue(btcPayment(1))
    const body = JSON.stringify([btcPayment(1)])
    tatum.fail('pending', { kind: 'answer', body }, { chain: 'BTC' })
    const now = () => clock
    const deps = { ...front.deps, periodMs: 5_000, now, monotonic: now, sleep: tick(5_000) }
    await during(deps, () => until(() => countOf('broadcast') >= 10))
    expect(events('payment sent')).toHaveLength(1)
    // Twice at once, then after 5, 10, 20, 40 seconds, then every minute.
    expect(clock).toBeGreaterThanOrEqual(315_000)

    function tick(ms: number): DaemonDeps['sleep'] {
      return async () => {
        clock += ms
        await Bun.sleep(1)
      }
    }
  })

  test.each(['with the journal', 'without it'])(
    'an id that comes again with other contents is refused and not reported as failed, %s',
    async how => {
      const id = tatum.queue(ethPayment(1))
      await runOnce(front.deps, endings)
      handOutAgain(ethPayment(1, {}, { value: '999999' }))
      if (how === 'without it') await loseJournal()
      expect(await failures()).toEqual(['transaction-refused'])
      expect(tatum.state.broadcasts.get(id)).toHaveLength(1)
      expect(tatum.state.reports).toEqual([])
      expect(events('payment not sent')).toMatchObject([
        { reason: 'this pending id was signed before with another transaction' },
      ])
    },
  )

  test('bytes of one chain are never sent to another', async () => {
    tatum.queue(btcPayment(1))
    await runOnce(front.deps, endings)
    const moved = { ...btcPayment(1), chain: 'ETH' }
    const looked = lookOver(front.deps, 'ETH', moved.id, moved)
    expect(await looked.catch((fault: unknown) => fault)).toMatchObject({
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

  test('two payments for one output: one is made, the other refused and reported', async () => {
    const ids = [tatum.queue(btcPayment(1)), tatum.queue(btcPayment(2, {}, 1))]
    expect(await runOnce(front.deps, endings)).toMatchObject({
      sent: 1,
      failures: ['transaction-refused'],
    })
    const refused = ids.filter(id => !tatum.state.settled.has(id))
    expect(tatum.state.reports.map(({ signatureId }) => signatureId)).toEqual(refused)
  })
})

describe('a broadcast', () => {
  test('that was acted on and then answered 403 as known counts as sent', async () => {
    await tatum.stop()
    tatum = startFakeTatum({ network: 'mainnet', refusesRepeats: true })
    await renewFront()
    const id = tatum.queue(btcPayment(1))
    tatum.fail('broadcast', { kind: 'close-after-acting' }, { times: 1 })
    expect(await runOnce(front.deps, endings)).toMatchObject({ sent: 1, failures: [] })
    expect(countOf('broadcast')).toBe(2)
    expect(front.states).toEqual(['01 seen', '01 signed', '01 sent'])
    expect(tatum.state.settled.get(id)).toHaveLength(1)
    expect(tatum.state.reports).toEqual([])
  })

  test('refused with 403 is said once, never reported, and made again with growing waits', async () => {
    let clock = 0
    const id = tatum.queue(btcPayment(1))
    const body = JSON.stringify({ statusCode: 403, errorCode: 'broadcast.failed', message: 'no' })
    tatum.fail('broadcast', { kind: 'answer', status: 403, body }, { times: 8 })
    const sleep: DaemonDeps['sleep'] = async () => {
      clock += 1_000
      await Bun.sleep(1)
    }
    const now = () => clock
    const deps = { ...front.deps, periodMs: 1_000, now, monotonic: now, sleep }
    await during(deps, () => until(() => tatum.state.settled.has(id)))
    // At once, then after 1, 2, 4, 8, 16, 32 and 60 seconds.
    expect(clock).toBeGreaterThanOrEqual(123_000)
    expect(events('payment not confirmed')).toMatchObject([
      { id, code: 'network', reason: expect.stringContaining('broadcast.failed') },
    ])
    expect(events('payment not sent')).toEqual([])
    expect(countOf('approve')).toBe(1)
    expect(tatum.state.broadcasts.get(id)).toHaveLength(1)
    expect(tatum.state.reports).toEqual([])
  })
})

describe('what cannot be paid', () => {
  test('is reported once, not each cycle, and said once in the log', async () => {
    const id = tatum.queue(btcPayment(1, { hashes: [wallets.btcKey.id], index: 7 } as never))
    tatum.queue(btcPayment(2, { serializedTransaction: '{' }))
    await during(front.deps, () => until(() => countOf('pending') > 12))
    expect(tatum.state.settled.has(id)).toBe(true)
    expect(tatum.state.reports).toHaveLength(1)
    expect(events('payment not sent')).toHaveLength(1)
  })

  test('is reported again when it fails in another way', async () => {
    const id = tatum.queue(ethPayment(1))
    tatum.fail('rpc', { kind: 'answer', status: 500 })
    for (const _ of [1, 2]) expect(await failures()).toEqual(['network'])
    handOutAgain(ethPayment(1, { serializedTransaction: '{' }))
    for (const _ of [1, 2]) expect(await failures()).toEqual(['transaction-malformed'])
    expect(tatum.state.reports).toEqual([
      { signatureId: id, error: expect.stringContaining('status 500') },
      { signatureId: id, error: expect.stringContaining('JSON object') },
    ])
  })

  const triedAgain = ' (it is tried again while Tatum lists it)'

  test('for good is never looked at again with the same contents, and reported as such', async () => {
    const id = tatum.queue(ethPayment(1, { serializedTransaction: '{' }))
    expect(await failures()).toEqual(['transaction-malformed'])
    const closed = await front.deps.journal.find(id)
    expect(closed).toMatchObject({ state: 'refused', code: 'transaction-malformed' })
    // As after a program that reads more came in its place.
    const chain = { ...eth, review: () => expectNothing(), keys: () => expectNothing() }
    const deps = { ...front.deps, findChain: () => chain }
    expect((await runOnce(deps, endings)).failures).toEqual(['transaction-malformed'])
    expect(await front.deps.journal.find(id)).toEqual(closed)
    expect(tatum.state.reports).toMatchObject([{ signatureId: id }])
    expect(tatum.state.reports[0]?.error).not.toContain('tried again')
  })

  test('because of the fee of the day is paid when that is lower, and the report says so', async () => {
    const id = tatum.queue(ethPayment(1, {}, { gas: '0x989680' }))
    const { get } = front.deps.api
    const dear = parseJson('{"fast":900000000000,"medium":900000000000}')
    const api: DaemonDeps['api'] = {
      ...front.deps.api,
      get: (path, signal) => (path.includes('/fee/') ? Promise.resolve(dear) : get(path, signal)),
    }
    const denied = { failures: ['policy-denied'] }
    expect(await runOnce({ ...front.deps, api }, endings)).toMatchObject(denied)
    await renewFront()
    expect(signer.ledger.count()).toBe(0)
    expect(tatum.state.reports).toEqual([
      {
        signatureId: id,
        error: expect.stringMatching(
          /^fee of \d+ .* is above the limit of \d+ \(it is tried again/,
        ),
      },
    ])
    expect(await runOnce(front.deps, endings)).toMatchObject({ failures: [], sent: 1 })
  })

  test('for good is looked at again with other contents, but not without any', async () => {
    const id = tatum.queue(ethPayment(1))
    listInstead(ethPayment(1, { serializedTransaction: '{' }))
    await failures()
    listInstead({ ...ethPayment(1), serializedTransaction: 7 })
    expect(await failures()).toEqual(['transaction-malformed'])
    listInstead({ ...ethPayment(1, { serializedTransaction: '{' }), chain: 'BTC' })
    expect(await failures()).toEqual(['transaction-malformed'])
    expect(tatum.state.reports).toHaveLength(1)
    tatum.heal()
    expect(await failures()).toEqual([])
    expect(tatum.state.settled.has(id)).toBe(true)
  })

  test.each([
    ['a wallet that is not there', { ...ethPayment(1), hashes: [unknownId()] }],
    ['no contents', { ...ethPayment(1), serializedTransaction: undefined }],
    ['another chain', { ...ethPayment(1), chain: 'BTC' }],
  ])('because of %s is reported as tried again, and paid when it can be', async (_, listed) => {
    const id = tatum.queue(ethPayment(1))
    listInstead(listed)
    await failures()
    expect(tatum.state.reports).toEqual([
      { signatureId: id, error: expect.stringMatching(/^[ -~]{10,300}$/) },
    ])
    expect(tatum.state.reports[0]?.error).toEndWith(triedAgain)
    tatum.heal()
    expect(await failures()).toEqual([])
    expect(tatum.state.settled.get(id)).toHaveLength(1)
  })

  test('says that it is tried again however much there is to say', async () => {
    tatum.queue(ethPayment(1))
    const askToSign: DaemonDeps['askToSign'] = async () => {
      throw new KmsError('network', 'x'.repeat(5_000))
    }
    await runOnce({ ...front.deps, askToSign }, endings)
    expect(tatum.state.reports[0]?.error).toEndWith(`x${triedAgain}`)
  })

  test.each([
    ['with the journal', false],
    ['without it', true],
  ])('is not reported where the id has bytes, whatever it is listed as, %s', async (_, isLost) => {
    tatum.queue(ethPayment(1))
    await failures()
    if (isLost) await loseJournal()
    const good = ethPayment(1)
    for (const listed of [
      { ...good, serializedTransaction: '{' },
      { ...good, serializedTransaction: 7 },
      { ...good, hashes: 'x' },
      { ...good, chain: 'BTC' },
      { ...good, x: 'x'.repeat(2 ** 21) },
    ]) {
      listInstead(listed)
      expect(await failures()).toHaveLength(1)
    }
    expect(tatum.state.reports).toEqual([])
    expect(signer.ledger.count()).toBe(1)
    listInstead(good)
    expect(await runOnce(front.deps, endings)).toMatchObject({ sent: 1, failures: [] })
  })

  test('is reported once over several runs, also when the report did not arrive at first', async () => {
    const id = tatum.queue(btcPayment(1, { serializedTransaction: '{' }))
    tatum.fail('report', { kind: 'answer', status: 500 })
    for (const _ of [1, 2]) await failures()
    tatum.heal()
    for (const _ of [1, 2, 3]) {
      await renewFront()
      expect(await failures()).toEqual(['transaction-malformed'])
    }
    expect(tatum.state.reports).toEqual([{ signatureId: id, error: expect.any(String) }])
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
    ['with a huge member', { ...btcPayment(1), x: 'x'.repeat(2 ** 21) }, 'longer than 2097152'],
  ])('one %s stops alone', async (name, hostile, reason) => {
    const deep = `{"id":"${pendingIdOf(1)}","x":${'['.repeat(200_000)}${']'.repeat(200_000)}}`
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

/** Until `heal`, or the next. */
function listInstead(entry: unknown): void {
  tatum.heal('pending')
  tatum.fail('pending', { kind: 'answer', body: JSON.stringify([entry]) }, { chain: 'ETH' })
}

function expectNothing(): never {
  throw new Error('it was looked at')
}

async function renewFront(): Promise<void> {
  await front[Symbol.asyncDispose]()
  front = await startFront(folder, tatum, signer)
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

function countOf(route: FakeRoute): number {
  return tatum.state.requests.filter(request => request.route === route).length
}

/** The daemon runs while `work` does. */
async function during(deps: DaemonDeps, work: () => Promise<void>): Promise<void> {
  const stop = new AbortController()
  const running = runDaemon(deps, { stop: stop.signal, abort: never })
  await work()
  stop.abort()
  await running
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
