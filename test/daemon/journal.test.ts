import { Database } from 'bun:sqlite'
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { KmsError } from '../../src/base/errors.ts'
import type {
  Journal,
  JournalScope,
  PaymentFilter,
  PaymentRow,
  PaymentState,
} from '../../src/daemon/journal.ts'
import { openJournal, readJournal } from '../../src/daemon/journal-sqlite.ts'
import { type JournalStore, journalBackends } from '../support/journals.ts'

setDefaultTimeout(30_000)

const folder = mkdtempSync(join(tmpdir(), 'kms-journal-'))
let made = 0
let clock = 0

afterAll(() => rmSync(folder, { recursive: true }))

const seen: PaymentRow = {
  pendingId: 'a1',
  chain: 'ETH',
  state: 'seen',
  contents: 'c0',
  withdrawalId: 'é\u2028',
  lane: null,
  txData: null,
  txId: null,
  finalData: null,
  finalId: null,
  arrivalData: null,
  replacedId: null,
  code: null,
  reason: null,
  reported: null,
}
const scope: JournalScope = { vaultId: '00'.repeat(16), network: 'mainnet' }

describe.each(journalBackends)('the journal in $name', ({ start }) => {
  let backend: Awaited<ReturnType<typeof start>>
  const store = (): Promise<JournalStore> => backend.make()
  beforeAll(async () => {
    backend = await start()
  }, 60_000)
  afterAll(() => backend[Symbol.asyncDispose]())

  test('gives back what it was given, also after it was closed', async () => {
    const kept = await store()
    const first = await open(kept)
    await first.record(seen)
    expect(await first.find('a1')).toEqual(seen)
    await first.close()
    const second = await open(kept)
    expect(await second.find('a1')).toEqual(seen)
    expect(await second.find('a2')).toBeUndefined()
    await second.close()
  })

  test('replaces a row whole', async () => {
    const journal = await open(await store())
    await journal.record({ ...seen, reason: 'the approver said no', state: 'denied' })
    const signed: PaymentRow = { ...seen, state: 'signed', txData: '0x02', txId: '0xid' }
    await journal.record(signed)
    expect(await journal.find('a1')).toEqual(signed)
    await journal.close()
  })

  test('knows which payments may not have arrived, the oldest first', async () => {
    const journal = await open(await store())
    for (const [id, state] of [
      ['c', 'signed'],
      ['a', 'sent'],
      ['b', 'signed'],
      ['d', 'seen'],
      ['e', 'denied'],
      ['f', 'refused'],
      ['h', 'finished'],
      ['i', 'expired'],
      ['j', 'arrived'],
    ] as const) {
      await journal.record({ ...seen, pendingId: id, state, txData: '0x' })
    }
    await journal.record({ ...seen, pendingId: 'g', chain: 'BTC', state: 'signed', txData: '0x' })
    expect(await unsentIn(journal, 'ETH')).toEqual(['c', 'b', 'h', 'j'])
    expect(await unsentIn(journal, 'BTC')).toEqual(['g'])
    await journal.record({ ...seen, pendingId: 'k', chain: 'ADA' })
    expect(await journal.unsentChains()).toEqual(['BTC', 'ETH'])
    await journal.close()
  })

  test('knows which payments went out long ago and are not known to have arrived', async () => {
    const journal = await open(await store())
    const from = clock
    for (const [id, state] of [
      ['a', 'sent'],
      ['b', 'done'],
      ['c', 'signed'],
      ['d', 'sent'],
      ['e', 'cancelled'],
      ['f', 'sent'],
    ] as const) {
      await journal.record({ ...seen, pendingId: id, state, txData: '0x' })
    }
    await journal.record({ ...seen, pendingId: 'g', chain: 'BTC', state: 'sent', txData: '0x' })
    const outUntil = async (time: number) =>
      (await journal.outUntil(time, 'ETH')).map(({ pendingId }) => pendingId)
    expect(await outUntil(from - 1)).toEqual([])
    expect(await outUntil(from + 3)).toEqual(['a', 'd', 'c'])
    // Sent once more: it is among the young again.
    await journal.record({ ...seen, pendingId: 'a', state: 'sent', txData: '0x' })
    expect(await outUntil(from + 3)).toEqual(['d', 'c'])
    expect(await outUntil(clock)).toEqual(['d', 'f', 'a', 'c'])
    expect(await Promise.all(['ETH', 'BTC', 'ADA'].map(journal.hasSent))).toEqual([
      ...[true, true, false],
    ])
    await journal.close()
  })

  test('asks after every sender, however many payments of others were never taken', async () => {
    const journal = await open(await store())
    const row = (pendingId: string, state: PaymentState, lane: string): PaymentRow => ({
      ...{ ...seen, pendingId, state, lane, txData: '0x' },
    })
    const rows = [
      ...Array.from({ length: 600 }, (_, n) => row(`stuck${n}`, 'signed', 'of one')),
      ...Array.from({ length: 600 }, (_, n) => row(`untaken${n}`, 'sent', 'of another')),
    ]
    await Promise.all([...rows, row('last', 'sent', 'of a third')].map(journal.record))
    await journal.record(row('late', 'signed', 'of a third'))
    const found = (await journal.outUntil(clock, 'ETH')).map(({ pendingId }) => pendingId)
    expect(found).toHaveLength(500)
    expect(found.slice(0, 3)).toEqual(['untaken0', 'last', 'untaken1'])
    await journal.close()
  })

  test('never lets a payment that is cancelled become anything else', async () => {
    const journal = await open(await store())
    const signed = { txData: '0x02', txId: '0xid' } as const
    const cancelled: PaymentRow = { ...seen, ...signed, state: 'cancelled', reason: 'so it is' }
    await journal.record(cancelled)
    for (const state of ['seen', 'signed', 'sent', 'done', 'refused'] as const) {
      await journal.record({ ...seen, ...signed, state })
    }
    expect(await journal.find('a1')).toEqual(cancelled)
    const reported = { ...cancelled, reported: 'cancelled' }
    await journal.record(reported)
    expect(await journal.find('a1')).toEqual(reported)
    await journal.close()
  })

  test('is read by others while it is written, with times and without bytes', async () => {
    const kept = await store()
    const journal = await open(kept)
    const from = clock
    await journal.record(seen)
    await journal.record({ ...seen, pendingId: 'b1', chain: 'BTC', reason: 'because' })
    const final = { finalData: '0xsecond', finalId: '0xlast' }
    const signed = { ...seen, txData: '0xfirst', txId: '0xid' }
    await journal.record({ ...signed, state: 'signed' })
    await journal.record({ ...signed, ...final, state: 'sent' })
    const [first, second, ...rest] = await kept.read({})
    expect(rest).toEqual([])
    const network = 'mainnet'
    const common = { pendingId: 'a1', chain: 'ETH', network, reason: null }
    const times = { seenAt: from, changedAt: from + 3 }
    expect(first).toEqual({ ...common, state: 'sent', txId: '0xlast', ...times })
    expect(second).toMatchObject({ pendingId: 'b1', txId: null, reason: 'because' })
    const idsOf = async (filter: PaymentFilter) =>
      (await kept.read(filter)).map(({ pendingId }) => pendingId)
    expect(await idsOf({ state: 'seen' })).toEqual(['b1'])
    expect(await idsOf({ chains: ['ETH', 'DOGE'] })).toEqual(['a1'])
    expect(await idsOf({ chains: ['ETH', 'BTC'], state: 'sent' })).toEqual(['a1'])
    expect(await idsOf({ pendingId: "' OR '1'='1" })).toEqual([])
    await journal.close()
    expect(await idsOf({ pendingId: 'b1' })).toEqual(['b1'])
  })

  test('of one vault and network does not see the rows of another', async () => {
    const kept = await store()
    const scopes: readonly JournalScope[] = [
      scope,
      { ...scope, network: 'testnet' },
      { ...scope, vaultId: '11'.repeat(16) },
    ]
    for (const [i, own] of scopes.entries()) {
      const journal = await open(kept, own)
      expect(await journal.find('a1')).toBeUndefined()
      expect(await journal.unsent('ETH')).toEqual([])
      await journal.record({ ...seen, state: 'signed', txData: `0x${i}`, txId: 'x' })
      await journal.close()
    }
    for (const [i, own] of scopes.entries()) {
      const journal = await open(kept, own)
      expect((await journal.find('a1'))?.txData).toBe(`0x${i}`)
      expect(await unsentIn(journal, 'ETH')).toEqual(['a1'])
      await journal.close()
    }
  })

  test('never takes bytes away from a row, or gives it others', async () => {
    const journal = await open(await store())
    const signed: PaymentRow = { ...seen, state: 'signed', txData: '0x02', txId: '0xid' }
    await journal.record(signed)
    await journal.record({ ...seen, state: 'refused', reason: 'somebody was late' })
    await journal.record({ ...signed, txData: '0x03' })
    expect(await journal.find('a1')).toEqual(signed)
    await journal.record({ ...signed, state: 'sent' })
    expect(await journal.find('a1')).toEqual({ ...signed, state: 'sent' })
    await journal.close()
  })

  test('never takes final bytes away from a row, or gives it others', async () => {
    const journal = await open(await store())
    const signed: PaymentRow = { ...seen, state: 'signed', txData: '0x02', txId: '0xid' }
    const final = { finalData: '0x02ff', finalId: '0xfinal' }
    const finished: PaymentRow = { ...signed, ...final, state: 'finished' }
    for (const row of [signed, finished, signed]) await journal.record(row)
    await journal.record({ ...finished, finalData: '0x02fe' })
    expect(await journal.find('a1')).toEqual(finished)
    await journal.record({ ...finished, state: 'sent' })
    expect(await journal.find('a1')).toEqual({ ...finished, state: 'sent' })
    await journal.close()
  })

  test('never lets a payment that has arrived expire, or forget what Tatum is told of it', async () => {
    const journal = await open(await store())
    const signed: PaymentRow = { ...seen, state: 'signed', txData: '0x02', txId: '0xid' }
    const arrived: PaymentRow = { ...signed, state: 'arrived', arrivalData: '0xid' }
    await journal.record(arrived)
    await journal.record({ ...arrived, state: 'expired' })
    await journal.record({ ...signed, state: 'sent' })
    await journal.record({ ...arrived, arrivalData: '0xother' })
    expect(await journal.find('a1')).toEqual(arrived)
    await journal.record({ ...arrived, state: 'sent' })
    expect(await journal.find('a1')).toEqual({ ...arrived, state: 'sent' })
    await journal.close()
  })

  test('answers the row as it stands where it did not write the one that it was given', async () => {
    const journal = await open(await store())
    const signed: PaymentRow = { ...seen, state: 'signed', txData: '0x02', txId: '0xid' }
    const cancelled: PaymentRow = { ...signed, pendingId: 'a2', state: 'cancelled' }
    for (const row of [signed, cancelled]) expect(await journal.record(row)).toEqual(row)
    const other = { ...signed, txData: '0x03', txId: '0xother' }
    const third = { ...signed, pendingId: 'a3' }
    const given = [other, { ...cancelled, state: 'signed' } as const, third]
    const answers = await Promise.all(given.map(journal.record))
    expect(answers).toEqual([signed, cancelled, third])
    await journal.close()
  })

  test('takes text for text, whatever it says', async () => {
    const journal = await open(await store())
    const odd = `'; DROP TABLE payments; --`
    await journal.record({ ...seen, pendingId: odd, reason: odd, chain: odd })
    expect(await journal.find(odd)).toMatchObject({ reason: odd, chain: odd })
    expect(await journal.find(`' OR '1'='1`)).toBeUndefined()
    await journal.close()
  })

  test('keeps what is around a zero in a text', async () => {
    const journal = await open(await store())
    await journal.record({ ...seen, withdrawalId: 'a\0b', reason: '\0' })
    const { withdrawalId = '' } = (await journal.find('a1')) ?? {}
    expect(withdrawalId).toMatch(/^a[\0\ufffd]b$/)
    await journal.close()
  })
})

describe('the journal in SQLite', () => {
  test('writes rows that come together at once, and a row that comes twice in its order', async () => {
    const journal = await openJournal(newPath(), scope, () => clock++)
    const ids = Array.from({ length: 1_200 }, (_, n) => `p${n}`)
    const signed = { state: 'signed', txData: '0x02', txId: '0xid' } as const
    await Promise.all([
      ...ids.map(pendingId => journal.record({ ...seen, pendingId })),
      ...ids.map(pendingId => journal.record({ ...seen, ...signed, pendingId })),
    ])
    expect(await unsentIn(journal, 'ETH')).toEqual(ids)
    await journal.close()
  })

  test('writes before it answers: the row is there for another reader', async () => {
    const path = newPath()
    const journal = await openJournal(path, scope, () => clock++)
    await journal.record(seen)
    const db = new Database(path)
    expect(db.query('SELECT pending_id, state FROM payments').all()).toEqual([
      { pending_id: 'a1', state: 'seen' },
    ])
    expect(db.query('PRAGMA journal_mode').get()).toEqual({ journal_mode: 'wal' })
    db.close()
    await journal.close()
  })

  test('says so when it cannot be written', async () => {
    const path = newPath()
    const journal = await openJournal(path, scope, () => clock++)
    const other = new Database(path)
    other.run('BEGIN IMMEDIATE')
    await expectDiskFault(journal.record(seen))
    other.run('ROLLBACK')
    other.run('DROP TABLE payments')
    await expectDiskFault(journal.find('a1'))
    await expectDiskFault(journal.unsent('ETH'))
    other.close()
    await journal.close()
  }, 15_000)

  test('that is not one, or cannot be made, is a fault with a reason', async () => {
    const path = newPath()
    writeFileSync(path, 'not a database, but long enough to look at'.repeat(100))
    await expectDiskFault(openJournal(path, scope, () => clock++))
    await expectDiskFault(readJournal(join(folder, 'none'), {}))
    await expectDiskFault(openJournal(join(folder, 'no/such/folder'), scope, () => clock++))
  })
})

function newPath(): string {
  return join(folder, `journal-${made++}`)
}

function open(store: JournalStore, own = scope): Promise<Journal> {
  return store.open(own, () => clock++)
}

async function unsentIn(journal: Journal, chain: string): Promise<readonly string[]> {
  return (await journal.unsent(chain)).map(({ pendingId }) => pendingId)
}

async function expectDiskFault(work: Promise<unknown>): Promise<void> {
  const fault = await work.catch((thrown: unknown) => thrown)
  expect(fault).toBeInstanceOf(KmsError)
  expect(fault).toMatchObject({ code: 'disk' })
}
