import { afterAll, afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { cancelPayment } from '../../src/daemon/cancel.ts'
import { type DaemonDeps, runOnce } from '../../src/daemon/daemon.ts'
import type { SignedRow } from '../../src/daemon/journal.ts'
import { type Resigned, resignPayment } from '../../src/daemon/resign.ts'
import type { CycleReport } from '../../src/daemon/run.ts'
import { closingWallets, solPayment, xrpPayment } from '../support/closing-payments.ts'
import { createDeath, type Death, immortal } from '../support/death.ts'
import { type FakeRoute, type FakeTatum, startFakeTatum } from '../support/fake-tatum.ts'
import { type InProcessFront, startFront } from '../support/in-process-front.ts'
import { type InProcessSigner, startSigner } from '../support/in-process-signer.ts'
import { storeWallets } from '../support/test-vault.ts'

const template = mkdtempSync(join(tmpdir(), 'kms-resign-'))
await storeWallets(template, Object.values(closingWallets))
afterAll(() => rmSync(template, { recursive: true }))

const never = new AbortController().signal
const endings = { stop: never, abort: never }

let folder: string
let tatum: FakeTatum
let signer: InProcessSigner
let front: InProcessFront
let deps: DaemonDeps

beforeEach(async () => {
  await start()
})

afterEach(end)

describe('a payment that has expired', () => {
  test('is signed anew, sent and paid once', async () => {
    const { id, old } = await expire()
    const told = await resign(id)
    expect(told).toEqual({
      id,
      chain: 'SOL',
      network: 'mainnet',
      state: 'sent',
      replaced: old.txId,
      txId: expect.any(String) as never,
    })
    expect(told.txId).not.toBe(old.txId)
    expect(tatum.state.settled.get(id)?.map(({ txId }) => txId)).toEqual([told.txId])
    expect(await deps.journal.find(id)).toMatchObject({
      state: 'sent',
      txId: told.txId,
      replacedId: old.txId,
      reason: null,
      reported: null,
    })
    expect(signer.ledger.history(id).map(({ txId }) => txId)).toEqual([old.txId, told.txId])
    // Asked for as any payment: by Tatum, and by the approver.
    expect(countOf('approve')).toBe(2)
    const polled = requests('pending').at(-1)
    expect(polled).toMatchObject({
      path: '/v3/kms/pending/SOL',
      body: { signatureIds: [closingWallets.sol.id] },
    })
  })

  test('has the same new bytes when the order is given again, and a daemon leaves it alone', async () => {
    const { id } = await expire()
    const told = await resign(id)
    const before = tatum.state.requests.length
    for (const _ of [1, 2]) expect(await resign(id)).toEqual(told)
    expect(tatum.state.requests).toHaveLength(before)
    tatum.state.settled.delete(id)
    await restart({})
    await cycle()
    expect(signer.ledger.count()).toBe(2)
    expect(new Set(tatum.state.broadcasts.get(id))).toEqual(new Set([told.txId]))
  })

  test('whose new bytes did not get through is sent on, by the order or by a daemon', async () => {
    for (const again of [resign, cycle]) {
      const { id, old } = await expire()
      tatum.fail('broadcast', { kind: 'close-before-acting' })
      expect(await faultOf(resign(id))).toMatchObject({ code: 'network' })
      tatum.heal()
      const { txId } = signer.ledger.find(id) ?? {}
      expect(txId).not.toBe(old.txId)
      await restart({})
      await again(id)
      expect(tatum.state.settled.get(id)?.map(settled => settled.txId)).toEqual([txId ?? ''])
      expect(signer.ledger.history(id)).toHaveLength(2)
      await end()
      await start()
    }
  })

  test('may expire again, and is then signed once more', async () => {
    const { id, old } = await expire()
    tatum.stopMining()
    expect(await faultOf(resign(id))).toMatchObject({
      code: 'transaction-refused',
      message: expect.stringContaining('the new bytes have expired, too'),
    })
    tatum.mine()
    const [, second] = signer.ledger.history(id)
    expect(await deps.journal.find(id)).toMatchObject({ state: 'expired', replacedId: old.txId })
    // Tatum hears of it once more, from a daemon.
    await restart({})
    expect(await cycle()).toMatchObject({ failures: ['transaction-refused'] })
    expect(tatum.state.reports).toHaveLength(2)
    const told = await resign(id)
    expect(told.replaced).toBe(second?.txId ?? '')
    expect(signer.ledger.history(id)).toHaveLength(3)
    expect(tatum.state.settled.get(id)).toHaveLength(1)
  })

  test('is paid once when the journal is lost after it was signed anew', async () => {
    const { id } = await expire()
    tatum.fail('broadcast', { kind: 'close-before-acting' })
    await faultOf(resign(id))
    tatum.heal()
    await restart({}, { keepJournal: false })
    expect(await cycle()).toMatchObject({ sent: 1, failures: [] })
    expect(tatum.state.settled.get(id)).toHaveLength(1)
    expect(tatum.state.settled.get(id)?.[0]?.txId).toBe(signer.ledger.find(id)?.txId ?? '')
  })

  test('is cancelled also when it was cut off while it was signed anew', async () => {
    const { id, old } = await expire()
    await restart({ resign: id }, { death: createDeath(deathAfterSigning) })
    await faultOf(resignPayment(deps, id, never))
    expect(signer.ledger.history(id)).toHaveLength(2)
    await restart({ cancel: id })
    expect(await deps.journal.find(id)).toMatchObject({ state: 'expired', txId: old.txId })
    expect(await cancelPayment(deps, id, never)).toMatchObject({ state: 'cancelled' })
    expect(await deps.journal.find(id)).toMatchObject({ state: 'cancelled', txId: old.txId })
    expect(await faultOf(resign(id))).toMatchObject({
      message: 'this payment was cancelled by its owner',
    })
    expect(tatum.state.settled.has(id)).toBe(false)
  })
})

describe('nothing is done', () => {
  const refused = async (id: string, fault: object) => {
    const before = { signed: signer.ledger.count(), row: await deps.journal.find(id) }
    expect(await faultOf(resign(id))).toMatchObject(fault)
    expect(signer.ledger.count()).toBe(before.signed)
    expect(await deps.journal.find(id)).toEqual(before.row as never)
    expect(tatum.state.settled.has(id)).toBe(false)
  }

  test.each([
    ['SOL', solPayment(1)],
    ['XRP', xrpPayment(1, 7)],
  ])('about a payment of %s whose bytes may still arrive', async (_, payment) => {
    const id = tatum.queue(payment)
    await signOnly()
    const message = 'the payment is not expired: its bytes may still arrive'
    await refused(id, { code: 'transaction-refused', message })
  })

  test('about a payment that was never signed', async () => {
    const id = tatum.queue(solPayment(1))
    tatum.onApproval(() => 403)
    await cycle()
    await refused(id, { message: 'the payment was never signed' })
  })

  test('about a payment that nobody knows, or that only the ledger knows', async () => {
    const fault = { code: 'usage', message: 'there is no such payment in the journal' }
    const { id } = await expire()
    await refused(solPayment(9).id, fault)
    await restart({}, { keepJournal: false })
    await refused(id, fault)
  })

  test('when Tatum does not list the payment any more', async () => {
    const { id } = await expire()
    tatum.state.pending.delete(id)
    await refused(id, { message: 'Tatum does not list the payment any more: nothing is done' })
    expect(countOf('approve')).toBe(1)
  })

  test('when Tatum lists it with other contents, and nobody is asked', async () => {
    const { id } = await expire()
    const text = solPayment(1).serializedTransaction.replace('2f6859', '2f6959')
    tatum.queue(solPayment(1, { id, serializedTransaction: text }))
    const message = 'this pending id was signed before with another transaction'
    await refused(id, { code: 'transaction-refused', message })
    expect(countOf('approve')).toBe(1)
  })

  test.each([
    ['says no', 403, 'approver-denied'],
    ['is not there', 500, 'approver-unreachable'],
  ])('when the approver %s', async (_, status, code) => {
    const { id } = await expire()
    tatum.onApproval(() => status)
    await refused(id, { code })
  })

  test.each(['pending', 'rpc'] as const)('when %s fails', async route => {
    const { id } = await expire()
    tatum.fail(route, { kind: 'answer', status: 500 })
    await refused(id, { code: 'network' })
  })

  test('when journal and ledger have other bytes', async () => {
    const { id } = await expire()
    await restart({ resign: id })
    const ask: typeof deps.signer.ask = async question => {
      const answer = await deps.signer.ask(question)
      if (question.type !== 'resignation' || !('payment' in answer)) return answer
      return { payment: { ...answer.payment, txData: 'others', before: null } } as never
    }
    const odd = { ...deps, signer: { ...deps.signer, ask } }
    expect(await faultOf(resignPayment(odd, id, never))).toMatchObject({
      message: 'the ledger does not have the bytes that the journal has',
    })
    expect(signer.ledger.count()).toBe(1)
  })
})

test('killed between any two steps it has its old bytes, or one new set, and is paid once', async () => {
  for (let dieAt = 1; ; dieAt++) {
    const { id, old } = await expire()
    const death = createDeath(dieAt)
    await restart({ resign: id }, { death })
    await resignPayment(deps, id, never).catch(() => {})
    const before = signer.ledger.history(id).map(({ txId }) => txId)
    expect(before.length).toBeLessThanOrEqual(2)
    // A daemon does not sign it, and sends nothing but what is in the journal.
    await restart({})
    await cycle()
    expect(signer.ledger.history(id)).toHaveLength(before.length)
    const told = await resign(id)
    expect(told.replaced).toBe(old.txId)
    expect(signer.ledger.history(id).map(({ txId }) => txId)).toEqual([old.txId, told.txId])
    expect(tatum.state.settled.get(id)?.map(({ txId }) => txId)).toEqual([told.txId])
    if (!death.hasCome()) {
      // Poll, approval, blockhash, ledger, journal, send, look, journal, broadcast, journal.
      expect(dieAt).toBe(2 * 10 + 1)
      return
    }
    await end()
    await start()
  }
}, 60_000)

/** Poll, approval, blockhash: the ledger's write is the fourth step, and it is done. */
const deathAfterSigning = 2 * 4

async function start(): Promise<void> {
  folder = mkdtempSync(join(tmpdir(), 'kms-resign-'))
  cpSync(template, folder, { recursive: true })
  tatum = startFakeTatum({ network: 'mainnet' })
  signer = startSigner(folder)
  await startOn(immortal)
}

async function end(): Promise<void> {
  signer[Symbol.dispose]()
  await front[Symbol.asyncDispose]()
  await tatum.stop()
  rmSync(folder, { recursive: true })
}

async function startOn(death: Death): Promise<void> {
  front = await startFront(folder, tatum, signer, { http: death.http })
  deps = {
    ...front.deps,
    journal: death.journal(front.deps.journal),
    chains: ['SOL', 'XRP'],
  }
}

type Order = { readonly cancel?: string; readonly resign?: string }

async function restart(order: Order, { keepJournal = true, death = immortal } = {}): Promise<void> {
  signer[Symbol.dispose]()
  await front[Symbol.asyncDispose]()
  if (!keepJournal) {
    for (const end of ['', '-wal', '-shm']) {
      rmSync(join(folder, `payments.sqlite${end}`), { force: true })
    }
  }
  signer = startSigner(folder, { ...order, wrapLedger: death.ledger })
  await startOn(death)
}

/** A payment that a daemon has signed, and that the network did not take in time. */
async function expire(): Promise<{ readonly id: string; readonly old: SignedRow }> {
  const id = tatum.queue(solPayment(1))
  tatum.stopMining()
  await cycle()
  tatum.mine()
  const old = await deps.journal.find(id)
  expect(old).toMatchObject({ state: 'expired', reported: 'expired' })
  return { id, old: old as SignedRow }
}

/** Signed, and then cut off. */
async function signOnly(): Promise<void> {
  const { record } = deps.journal
  const journal: typeof deps.journal = {
    ...deps.journal,
    async record(row) {
      const recorded = await record(row)
      if (row.state === 'signed') throw new Error('cut off')
      return recorded
    },
  }
  await runOnce({ ...deps, journal }, endings).catch(() => {})
}

function cycle(): Promise<CycleReport> {
  return runOnce(deps, endings)
}

/** In a signer that was started for it, as the command does. */
async function resign(id: string): Promise<Resigned> {
  await restart({ resign: id })
  return await resignPayment(deps, id, never)
}

function requests(route: FakeRoute) {
  return tatum.state.requests.filter(request => request.route === route)
}

function countOf(route: FakeRoute): number {
  return requests(route).length
}

function faultOf(work: Promise<unknown>): Promise<unknown> {
  return work.catch((thrown: unknown) => thrown)
}
