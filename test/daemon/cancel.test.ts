import { afterAll, afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseTransaction } from 'viem'
import type { Chain } from '../../src/chains/chain.ts'
import { type Cancelled, cancelPayment } from '../../src/daemon/cancel.ts'
import { runOnce } from '../../src/daemon/daemon.ts'
import type { CycleReport } from '../../src/daemon/run.ts'
import { closingWallets, solPayment, xrpPayment } from '../support/closing-payments.ts'
import { createDeath, type Death, immortal } from '../support/death.ts'
import { type FakeTatum, startFakeTatum } from '../support/fake-tatum.ts'
import { type InProcessFront, startFront } from '../support/in-process-front.ts'
import { type InProcessSigner, startSigner } from '../support/in-process-signer.ts'
import { btcPayment, ethAddress, ethPayment, pendingIdOf, wallets } from '../support/payments.ts'
import { storeWallets } from '../support/test-vault.ts'

const template = mkdtempSync(join(tmpdir(), 'kms-cancel-'))
await storeWallets(template, [...Object.values(wallets), ...Object.values(closingWallets)])
afterAll(() => rmSync(template, { recursive: true }))

const never = new AbortController().signal
const endings = { stop: never, abort: never }
const report = 'cancelled by its owner: it is not signed or sent any more'

let folder: string
let tatum: FakeTatum
let signer: InProcessSigner
let front: InProcessFront

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'kms-cancel-'))
  cpSync(template, folder, { recursive: true })
  tatum = startFakeTatum({ network: 'mainnet', nonces: { [ethAddress]: 5 } })
  tatum.stopMining()
  signer = startSigner(folder)
  front = mortal(await startFront(folder, tatum, signer), immortal)
})

afterEach(async () => {
  signer[Symbol.dispose]()
  await front[Symbol.asyncDispose]()
  await tatum.stop()
  rmSync(folder, { recursive: true })
})

test('a payment that is cancelled while it is signed is not sent', async () => {
  const id = tatum.queue(ethPayment(1))
  const { journal, askToSign } = front.deps
  const deps: typeof front.deps = {
    ...front.deps,
    async askToSign(payment) {
      const answer = await askToSign(payment)
      const row = await journal.find(id)
      if (row !== undefined) await journal.record({ ...row, state: 'cancelled' })
      return answer
    },
  }
  expect(await runOnce(deps, endings)).toMatchObject({ failures: ['transaction-refused'] })
  expect(tatum.state.broadcasts.size).toBe(0)
})

describe('a payment that was sent and is in no block', () => {
  test('is replaced, journaled, reported, and never sent or signed again', async () => {
    const id = tatum.queue(ethPayment(1))
    await cycle()
    const row = await front.deps.journal.find(id)
    const told = await cancel(id)
    const [replacement] = tatum.state.others
    expect(told).toEqual({
      id,
      chain: 'ETH',
      network: 'mainnet',
      state: 'cancelled',
      txId: row?.txId ?? '',
      replacement: replacement?.txId ?? '',
      released: [],
    })
    expect(replacement).toMatchObject({ from: [ethAddress], paid: [] })
    expect(parseTransaction(replacement?.txData as `0x${string}`).nonce).toBe(5)
    // Nothing in what goes out names the payment, which Tatum would take for paid.
    const { body } = broadcasts().at(-1) ?? {}
    expect(body).toEqual({ txData: replacement?.txData })
    expect(tatum.state.reports).toEqual([{ signatureId: id, error: report }])
    expect(await front.deps.journal.find(id)).toEqual({
      ...row,
      state: 'cancelled',
      reason: `replaced by ${replacement?.txId}`,
      reported: 'cancelled',
    } as typeof row)
  })

  test('stays cancelled after a restart, though Tatum lists it, with and without a journal', async () => {
    const id = tatum.queue(ethPayment(1))
    await cycle()
    await cancel(id)
    tatum.state.settled.delete(id)
    const before = broadcasts().length
    await restart(null)
    expect(await cycle()).toEqual({ sent: 0, uncompleted: 0, failures: [] })
    expect(front.log).toEqual([])
    await restart(null, { keepJournal: false })
    expect(await cycle()).toMatchObject({ sent: 0, failures: ['transaction-refused'] })
    expect(front.log).toMatchObject([
      { event: 'payment not sent', reason: 'this payment was cancelled by its owner' },
    ])
    expect(broadcasts()).toHaveLength(before)
    expect(tatum.state.reports).toHaveLength(1)
  })

  test('leaves its number to nobody: the next payment gets the one behind it', async () => {
    const first = tatum.queue(ethPayment(1))
    await cycle()
    await cancel(first)
    await restart(null)
    const second = tatum.queue(ethPayment(2))
    tatum.mine()
    expect(await cycle()).toMatchObject({ sent: 1, failures: [] })
    const [bytes] = tatum.state.broadcasts.get(second) ?? []
    expect(parseTransaction(bytes as `0x${string}`).nonce).toBe(6)
  })

  test('cancelled again is the same, and is reported once', async () => {
    const id = tatum.queue(ethPayment(1))
    await cycle()
    const told = await cancel(id)
    await restart(id)
    expect(await cancelPayment(front.deps, id, never)).toEqual(told)
    tatum.mine()
    expect(await cancelPayment(front.deps, id, never)).toEqual(told)
    expect(tatum.state.others).toHaveLength(1)
    expect(tatum.state.reports).toHaveLength(1)
  })

  test('is cancelled also without a journal', async () => {
    const id = tatum.queue(ethPayment(1))
    await cycle()
    await restart(id, { keepJournal: false })
    expect(await cancelPayment(front.deps, id, never)).toMatchObject({ state: 'cancelled' })
    expect(tatum.state.others).toHaveLength(1)
    expect(await front.deps.journal.find(id)).toMatchObject({ state: 'cancelled', chain: 'ETH' })
  })

  test('of a virtual account is replaced on the chain itself', async () => {
    const id = tatum.queue({ ...ethPayment(1), withdrawalId: 'w1' })
    await cycle()
    await cancel(id)
    expect(broadcasts().map(({ path }) => path)).toEqual([
      '/v3/offchain/withdrawal/broadcast',
      '/v3/ethereum/broadcast',
    ])
    expect(tatum.state.others).toHaveLength(1)
  })
})

describe('a payment that was not delivered', () => {
  test('is replaced, and its own bytes do not go out any more', async () => {
    const id = tatum.queue(ethPayment(1))
    tatum.fail('broadcast', { kind: 'close-before-acting' })
    await cycle()
    tatum.heal()
    await cancel(id)
    tatum.mine()
    await restart(null)
    expect(await cycle()).toEqual({ sent: 0, uncompleted: 0, failures: [] })
    expect(tatum.state.broadcasts.size).toBe(0)
    expect(tatum.state.others).toHaveLength(1)
  })
})

describe('a payment that is given up', () => {
  test.each([
    ['XRP', xrpPayment(1, 7), xrpPayment(2, 7), 'sequence/rJSwo2hwCyWcuRbrGA4Cq8UESYqeE4GSFJ/7'],
    ['BTC', btcPayment(1), btcPayment(2, {}, 1), `output/${'1'.padStart(64, '0')}:0`],
  ])('of %s never arrives, and one with what it had is paid', async (chain, given, next, claim) => {
    const ids = [tatum.queue(given), tatum.queue(next)] as const
    tatum.fail('broadcast', { kind: 'close-before-acting' })
    await cycle()
    tatum.heal()
    const row = await front.deps.journal.find(ids[0])
    const told = { id: ids[0], chain, network: 'mainnet', state: 'cancelled' } as const
    const released = [claim]
    for (const _ of [1, 2]) {
      expect(await cancel(ids[0])).toEqual({
        ...told,
        txId: row?.txId ?? '',
        replacement: null,
        released,
      })
    }
    expect(await front.deps.journal.find(ids[0])).toEqual({
      ...row,
      state: 'cancelled',
      reason: 'given up: its bytes may still arrive',
      reported: 'cancelled',
    } as typeof row)
    await restart(null)
    expect(await cycle()).toMatchObject({ sent: 1 })
    await restart(null, { keepJournal: false })
    await cycle()
    expect([...tatum.state.broadcasts.keys()]).toEqual([ids[1]])
    expect(tatum.state.settled.get(ids[1])).toHaveLength(1)
    const mine = tatum.state.reports.filter(({ signatureId }) => signatureId === ids[0])
    expect(mine).toEqual([{ signatureId: ids[0], error: report }])
    expect(tatum.state.others).toEqual([])
  })

  test('keeps what it has when its chain counts and has no replacements', async () => {
    const id = tatum.queue(ethPayment(1))
    tatum.fail('broadcast', { kind: 'close-before-acting' })
    await cycle()
    tatum.heal()
    const wrapChain = ({ numbering: _, ...chain }: Chain): Chain => chain
    await restart(id, { wrapChain })
    const findChain = (name: string) => {
      const chain = front.deps.findChain(name)
      return chain && wrapChain(chain)
    }
    const deps = { ...front.deps, findChain }
    expect(await faultOf(cancelPayment(deps, id, never))).toMatchObject({
      code: 'transaction-refused',
      message: 'a payment of Ethereum that was signed cannot be cancelled',
    })
    expect(tatum.state.reports).toEqual([])
    await restart(null)
    expect(await cycle()).toMatchObject({ sent: 1, failures: [] })
  })

  test('cannot be one that the network has', async () => {
    tatum.mine()
    const id = tatum.queue(solPayment(1))
    tatum.fail('broadcast', { kind: 'close-before-acting' })
    await cycle()
    tatum.heal()
    const { txId } = (await front.deps.journal.find(id)) ?? {}
    expect(await faultOf(cancel(id))).toMatchObject({
      code: 'transaction-refused',
      message: `the payment cannot be cancelled: it has arrived (see ${txId})`,
    })
    expect(signer.ledger.cancellation(id)).toBeUndefined()
    await restart(null)
    expect(await cycle()).toMatchObject({ sent: 1, failures: [] })
  })

  test('killed between any two steps it is the payment, or given up', async () => {
    for (let dieAt = 1; ; dieAt++) {
      const id = tatum.queue(xrpPayment(100 + dieAt, dieAt))
      tatum.fail('broadcast', { kind: 'close-before-acting' })
      await cycle()
      tatum.heal()
      const death = createDeath(dieAt)
      await restart(id, { death })
      await cancelPayment(front.deps, id, never).catch(() => {})
      const before = await front.deps.journal.find(id)
      expect(await cancel(id)).toMatchObject({ state: 'cancelled', txId: before?.txId ?? '' })
      await restart(null)
      const next = tatum.queue(xrpPayment(200 + dieAt, dieAt))
      expect(await cycle()).toMatchObject({ sent: 1, failures: [] })
      expect(tatum.state.settled.has(id)).toBe(false)
      expect(tatum.state.settled.get(next)).toHaveLength(1)
      if (death.hasCome()) continue
      // Ledger, journal, report, journal.
      expect(dieAt).toBe(2 * 4 + 1)
      return
    }
  }, 30_000)
})

describe('a payment without bytes', () => {
  test.each([
    ['ETH', ethPayment(1)],
    ['BTC', btcPayment(1)],
  ])('of %s that was denied is not asked about again', async (chain, payment) => {
    const id = tatum.queue(payment)
    tatum.onApproval(() => 403)
    await cycle()
    tatum.onApproval(() => 200)
    const told = { id, chain, network: 'mainnet', state: 'cancelled' } as const
    expect(await cancel(id)).toEqual({ ...told, txId: null, replacement: null, released: [] })
    expect(tatum.state.reports).toEqual([{ signatureId: id, error: report }])
    const asked = approvals()
    await restart(null)
    expect(await cycle()).toEqual({ sent: 0, uncompleted: 0, failures: [] })
    expect(approvals()).toBe(asked)
    expect(signer.ledger.cancellation(id)).toBeDefined()
    expect(broadcasts()).toEqual([])
  })

  test('that cannot even be read is heard of no more', async () => {
    const ids = [
      tatum.queue(btcPayment(1, { serializedTransaction: '{' })),
      tatum.queue({ ...btcPayment(2), index: 'none' }),
    ]
    await cycle()
    for (const id of ids) await cancel(id)
    tatum.state.reports.length = 0
    await restart(null)
    expect(await cycle()).toEqual({ sent: 0, uncompleted: 0, failures: [] })
    expect(front.log).toEqual([])
    expect(tatum.state.reports).toEqual([])
  })

  test('that nobody has seen is not cancelled: it may be a slip', async () => {
    expect(await faultOf(cancel(pendingIdOf(9)))).toMatchObject({
      code: 'usage',
      message: 'there is no such payment in the journal or the ledger',
    })
    expect(signer.ledger.cancellation(pendingIdOf(9))).toBeUndefined()
  })
})

describe('a payment that is in a block', () => {
  test('is not cancelled, and nothing is done', async () => {
    const id = tatum.queue(ethPayment(1))
    await cycle()
    tatum.mine()
    const { txId } = (await front.deps.journal.find(id)) ?? {}
    expect(await faultOf(cancel(id))).toMatchObject({
      code: 'transaction-refused',
      message: `the payment cannot be cancelled: its number is used on the network (see ${txId})`,
    })
    expect(signer.ledger.cancellation(id)).toBeUndefined()
    expect(await front.deps.journal.find(id)).toMatchObject({ state: 'sent' })
    expect(tatum.state.others).toEqual([])
    expect(tatum.state.reports).toEqual([])
  })
})

describe('a server in trouble', () => {
  test.each([
    ['does not count', 'rpc', 'sent'],
    ['does not say what gas costs', 'read', 'sent'],
    ['does not take the replacement', 'broadcast', 'cancelled'],
    ['does not take the report', 'report', 'cancelled'],
  ] as const)('that %s is a failure, and cancelling again goes on from there', async (...row) => {
    const [, route, state] = row
    const id = tatum.queue(ethPayment(1))
    await cycle()
    tatum.fail(route, { kind: 'answer', status: 503, body: '{}' })
    expect(await faultOf(cancel(id))).toMatchObject({ code: 'network' })
    expect(await front.deps.journal.find(id)).toMatchObject({ state })
    tatum.heal()
    expect(await cancel(id)).toMatchObject({ state: 'cancelled' })
    expect(tatum.state.others).toHaveLength(1)
    expect(tatum.state.reports).toHaveLength(1)
  })
})

test('bytes of the journal that the ledger does not have may be paid: nothing is done', async () => {
  const id = tatum.queue(ethPayment(1))
  await cycle()
  await restart(id)
  const ask: typeof front.deps.signer.ask = async question =>
    question.type === 'cancellation'
      ? ({ payment: null, replacement: null } as never)
      : front.deps.signer.ask(question)
  const deps = { ...front.deps, signer: { ...front.deps.signer, ask } }
  expect(await faultOf(cancelPayment(deps, id, never))).toMatchObject({
    code: 'transaction-refused',
    message: expect.stringContaining('they may be paid'),
  })
  expect(await front.deps.journal.find(id)).toMatchObject({ state: 'sent' })
})

function cycle(): Promise<CycleReport> {
  return runOnce(front.deps, endings)
}

/** In a signer that was started for it, as the command does. */
async function cancel(id: string): Promise<Cancelled> {
  await restart(id)
  return cancelPayment(front.deps, id, never)
}

async function restart(
  toCancel: string | null,
  {
    keepJournal = true,
    wrapChain = chain => chain,
    death = immortal,
  }: {
    readonly keepJournal?: boolean
    readonly wrapChain?: (chain: Chain) => Chain
    readonly death?: Death
  } = {},
): Promise<void> {
  signer[Symbol.dispose]()
  await front[Symbol.asyncDispose]()
  if (!keepJournal) {
    for (const end of ['', '-wal', '-shm']) {
      rmSync(join(folder, `payments.sqlite${end}`), { force: true })
    }
  }
  signer = startSigner(folder, { cancel: toCancel, wrapChain, wrapLedger: death.ledger })
  front = mortal(await startFront(folder, tatum, signer, { http: death.http }), death)
}

function mortal(made: InProcessFront, death: Death): InProcessFront {
  const journal = death.journal(made.deps.journal)
  return { ...made, deps: { ...made.deps, journal, chains: ['BTC', 'ETH', 'SOL', 'XRP'] } }
}

function broadcasts() {
  return tatum.state.requests.filter(({ route }) => route === 'broadcast')
}

function approvals(): number {
  return tatum.state.requests.filter(({ route }) => route === 'approve').length
}

function faultOf(work: Promise<unknown>): Promise<unknown> {
  return work.catch((thrown: unknown) => thrown)
}
