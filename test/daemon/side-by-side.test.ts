import { afterAll, afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseTransaction } from 'viem'
import { KmsError } from '../../src/base/errors.ts'
import { type Http, request } from '../../src/base/http.ts'
import { btc } from '../../src/chains/btc.ts'
import type { Chain } from '../../src/chains/chain.ts'
import { findChain } from '../../src/chains/index.ts'
import { askInBatches } from '../../src/daemon/ask-to-sign.ts'
import { type DaemonDeps, runDaemon, runOnce } from '../../src/daemon/daemon.ts'
import { until } from '../support/daemon-process.ts'
import { type FakeTatum, startFakeTatum } from '../support/fake-tatum.ts'
import { type InProcessFront, startFront } from '../support/in-process-front.ts'
import { type InProcessSigner, startSigner } from '../support/in-process-signer.ts'
import { btcPayment, ethAddress, ethPayment, pendingIdOf, wallets } from '../support/payments.ts'
import { storeWallets } from '../support/test-vault.ts'

const template = mkdtempSync(join(tmpdir(), 'kms-lanes-'))
await storeWallets(template, Object.values(wallets))
afterAll(() => rmSync(template, { recursive: true }))

const never = new AbortController().signal
const endings = { stop: never, abort: never }
/** From another wallet, and so from another address. */
const ofOtherWallet = { hashes: [wallets.ethKey.id], index: undefined } as object

let folder: string
let tatum: FakeTatum
let signer: InProcessSigner
let front: InProcessFront
let commits: number
let atOnce: { now: number; most: number }
/** The pending id whose bytes Tatum will not take. */
let refused: string | undefined

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'kms-lanes-'))
  cpSync(template, folder, { recursive: true })
  tatum = startFakeTatum({ network: 'mainnet', nonces: { [ethAddress]: 5 } })
  commits = 0
  atOnce = { now: 0, most: 0 }
  refused = undefined
  signer = startSigner(folder, {
    wrapLedger: ledger => ({
      ...ledger,
      commit(entries, decisions) {
        commits++
        ledger.commit(entries, decisions)
      },
    }),
  })
  front = await startFront(folder, tatum, signer, { http: countBroadcasts })
})

afterEach(async () => {
  signer[Symbol.dispose]()
  await front[Symbol.asyncDispose]()
  await tatum.stop()
  rmSync(folder, { recursive: true })
})

describe('a payment that stalls', () => {
  test.each(['broadcast', 'rpc'] as const)(
    'at its %s holds up neither another wallet nor what is polled later',
    async route => {
      tatum.fail(route, { kind: 'hang' }, { times: 1, chain: 'ETH' })
      const stalled = tatum.queue(ethPayment(1))
      await during(async () => {
        await until(() => countOf(route) > 0)
        const behind = tatum.queue(ethPayment(2))
        const others = [3, 4].map(n => tatum.queue(ethPayment(n, ofOtherWallet)))
        await until(() => others.every(id => tatum.state.settled.has(id)))
        const later = tatum.queue(ethPayment(5, ofOtherWallet))
        await until(() => tatum.state.settled.has(later))
        expect([stalled, behind].some(id => tatum.state.settled.has(id))).toBe(false)
      })
    },
  )

  test('at the approver holds up its own lane alone', async () => {
    tatum.fail('approve', { kind: 'hang' }, { times: 1 })
    const stalled = tatum.queue(btcPayment(1))
    await during(async () => {
      await until(() => countOf('approve') > 0)
      const others = [2, 3, 4].map(n => tatum.queue(btcPayment(n)))
      await until(() => others.every(id => tatum.state.settled.has(id)))
      expect(tatum.state.settled.has(stalled)).toBe(false)
      expect(countOf('approve')).toBe(4)
    })
  })

  test('of Bitcoin does not hold up others of its wallet', async () => {
    tatum.fail('broadcast', { kind: 'hang' }, { times: 1 })
    for (let n = 1; n <= 20; n++) tatum.queue(btcPayment(n))
    await during(() => until(() => tatum.state.settled.size === 19))
  })
})

describe('payments of one address', () => {
  test('a hundred in one cycle get numbers without a gap and arrive in their order', async () => {
    const ids = Array.from({ length: 100 }, (_, i) => tatum.queue(ethPayment(i + 1)))
    tatum.fail('broadcast', { kind: 'delay', ms: 30 }, { times: 7 })
    expect(await runOnce(front.deps, endings)).toMatchObject({ sent: 100, failures: [] })
    const expected = ids.map((_, i) => i + 5)
    expect(ids.map(id => nonceOf(tatum.state.broadcasts.get(id)?.[0]))).toEqual(expected)
    expect(arrivals().map(nonceOf)).toEqual(expected)
    expect(atOnce.most).toBe(1)
  })

  test('wait for the next cycle, signed, when one before them was not delivered', async () => {
    const ids = [1, 2, 3].map(n => tatum.queue(ethPayment(n)))
    const other = tatum.queue(ethPayment(4, ofOtherWallet))
    refused = ids[0]
    expect(await runOnce(front.deps, endings)).toMatchObject({ sent: 1, failures: ['network'] })
    expect([...tatum.state.settled.keys()]).toEqual([other])
    expect(signer.ledger.count()).toBe(4)
    expect(front.states.filter(state => state.endsWith('signed'))).toHaveLength(4)
    refused = undefined
    expect(await runOnce(front.deps, endings)).toMatchObject({ sent: 3, failures: [] })
    expect(arrivals().slice(-3).map(nonceOf)).toEqual([5, 6, 7])
    for (const id of ids) expect(tatum.state.broadcasts.get(id)).toHaveLength(1)
  })

  test('go out before those that are signed after a restart', async () => {
    tatum.fail('broadcast', { kind: 'answer', status: 403, body: '{"errorCode":"no"}' })
    for (const n of [3, 1, 2]) tatum.queue(ethPayment(n))
    await runOnce(front.deps, endings)
    tatum.heal()
    tatum.queue(ethPayment(4))
    await front[Symbol.asyncDispose]()
    front = await startFront(folder, tatum, signer, { http: countBroadcasts })
    tatum.state.requests.length = 0
    expect(await runOnce(front.deps, endings)).toMatchObject({ sent: 4, failures: [] })
    expect(arrivals().map(nonceOf)).toEqual([5, 6, 7, 8])
  })

  test('leave no gap when one of them cannot be completed', async () => {
    const ids = [1, 2, 3].map(n => tatum.queue(ethPayment(n)))
    tatum.fail('rpc', { kind: 'answer', body: '{"error":"reverted"}' }, { times: 1 })
    expect(await runOnce(front.deps, endings)).toMatchObject({ sent: 2, failures: ['network'] })
    const nonces = ids.map(id => tatum.state.broadcasts.get(id)?.[0]).filter(Boolean)
    expect(nonces.map(nonceOf).toSorted()).toEqual([5, 6])
    expect(await runOnce(front.deps, endings)).toMatchObject({ sent: 1, failures: [] })
  })
})

describe('many payments', () => {
  test('share questions to the signer and commits of its ledger', async () => {
    for (let n = 1; n <= 200; n++) tatum.queue(btcPayment(n))
    expect(await runOnce(front.deps, endings)).toMatchObject({ sent: 200, failures: [] })
    expect(commits).toBeLessThan(100)
  })

  test('go out thirty-two at a time', async () => {
    for (let n = 1; n <= 100; n++) tatum.queue(btcPayment(n))
    tatum.fail('broadcast', { kind: 'delay', ms: 20 })
    expect(await runOnce(front.deps, endings)).toMatchObject({ sent: 100, failures: [] })
    expect(atOnce.most).toBe(32)
  })

  test('are not held up by one that is nested as deep as can be encoded alone', async () => {
    // With the frame around it, it is deeper than the encoder goes.
    const deep = '['.repeat(39_998) + ']'.repeat(39_998)
    const text = `{"x":${deep},${JSON.stringify(btcPayment(1)).slice(1)}`
    const good = [2, 3, 4].map(n => btcPayment(n))
    for (const payment of good) tatum.queue(payment)
    const body = `[${text},${good.map(payment => JSON.stringify(payment)).join()}]`
    tatum.fail('pending', { kind: 'answer', body }, { chain: 'BTC' })
    const deps = { ...front.deps, approve: undefined }
    expect(await runOnce(deps, endings)).toMatchObject({
      sent: 3,
      failures: ['transaction-malformed'],
    })
    expect(tatum.state.reports).toMatchObject([
      { signatureId: pendingIdOf(1), error: expect.stringContaining('nested too deep') },
    ])
  })

  test.each([Number.NaN, -1e300, 8.64e15 + 1])(
    'of an expiry that is no time (%p)',
    async expiry => {
      const odd: Chain = { ...btc, review: (...about) => ({ ...btc.review(...about), expiry }) }
      const deps = { ...front.deps, findChain: () => odd, chains: ['BTC'] }
      tatum.queue(btcPayment(1))
      expect(await runOnce(deps, endings)).toMatchObject({ sent: 1, failures: [] })
    },
  )

  test('of one question fail together when the signer cannot answer it, and are made later', async () => {
    let isBroken = true
    const ask: DaemonDeps['signer']['ask'] = async question => {
      if (question.type === 'sign' && isBroken) throw new Error('no thread')
      return signer.ask(question)
    }
    for (let n = 1; n <= 5; n++) tatum.queue(btcPayment(n))
    const deps = { ...front.deps, askToSign: askInBatches({ ask }) }
    expect((await runOnce(deps, endings)).failures).toHaveLength(5)
    isBroken = false
    expect(await runOnce(deps, endings)).toMatchObject({ sent: 5, failures: [] })
  })
})

describe('what the owner hears', () => {
  test('of a payment past its expiry, once, and it is paid all the same', async () => {
    const aged: Chain = {
      ...btc,
      review: (...about) => ({ ...btc.review(...about), expiry: 1_000 }),
    }
    const deps = {
      ...front.deps,
      findChain: (id: string) => (id === 'BTC' ? aged : findChain(id)),
    }
    const id = tatum.queue(btcPayment(1))
    tatum.onApproval(() => 403)
    await during(async () => {
      await until(() => countOf('approve') > 3)
      tatum.onApproval(() => 200)
      await until(() => tatum.state.settled.has(id))
    }, deps)
    expect(events('payment is past its expiry')).toMatchObject([
      { id, chain: 'BTC', expiry: '1970-01-01T00:00:01.000Z' },
    ])
  })

  test('of a withdrawal that must be completed by hand', async () => {
    const id = tatum.queue(btcPayment(1))
    tatum.fail('broadcast', { kind: 'answer', body: '{"txId":"x","completed":false}' })
    expect(await runOnce(front.deps, endings)).toEqual({ sent: 1, uncompleted: 1, failures: [] })
    expect(events('withdrawal must be completed by hand')).toMatchObject([{ id, chain: 'BTC' }])
  })
})

/** Hears which broadcasts are under way; no server is waited for longer than ten seconds. */
const countBroadcasts: Http = async asked => {
  const isBroadcast = asked.url.endsWith('/broadcast')
  if (isBroadcast && refused !== undefined && asked.body?.includes(refused)) {
    throw new KmsError('network', 'it is refused')
  }
  if (isBroadcast) atOnce.most = Math.max(atOnce.most, ++atOnce.now)
  try {
    return await request({ ...asked, timeoutMs: 10_000 })
  } finally {
    if (isBroadcast) atOnce.now--
  }
}

/** The daemon runs while `work` does, and is then cut off. */
async function during(work: () => Promise<void>, deps = front.deps): Promise<void> {
  const stop = new AbortController()
  const abort = new AbortController()
  const running = runDaemon(deps, { stop: stop.signal, abort: abort.signal })
  await work()
  stop.abort()
  abort.abort()
  await running
}

/** Bytes in the order in which they came. */
function arrivals(): readonly string[] {
  return tatum.state.requests
    .filter(({ route }) => route === 'broadcast')
    .map(({ body }) => String(Object(body).txData))
}

function nonceOf(txData: string | undefined): number | undefined {
  return parseTransaction(txData as `0x${string}`).nonce
}

function countOf(route: string): number {
  return tatum.state.requests.filter(request => request.route === route).length
}

function events(name: string): readonly unknown[] {
  return front.log.filter(({ event }) => event === name)
}
