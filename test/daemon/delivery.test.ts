import { afterAll, afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { KmsError } from '../../src/base/errors.ts'
import type { Http } from '../../src/base/http.ts'
import { findChain } from '../../src/chains/index.ts'
import { type DaemonDeps, runOnce } from '../../src/daemon/daemon.ts'
import { type FakeTatum, startFakeTatum } from '../support/fake-tatum.ts'
import { startFront } from '../support/in-process-front.ts'
import { startSigner } from '../support/in-process-signer.ts'
import { createLateNetwork, type LateNetwork, lateId } from '../support/late-network.ts'
import { btcPayment, wallets } from '../support/payments.ts'
import { storeWallets } from '../support/test-vault.ts'

const template = mkdtempSync(join(tmpdir(), 'kms-delivery-'))
await storeWallets(template, [wallets.btcKey])
afterAll(() => rmSync(template, { recursive: true }))

const never = new AbortController().signal
const endings = { stop: never, abort: never }

let folder: string
let tatum: FakeTatum
let network: LateNetwork

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'kms-delivery-'))
  cpSync(template, folder, { recursive: true })
  tatum = startFakeTatum({ network: 'mainnet' })
  network = createLateNetwork()
})

afterEach(async () => {
  await tatum.stop()
  rmSync(folder, { recursive: true })
})

describe('a payment that others finish and that goes out before Tatum is told', () => {
  test('is signed, finished, journaled, submitted, and told of', async () => {
    const id = tatum.queue(btcPayment(1))
    await using daemon = await start()
    expect(await daemon.cycle()).toMatchObject({ sent: 1, failures: [] })
    expect(daemon.states).toEqual(['01 seen', '01 signed', '01 finished', '01 arrived', '01 sent'])
    const row = await daemon.deps.journal.find(id)
    const final = row?.finalData ?? ''
    expect(network.finished).toEqual([row?.txData ?? ''])
    expect(network.submitted).toEqual([final])
    expect(network.told).toEqual([`${id} ${lateId(final)}`])
    expect(daemon.events('payment sent')).toMatchObject([{ id, txId: lateId(final) }])
  })

  test('is not submitted before it is finished, and its failure is not reported', async () => {
    const id = tatum.queue(btcPayment(1))
    await using daemon = await start({ failing: '/late/finish' })
    expect(await daemon.cycle()).toMatchObject({ sent: 0, failures: ['network'] })
    expect(await daemon.deps.journal.find(id)).toMatchObject({ state: 'signed', finalData: null })
    expect(network.submitted).toEqual([])
    expect(tatum.state.reports).toEqual([])
  })

  test('keeps its final bytes when they cannot be submitted, and they alone are submitted again', async () => {
    const id = tatum.queue(btcPayment(1))
    const first = await start({ failing: '/late/submit' })
    expect(await first.cycle()).toMatchObject({ sent: 0, failures: ['network'] })
    const row = await first.deps.journal.find(id)
    expect(row).toMatchObject({ state: 'finished', arrivalData: null })
    expect(first.events('payment not confirmed')).toMatchObject([{ txId: row?.finalId ?? '' }])
    await first[Symbol.asyncDispose]()
    await using second = await start()
    expect(await second.cycle()).toMatchObject({ sent: 1, failures: [] })
    expect(network.finished).toHaveLength(1)
    expect([...network.arrived]).toEqual([row?.finalData ?? ''])
  })

  test('that has arrived is only told of again: a node that forgets it does not make it expire', async () => {
    const id = tatum.queue(btcPayment(1))
    const first = await start({ failing: '/v3/bitcoin/broadcast' })
    expect(await first.cycle()).toMatchObject({ sent: 0, failures: ['network'] })
    const final = (await first.deps.journal.find(id))?.finalData ?? ''
    const arrived = { state: 'arrived', arrivalData: lateId(final) }
    expect(await first.deps.journal.find(id)).toMatchObject(arrived)
    network.arrived.clear()
    network.expire()
    expect(await first.cycle()).toMatchObject({ sent: 0, failures: ['network'] })
    expect(await first.deps.journal.find(id)).toMatchObject(arrived)
    await first[Symbol.asyncDispose]()
    await using second = await start()
    // Listed to the end: this Tatum does not take it off its list.
    for (const _ of [1, 2]) expect(await second.cycle()).toMatchObject({ sent: 1, failures: [] })
    expect(network.submitted).toEqual([final])
    expect(new Set(network.told)).toEqual(new Set([`${id} ${lateId(final)}`]))
    expect(tatum.state.reports).toEqual([])
    expect(second.events('payment expired')).toEqual([])
  })
})

const arrived = { state: 'arrived', arrivalData: 'as the other one saw it', reason: null } as const

describe('an expired payment', () => {
  test('is told of once, reported once, and closed over restarts though it is listed', async () => {
    const id = tatum.queue(btcPayment(1))
    network.expire()
    const first = await start()
    const expired = { sent: 0, failures: ['transaction-refused'] }
    expect(await first.cycle()).toMatchObject(expired)
    for (const _ of [1, 2]) expect(await first.cycle()).toMatchObject({ sent: 0, failures: [] })
    expect(first.events('payment expired')).toMatchObject([{ id, chain: 'BTC' }])
    expect(await first.deps.journal.find(id)).toMatchObject({
      state: 'expired',
      reported: 'expired',
    })
    await first[Symbol.asyncDispose]()
    await using second = await start()
    expect(await second.cycle()).toMatchObject({ sent: 0, failures: [] })
    expect(second.log).toEqual([])
    expect(tatum.state.reports).toEqual([
      { signatureId: id, error: 'expired: it can never arrive any more and is not signed again' },
    ])
    expect({ submitted: network.submitted.length, told: network.told }).toEqual({
      submitted: 1,
      told: [],
    })
    expect(second.signed()).toBe(1)
  })

  test('whose report did not arrive is reported by a later run', async () => {
    const id = tatum.queue(btcPayment(1))
    network.expire()
    tatum.fail('report', { kind: 'answer', status: 500 })
    const first = await start()
    await first.cycle()
    await first[Symbol.asyncDispose]()
    tatum.heal()
    await using second = await start()
    expect(await second.cycle()).toMatchObject({ failures: ['transaction-refused'] })
    expect(await second.cycle()).toMatchObject({ failures: [] })
    expect(tatum.state.reports).toMatchObject([{ signatureId: id }])
    expect(network.submitted).toHaveLength(1)
  })

  test('that another daemon has seen arrive is not closed here', async () => {
    tatum.queue(btcPayment(1))
    network.expire()
    await using daemon = await start()
    const { journal } = daemon.deps
    const record: typeof journal.record = async row =>
      await journal.record(row.state === 'expired' ? { ...row, ...arrived } : row)
    const deps = { ...daemon.deps, journal: { ...journal, record } }
    expect(await runOnce(deps, endings)).toMatchObject({ sent: 0, failures: [] })
    expect(daemon.events('payment expired')).toEqual([])
    expect(tatum.state.reports).toEqual([])
  })

  test('does not keep the others of its wallet from going out', async () => {
    tatum.queue(btcPayment(1))
    await using daemon = await start()
    network.expire()
    await daemon.cycle()
    const late = createLateNetwork()
    const other = tatum.queue(btcPayment(2))
    await using next = await start({ network: late })
    expect(await next.cycle()).toMatchObject({ sent: 1, failures: [] })
    expect(late.told).toEqual([`${other} ${lateId(late.submitted[0] ?? '')}`])
  })
})

describe('killed between any two steps', () => {
  test('a payment has one set of final bytes, and they arrive', async () => {
    const points = await atEveryPoint(async () => {
      const ids = [tatum.queue(btcPayment(1)), tatum.queue(btcPayment(2))]
      return async daemon => {
        expect(await daemon.cycle()).toMatchObject({ failures: [] })
        expect(daemon.signed()).toBe(2)
        expect(network.arrived.size).toBe(2)
        for (const id of ids) {
          const row = await daemon.deps.journal.find(id)
          const final = row?.finalData ?? ''
          expect(row).toMatchObject({ state: 'sent' })
          expect(network.arrived.has(final)).toBe(true)
          const told = network.told.filter(line => line.startsWith(id))
          expect(new Set(told)).toEqual(new Set([`${id} ${lateId(final)}`]))
        }
        expect(network.submitted.every(bytes => network.arrived.has(bytes))).toBe(true)
      }
    })
    // Two payments: approval, finish, look, submit, broadcast, five rows; one or two commits.
    expect(points).toBeGreaterThanOrEqual(2 * (2 * 10 + 1))
  }, 60_000)

  test('an expired payment is closed, and its bytes are neither signed nor sent again', async () => {
    const points = await atEveryPoint(async () => {
      const id = tatum.queue(btcPayment(1))
      network.expire()
      return async daemon => {
        await daemon.cycle()
        expect(await daemon.deps.journal.find(id)).toMatchObject({
          state: 'expired',
          reported: 'expired',
        })
        const before = network.submitted.length
        expect(await daemon.cycle()).toMatchObject({ sent: 0, failures: [] })
        expect(network.submitted).toHaveLength(before)
        expect(new Set(network.submitted).size).toBe(1)
        expect(daemon.signed()).toBe(1)
        expect({ told: network.told, arrived: network.arrived.size }).toEqual({
          told: [],
          arrived: 0,
        })
        // Killed between the report and the note of it, it is made again.
        const reported = tatum.state.reports.map(({ signatureId }) => signatureId)
        expect(new Set(reported)).toEqual(new Set([id]))
        expect(reported.length).toBeLessThanOrEqual(2)
      }
    })
    expect(points).toBeGreaterThanOrEqual(2 * 9)
  }, 60_000)
})

type Daemon = Awaited<ReturnType<typeof start>>

/** Dies at each point in turn; then a new daemon runs, and `check` looks at what came of it. */
async function atEveryPoint(
  prepare: () => Promise<(daemon: Daemon) => Promise<void>>,
): Promise<number> {
  for (let dieAt = 1; ; dieAt++) {
    await tatum.stop()
    rmSync(folder, { recursive: true })
    cpSync(template, folder, { recursive: true })
    tatum = startFakeTatum({ network: 'mainnet' })
    network = createLateNetwork()
    const check = await prepare()
    const death = createDeath(dieAt)
    const dying = await start({ death })
    await dying.cycle().catch(() => {})
    await dying[Symbol.asyncDispose]()
    if (!death.hasCome()) return dieAt - 1
    await using daemon = await start()
    await check(daemon)
  }
}

type Death = { pass(): void; hasCome(): boolean }

/** At the point with this number everything ends: nothing is done or noted any more. */
function createDeath(dieAt: number): Death {
  let passed = 0
  return {
    pass() {
      if (++passed >= dieAt) throw new KmsError('disk', 'dead')
    },
    hasCome: () => passed >= dieAt,
  }
}

const immortal: Death = { pass: () => {}, hasCome: () => false }

async function start({
  death = immortal,
  failing,
  network: { chain, http } = network,
}: {
  readonly death?: Death
  readonly failing?: string
  readonly network?: LateNetwork
} = {}) {
  const signer = startSigner(folder, {
    wrapLedger: ledger => ({
      ...ledger,
      commit(entries, decisions) {
        death.pass()
        ledger.commit(entries, decisions)
        death.pass()
      },
    }),
  })
  const mortalHttp: Http = async asked => {
    death.pass()
    if (asked.url.endsWith(failing ?? '-')) throw new KmsError('network', 'it is down')
    const answer = await http(asked)
    death.pass()
    return answer
  }
  const front = await startFront(folder, tatum, signer, { http: mortalHttp })
  const { journal } = front.deps
  const deps: DaemonDeps = {
    ...front.deps,
    chains: ['BTC'],
    findChain: id => (id === 'BTC' ? chain : findChain(id)),
    journal: {
      ...journal,
      async record(row) {
        death.pass()
        const recorded = await journal.record(row)
        death.pass()
        return recorded
      },
    },
  }
  return {
    deps,
    states: front.states,
    log: front.log,
    events: (name: string) => front.log.filter(({ event }) => event === name),
    signed: () => signer.ledger.count(),
    cycle: () => runOnce(deps, endings),
    async [Symbol.asyncDispose]() {
      signer[Symbol.dispose]()
      await front[Symbol.asyncDispose]()
    },
  }
}
