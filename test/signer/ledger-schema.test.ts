import { Database } from 'bun:sqlite'
import { afterAll, describe, expect, test } from 'bun:test'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type LedgerEntry, openLedger } from '../../src/signer/ledger.ts'
import { readLedger } from '../../src/signer/read-ledger.ts'
import { refusalOf, secretOf } from '../support/secret.ts'

// Somebody who can write to the ledger, and leaves every row as it is: what looks rows up, or stores
// them, must not be made to miss one.

const auditKey = secretOf(new Uint8Array(32).fill(1))
const folder = mkdtempSync(join(tmpdir(), 'kms-schema-'))
let made = 0

afterAll(() => rmSync(folder, { recursive: true }))

describe('a ledger whose rows are all there is refused with', () => {
  test.each<readonly [string, string]>([
    ['a trigger that swallows rows', trigger('BEFORE INSERT ON signed')],
    ['a trigger on another table', trigger('BEFORE DELETE ON nonces')],
    ['a view', 'CREATE VIEW other AS SELECT * FROM signed'],
    ['a table more', 'CREATE TABLE other (a)'],
    ['statistics of an index', 'ANALYZE'],
    ['an index more', 'CREATE INDEX other ON signed (tx_id)'],
    ['an index less', 'DROP INDEX claims_held'],
    [
      'an index of the same name over fewer rows',
      `DROP INDEX claims_of_payment;
       CREATE INDEX claims_of_payment ON claims (pending_id) WHERE released_by IS NULL`,
    ],
    ['a column more', 'ALTER TABLE signed ADD COLUMN other TEXT'],
    ['another column of the same name', 'ALTER TABLE signed RENAME COLUMN facts TO other'],
  ])('%s', (_name, change) => {
    const path = newLedger()
    withDatabase(path, db => db.run(change))
    expect(refused(path)).toEqual(Array(2).fill(`${damaged} it has other ${others}`))
  })

  test.each([
    'sqlite_autoindex_signed_1',
    'signed_by_time',
    'claims_held',
    'claims_released',
    'claims_of_payment',
    'decisions_of_payment',
    'decisions_by_time',
  ])('a row that %s does not list', index => {
    const path = newLedger()
    loseFirst(path, index)
    expect(refused(path)).toEqual(Array(2).fill(`${damaged} its tables and indexes do not agree`))
  })
})

describe('a row that is not stored', () => {
  test.each(['commits', 'signed', 'claims', 'decisions'])('in %s fails its commit', table => {
    const path = newLedger()
    using ledger = openLedger(path, auditKey)
    withDatabase(path, db => db.run(trigger(`BEFORE INSERT ON ${table}`)))
    const refusal = refusalOf(() => ledger.commit([entry(3)], [decision(4)]))
    expect(refusal).toMatchObject({
      code: 'vault-damaged',
      message: 'the ledger did not store a row',
    })
    expect(ledger.find(entry(3).pendingId)).toBeUndefined()
    expect(ledger.commits()).toBe(2)
  })
})

const damaged = 'vault-damaged: the ledger is damaged:'
const others = 'tables, indexes or triggers than it was made with'

/** What opening it to sign, and to read, come to. */
function refused(path: string): readonly string[] {
  return [openLedger, readLedger].map(open => {
    const { code, message } = refusalOf(() => open(path, auditKey))
    return `${code}: ${message}`
  })
}

function trigger(event: string): string {
  return `CREATE TRIGGER other ${event} BEGIN SELECT RAISE(IGNORE); END`
}

/**
 * Leaves the first entry out of an index that fits on one page (https://sqlite.org/fileformat2.html,
 * 1.6): SQLite itself would not do it.
 */
function loseFirst(path: string, index: string): void {
  const file = readFileSync(path)
  const pageSize = file.readUInt16BE(16)
  const page = file.subarray((rootOf(path, index) - 1) * pageSize).subarray(0, pageSize)
  const entries = page.readUInt16BE(3)
  if (page[0] !== leafOfIndex || entries === 0) throw new Error('no page of an index')
  page.writeUInt16BE(entries - 1, 3)
  page.copyWithin(8, 10, 8 + 2 * entries)
  writeFileSync(path, file)
}

const leafOfIndex = 0x0a

function rootOf(path: string, index: string): number {
  using db = new Database(path)
  const found = db
    .query<{ rootpage: number }, [string]>('SELECT rootpage FROM sqlite_schema WHERE name = ?')
    .get(index)
  return found?.rootpage ?? 0
}

function newLedger(): string {
  const path = join(folder, `ledger-${made++}`)
  using ledger = openLedger(path, auditKey)
  ledger.commit([entry(1), entry(2)], [decision(1), decision(2)])
  const cancelled = { txData: '', txId: '', claims: [], releases: ['output/1:0'] }
  ledger.commit([{ ...entry(1), pendingId: `cancel/${entry(1).pendingId}`, ...cancelled }])
  return path
}

function withDatabase(path: string, work: (db: Database) => void): void {
  const db = new Database(path)
  try {
    work(db)
  } finally {
    db.close()
  }
}

function entry(n: number): LedgerEntry {
  return {
    pendingId: `${n}`.padStart(24, '0'),
    chain: 'BTC',
    network: 'mainnet',
    serializedHash: new Uint8Array(32).fill(n),
    txData: '00',
    txId: `id ${n}`,
    facts: {},
    claims: [`output/${n}:0`],
    signedAt: 1_700_000_000_000,
  }
}

function decision(n: number) {
  const { pendingId, chain, network, serializedHash } = entry(n)
  const about = {
    pendingId,
    chain,
    network,
    serializedHash,
    what: 'refused',
    reason: 'no',
  } as const
  return { ...about, code: 'transaction-refused', digest: null, by: [], decidedAt: 1 } as const
}
