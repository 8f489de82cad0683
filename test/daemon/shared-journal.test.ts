import {
  afterAll,
  afterEach,
  beforeAll,
  beforeEach,
  describe,
  expect,
  setDefaultTimeout,
  test,
} from 'bun:test'
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseTransaction } from 'viem'
import { KmsError } from '../../src/base/errors.ts'
import { askInBatches } from '../../src/daemon/ask-to-sign.ts'
import { cancelPayment } from '../../src/daemon/cancel.ts'
import { type DaemonDeps, runDaemon, runOnce } from '../../src/daemon/daemon.ts'
import { whileHeld } from '../../src/daemon/hold.ts'
import type { Journal } from '../../src/daemon/journal.ts'
import { LeftToOthers, laneLease, paymentLease } from '../../src/daemon/leases.ts'
import type { PostgresPlace } from '../../src/daemon/postgres.ts'
import { expectEachPaidOnce } from '../support/crash-loop.ts'
import { until } from '../support/daemon-process.ts'
import { type FakeTatum, startFakeTatum } from '../support/fake-tatum.ts'
import { type InProcessFront, startFront } from '../support/in-process-front.ts'
import { type InProcessSigner, startSigner } from '../support/in-process-signer.ts'
import { openShared, sleep } from '../support/journals.ts'
import { btcPayment, ethAddress, ethPayment, pendingIdOf, wallets } from '../support/payments.ts'
import { hasPostgres, startPostgres, type TestPostgres } from '../support/postgres.ts'
import { storeWallets } from '../support/test-vault.ts'

// Two machines with copies of one vault folder, in one process; the database is a real one.

setDefaultTimeout(30_000)

const never = new AbortController().signal
const endings = { stop: never, abort: never }
const template = mkdtempSync(join(tmpdir(), 'kms-shared-'))

let postgres: TestPostgres
let place: PostgresPlace
let tatum: FakeTatum
let a: Machine
let b: Machine

describe.skipIf(!hasPostgres)('daemons that share a journal', () => {
  beforeAll(async () => {
    await storeWallets(template, Object.values(wallets))
    postgres = await startPostgres()
  }, 60_000)
  afterAll(async () => {
    await postgres[Symbol.asyncDispose]()
    rmSync(template, { recursive: true })
  })
  beforeEach(async () => {
    place = await postgres.createDatabase()
    tatum = startFakeTatum({ network: 'mainnet' })
    a = await startMachine('a')
    b = await startMachine('b')
  })
  afterEach(async () => {
    await a.end()
    await b.end()
    await tatum.stop()
  })

  test('at work at the same time pay each payment once, and number them without a gap', async () => {
    const eth = Array.from({ length: 30 }, (_, n) => tatum.queue(ethPayment(n + 1)))
    const btc = Array.from({ length: 30 }, (_, n) => tatum.queue(btcPayment(n + 101)))
    const ids = [...eth, ...btc]
    tatum.fail('approve', { kind: 'delay', ms: 10 })
    for (let rounds = 0; rounds < 20 && tatum.state.settled.size < ids.length; rounds++) {
      const reports = await Promise.all([a, b].map(({ front }) => runOnce(front.deps, endings)))
      expect(reports.flatMap(({ failures }) => failures)).toEqual([])
    }
    expectEachPaidOnce(tatum, ids)
    expect(noncesOf(eth).toSorted((x, y) => x - y)).toEqual(eth.map((_, i) => i))
    const [ofA, ofB] = [a, b].map(({ signer }) => signer.ledger.count())
    expect((ofA ?? 0) + (ofB ?? 0)).toBe(ids.length)
  })

  test('ask the approver once for a payment, not once each', async () => {
    tatum.queue(btcPayment(1))
    tatum.fail('approve', { kind: 'delay', ms: 100 })
    await Promise.all([a, b].map(({ front }) => runOnce(front.deps, endings)))
    const asked = tatum.state.requests.filter(({ route }) => route === 'approve')
    expect(asked).toHaveLength(1)
  })

  test.each([
    ['signed', ethPayment(1)],
    ['signed', btcPayment(1)],
  ] as const)('send nothing that was %s under a lease that ran out', async (_, payment) => {
    const id = tatum.queue(payment)
    const { running: slow, wake } = await signAndStandStill()
    await loseLeases()
    expect(await runOnce(b.front.deps, endings)).toMatchObject({ sent: 1, failures: [] })
    wake()
    expect(await slow).toMatchObject({ sent: 0, failures: [] })
    expect([a, b].map(({ signer }) => signer.ledger.count())).toEqual([1, 1])
    expectEachPaidOnce(tatum, [id])
    expect(tatum.state.broadcasts.get(id)).toEqual([b.signer.ledger.find(id)?.txData ?? ''])
    // Nor later: it has the bytes of the other machine now.
    await runOnce(a.front.deps, endings)
    expectEachPaidOnce(tatum, [id])
    expect(tatum.state.reports).toEqual([])
  })

  test('give a payment no bytes once another has it, even if that has none yet', async () => {
    const id = tatum.queue(btcPayment(1))
    const { running, wake } = await signAndStandStill()
    await loseLeases()
    expect(await b.front.deps.journal.leases.take(paymentLease(id))).toBe(true)
    wake()
    expect(await running).toMatchObject({ sent: 0, failures: [] })
    expect(await b.front.deps.journal.find(id)).toMatchObject({ state: 'seen', txData: null })
    expect(tatum.state.broadcasts.size).toBe(0)
    b.front.deps.journal.leases.letGo(paymentLease(id))
    await payOn(b, [id])
    expectEachPaidOnce(tatum, [id])
  })

  test('send the bytes of a dead machine as they are, and sign nothing again', async () => {
    tatum.fail('broadcast', { kind: 'answer', status: 500 })
    const ids = [ethPayment(1), ethPayment(2), btcPayment(3)].map(tatum.queue)
    await runOnce({ ...a.front.deps, sleep: async () => {} }, endings)
    const before = ids.map(id => a.signer.ledger.find(id)?.txData ?? '')
    await a.end()
    tatum.heal()
    await payOn(b, ids)
    expect(b.signer.ledger.count()).toBe(0)
    expect(ids.map(id => tatum.state.broadcasts.get(id)?.[0] ?? '')).toEqual(before)
    // What comes next is numbered behind them, although this ledger knows of no number.
    const next = tatum.queue(ethPayment(4))
    await payOn(b, [next])
    expect(noncesOf([next])).toEqual([2])
  })

  test('use the number of a payment that died with its bytes in one ledger only', async () => {
    const [first = '', second = ''] = [ethPayment(1), ethPayment(2)].map(tatum.queue)
    await signAndDie()
    await payOn(b, [first, second])
    expect(noncesOf([first, second])).toEqual([0, 1])
    const third = tatum.queue(ethPayment(3))
    await payOn(a, [third])
    expect(noncesOf([third])).toEqual([2])
    expectEachPaidOnce(tatum, [first, second, third])
    expect(tatum.state.reports).toEqual([])
  })

  test('leave no number out behind bytes that are in one ledger only', async () => {
    const first = tatum.queue(ethPayment(1))
    await signAndDie()
    const { leases } = b.front.deps.journal
    await loseLeases()
    expect(await leases.take(paymentLease(first))).toBe(true)
    const second = tatum.queue(ethPayment(2))
    expect(await runOnce(a.front.deps, endings)).toMatchObject({ failures: ['too-early'] })
    expect(events('payment not sent')).toMatchObject([
      { id: second, reason: expect.stringContaining('number 0 of its sender was signed here') },
    ])
    leases.letGo(paymentLease(first))
    await runUntilPaid([a], [first, second])
    expect(noncesOf([first, second])).toEqual([0, 1])
    expect(tatum.state.reports).toEqual([])
  })

  test('go on behind bytes in one ledger whose payment is gone, once it is cancelled', async () => {
    const first = tatum.queue(ethPayment(1))
    await signAndDie()
    tatum.state.pending.delete(first)
    const second = tatum.queue(ethPayment(2))
    expect(await runOnce(a.front.deps, endings)).toMatchObject({ failures: ['too-early'] })
    using signer = startSigner(a.folder, { cancel: first })
    const deps = { ...a.front.deps, signer: { ...a.front.deps.signer, ask: signer.ask } }
    const order = { id: first, waitMs: 3_000 }
    await whileHeld(deps, order, never, () => cancelPayment(deps, first, never))
    await runUntilPaid([a], [second])
    expect(noncesOf([second])).toEqual([1])
  })

  test('go on behind bytes in one ledger once another has used their number', async () => {
    const first = tatum.queue(ethPayment(1))
    await signAndDie()
    tatum.state.pending.delete(first)
    const [second = '', third = ''] = [ethPayment(2), ethPayment(3)].map(tatum.queue)
    await runUntilPaid([a, b], [second, third])
    expect(noncesOf([second, third]).toSorted((x, y) => x - y)).toEqual([0, 1])
  })

  test('do not send what spends the output of another payment', async () => {
    const first = tatum.queue(btcPayment(1))
    await runOnce(a.front.deps, endings)
    const second = tatum.queue(btcPayment(2, {}, 1))
    // Its ledger knows nothing of the first.
    expect(await runOnce(b.front.deps, endings)).toMatchObject({ failures: ['too-early'] })
    expect(b.signer.ledger.find(second)).toBeDefined()
    expectEachPaidOnce(tatum, [first])
    expect(tatum.state.reports).toEqual([])
  })

  test('report a failure once', async () => {
    tatum.queue(ethPayment(1, {}, { data: 'not hex' }))
    for (const { front } of [a, b, a, b]) await runOnce(front.deps, endings)
    expect(tatum.state.reports).toHaveLength(1)
  })

  test('never send what was cancelled on one of them', async () => {
    const id = tatum.queue(btcPayment(1))
    tatum.onApproval(() => 403)
    await runOnce(a.front.deps, endings)
    tatum.onApproval(() => 200)
    const folder = copyOfVault('c')
    using signer = startSigner(folder, { cancel: id })
    const deps = { ...b.front.deps, signer: { ...b.front.deps.signer, ask: signer.ask } }
    await whileHeld(deps, { id, waitMs: 1_000 }, never, () => cancelPayment(deps, id, never))
    for (const { front } of [a, b]) await runOnce(front.deps, endings)
    expect(tatum.state.broadcasts.size).toBe(0)
    const error = 'cancelled by its owner: it is not signed or sent any more'
    expect(tatum.state.reports).toEqual([{ signatureId: id, error }])
    rmSync(folder, { recursive: true })
  })

  test('keep an order waiting while another is at the payment, and then refuse it', async () => {
    const { journal } = a.front.deps
    const id = pendingIdOf(1)
    expect(await journal.leases.take(paymentLease(id))).toBe(true)
    const order = whileHeld(b.front.deps, { id, waitMs: 300 }, never, async () => 'done')
    expect(await order.catch(({ code }) => code)).toBe('vault-busy')
    journal.leases.letGo(paymentLease(id))
    expect(await whileHeld(b.front.deps, { id, waitMs: 3_000 }, never, async () => 'done')).toBe(
      'done',
    )
  })

  test('wait while the database is away, say so once, and go on when it is back', async () => {
    const stop = new AbortController()
    const stops = { stop: stop.signal, abort: never }
    const running = runDaemon({ ...a.front.deps, periodMs: 50, sleep }, stops)
    const paid = tatum.queue(btcPayment(1))
    await until(() => tatum.state.settled.has(paid))
    await postgres.stop('SIGQUIT')
    const waiting = tatum.queue(btcPayment(2))
    await until(() => events('nothing can be signed').length > 0)
    await sleep(500)
    expect(a.signer.ledger.count()).toBe(1)
    await postgres.start()
    await until(() => tatum.state.settled.has(waiting))
    stop.abort()
    await running
    expectEachPaidOnce(tatum, [paid, waiting])
    expect(events('nothing can be signed')).toMatchObject([
      { reason: "the journal's database cannot be reached" },
    ])
    expect(tatum.state.reports).toEqual([])
  })

  test('start before the database does, and go on with it', async () => {
    await postgres.stop()
    const stop = new AbortController()
    const stops = { stop: stop.signal, abort: never }
    const running = runDaemon({ ...a.front.deps, periodMs: 50, sleep }, stops)
    const id = tatum.queue(btcPayment(1))
    await until(() => events('nothing can be signed').length > 0)
    await postgres.start()
    await until(() => tatum.state.settled.has(id))
    stop.abort()
    await running
  })

  test.each([
    [
      'of another version',
      'UPDATE journal_version SET version = 2',
      'tables of version 2, not of 1',
    ],
    ['of two versions', 'INSERT INTO journal_version VALUES (1)', 'version 1, 1, not of 1'],
    ['without a table', 'DROP TABLE payments', 'refuses its work (42P01)'],
    ['with a state that is none', "UPDATE payments SET state = 'paid'", 'no daemon has written'],
    ['with a code that is none', "UPDATE payments SET code = 'x'", 'no daemon has written'],
  ])('refuse tables %s', async (_, statement, reason) => {
    const id = tatum.queue(btcPayment(1))
    await runOnce(a.front.deps, endings)
    await postgres.run(place.database, statement)
    const { journal } = await startMachineAt(place)
    const fault = await journal.find(id).catch((thrown: unknown) => thrown)
    expect(fault).toMatchObject({ code: 'disk', message: expect.stringContaining(reason) })
    await journal.close()
  })

  test('say what a user may not do, and nothing of where or as whom', async () => {
    await a.front.deps.journal.probe()
    await postgres.run('postgres', `DROP ROLE IF EXISTS poor; CREATE ROLE poor LOGIN`)
    for (const [change, reason] of [
      [{ user: 'poor' }, 'rights'],
      [{ user: 'nobody-like-this' }, 'refuses our user or password'],
      [{ database: 'no-such' }, 'refuses its work (3D000)'],
      [{ port: 1 }, 'cannot be reached'],
      [{ secure: { authorities: null } }, 'does not prove who it is'],
    ] as const) {
      const { journal } = await startMachineAt({ ...place, password: 'hunter2', ...change })
      const fault = await journal.probe().catch((thrown: unknown) => thrown)
      expect(fault).toMatchObject({ code: 'disk', message: expect.stringContaining(reason) })
      const told = String(fault) + (fault instanceof KmsError ? fault.hint : '')
      for (const secret of ['hunter2', '127.0.0.1', 'poor', place.database]) {
        expect(told).not.toContain(secret)
      }
      await journal.close()
    }
  })

  test('let go of their leases when they end, and keep those that they use', async () => {
    const [one, other] = [1, 2].map(() => openShared(place, scope(), { leaseMs: 1_000 }))
    if (one === undefined || other === undefined) throw new Error('there are two')
    const name = laneLease('ETH', ethAddress)
    expect(await one.leases.take(name)).toBe(true)
    await sleep(1_500)
    expect(one.leases.isHeld(name)).toBe(true)
    expect(await other.leases.take(name)).toBe(false)
    await one.close()
    expect(await other.leases.take(name)).toBe(true)
    await other.close()
  })

  test('let those run out that their table has and they do not know of', async () => {
    const own = { owner: 'one', leaseMs: 1_000 }
    const [one, other] = [own, {}].map(options => openShared(place, scope(), options))
    if (one === undefined || other === undefined) throw new Error('there are two')
    expect(await one.leases.take('known')).toBe(true)
    // As after an answer that was lost, or a drop that failed.
    await postgres.run(
      place.database,
      "INSERT INTO leases SELECT vault_id, network, 'unknown', owner, nextval('epochs'), until FROM leases",
    )
    await sleep(1_500)
    expect(await other.leases.take('known')).toBe(false)
    expect(await other.leases.take('unknown')).toBe(true)
    await Promise.all([one, other].map(journal => journal.close()))
  })

  test('write nothing under a lease that another has', async () => {
    const [one, other] = [1, 2].map(() => openShared(place, scope()))
    if (one === undefined || other === undefined) throw new Error('there are two')
    const id = tatum.queue(btcPayment(1))
    await runOnce(a.front.deps, endings)
    const row = await one.find(id)
    if (row === undefined) throw new Error('it is there')
    expect(await one.leases.take(paymentLease(id))).toBe(true)
    await loseLeases()
    expect(await other.leases.take(paymentLease(id))).toBe(true)
    for (const change of [{ state: 'expired' }, { state: 'signed', txData: 'other' }] as const) {
      const written = one.record({ ...row, ...change })
      // A row with bytes answers which they are; everything else is refused.
      const outcome = await written.catch((thrown: unknown) => thrown)
      if (outcome instanceof Error) expect(outcome).toBeInstanceOf(LeftToOthers)
      else expect(outcome).toEqual(row)
    }
    expect(await one.find(id)).toEqual(row)
    await Promise.all([one, other].map(journal => journal.close()))
  })
})

type Machine = {
  readonly folder: string
  readonly front: InProcessFront
  readonly signer: InProcessSigner
  end(): Promise<void>
}

function copyOfVault(name: string): string {
  const folder = mkdtempSync(join(tmpdir(), `kms-shared-${name}-`))
  cpSync(template, folder, { recursive: true })
  return folder
}

async function startMachine(name: string): Promise<Machine> {
  const folder = copyOfVault(name)
  const signer = startSigner(folder)
  const claims = async (pendingId: string) =>
    (await signer.ask({ type: 'claims', pendingId })).claims
  const open = async (scope: Parameters<typeof openShared>[1]): Promise<Journal> =>
    openShared(place, scope, { claims })
  const front = await startFront(folder, tatum, signer, { open })
  let hasEnded = false
  return {
    folder,
    front,
    signer,
    async end() {
      if (hasEnded) return
      hasEnded = true
      await front[Symbol.asyncDispose]()
      signer[Symbol.dispose]()
      rmSync(folder, { recursive: true })
    },
  }
}

function scope(): Parameters<typeof openShared>[1] {
  return { vaultId: a.signer.vault.vaultId, network: 'mainnet' }
}

/** The first machine stops between its ledger and the journal, until it is woken up. */
async function signAndStandStill() {
  const { promise: signed, resolve: hasSigned } = Promise.withResolvers<void>()
  const { promise: goOn, resolve: wake } = Promise.withResolvers<void>()
  const ask: DaemonDeps['signer']['ask'] = async question => {
    const answer = await a.signer.ask(question)
    if (question.type === 'sign') {
      hasSigned()
      await goOn
    }
    return answer
  }
  const running = runOnce({ ...a.front.deps, askToSign: askInBatches({ ask }) }, endings)
  await signed
  return { running, wake }
}

/** The first machine dies between its ledger and the journal. */
async function signAndDie(): Promise<void> {
  const { journal } = a.front.deps
  const record: Journal['record'] = async row => {
    if (row.state === 'signed') throw new KmsError('disk', 'cut off')
    return journal.record(row)
  }
  const dead = { ...a.front.deps, journal: { ...journal, record } }
  await expect(runOnce(dead, endings)).rejects.toThrow('cut off')
  expect(a.signer.ledger.count()).toBe(1)
}

/** In turn; what is too early for one of them is not for all. */
async function runUntilPaid(machines: readonly Machine[], ids: readonly string[]): Promise<void> {
  const isPaid = (): boolean => ids.every(id => tatum.state.settled.has(id))
  for (let rounds = 0; rounds < 100 && !isPaid(); rounds++) {
    for (const { front } of machines) await runOnce(front.deps, endings)
    await sleep(10)
  }
  expect(isPaid()).toBe(true)
}

/** Leases that another has let go are free a moment later. */
async function payOn({ front }: Machine, ids: readonly string[]): Promise<void> {
  const isPaid = (): boolean => ids.every(id => tatum.state.settled.has(id))
  for (let rounds = 0; rounds < 100 && !isPaid(); rounds++) {
    expect(await runOnce(front.deps, endings)).toMatchObject({ failures: [] })
    await sleep(10)
  }
  expect(isPaid()).toBe(true)
}

/** Only its journal. */
async function startMachineAt(at: PostgresPlace): Promise<{ readonly journal: Journal }> {
  return { journal: openShared(at, scope()) }
}

function events(name: string): readonly unknown[] {
  return a.front.log.filter(({ event }) => event === name)
}

/** As if all the time that they last for had passed. */
async function loseLeases(): Promise<void> {
  await postgres.run(place.database, 'UPDATE leases SET until = now()')
}

function noncesOf(ids: readonly string[]): readonly number[] {
  return ids.map(id => {
    const [txData] = tatum.state.broadcasts.get(id) ?? []
    return parseTransaction(txData as `0x${string}`).nonce ?? 0
  })
}
