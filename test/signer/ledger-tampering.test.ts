import { Database } from 'bun:sqlite'
import { afterAll, describe, expect, test } from 'bun:test'
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import type { Decision } from '../../src/signer/decisions.ts'
import { type LedgerEntry, openLedger } from '../../src/signer/ledger.ts'
import { readLedger } from '../../src/signer/read-ledger.ts'
import { refusalOf, secretOf } from '../support/secret.ts'

// Somebody who can write to the ledger, and has not the password: no row of any table can be
// changed, added, left out, moved or put in another order.

const numRuns = Number(process.env['FC_NUM_RUNS'] ?? 100)
const auditKey = secretOf(new Uint8Array(32).fill(1))
const folder = mkdtempSync(join(tmpdir(), 'kms-tampering-'))
const original = join(folder, 'original')
makeLedger()
let made = 0

afterAll(() => rmSync(folder, { recursive: true }))

type Cell = string | number | Uint8Array | null
type Table = Record<string, Cell>[]
type Tables = Record<string, Table>

const tables = ['commits', 'signed', 'claims', 'decisions'] as const
const before = readTables(original)

test('an untouched copy is believed', () => {
  const path = copy()
  writeTables(path, before)
  using reader = readLedger(path, auditKey)
  expect(reader.summary).toMatchObject({ signed: 5, decisions: 4, head: { number: 5n } })
})

describe('a ledger is refused after', () => {
  const anyTable = fc.constantFrom(...tables)
  const at = fc.nat({ max: 1_000 })

  test('any cell was changed', () => {
    holds(
      anyTable.chain(table =>
        fc.tuple(fc.constant(table), at, at, fc.oneof(otherText, otherNumber, fc.constant(null))),
      ),
      ([table, row, column, value], changed) => {
        const cells = pick(changed[table], row)
        const name = pick(Object.keys(cells), column)
        const was = cells[name]
        if (typeof was === 'string' || was === null) cells[name] = otherCell(was, value)
        else if (typeof was === 'number')
          cells[name] = was + (typeof value === 'number' ? value : 1)
        else cells[name] = flipped(was ?? null)
      },
    )
  })

  test('any row was left out', () => {
    holds(fc.tuple(anyTable, at), ([table, row], changed) => {
      changed[table]?.splice(row % (changed[table]?.length ?? 1), 1)
    })
  })

  test('any row was written again under another name', () => {
    holds(fc.tuple(anyTable, at, at), ([table, row, place], changed) => {
      const rows = changed[table] ?? []
      const again = { ...pick(rows, row) }
      if ('pending_id' in again) again['pending_id'] = table === 'claims' ? other(again) : 'new'
      if (table === 'commits') again['number'] = rows.length + 1
      rows.splice(place % (rows.length + 1), 0, again)
    })
  })

  test('two rows have changed their places', () => {
    // The order of commits is their number, and claims are in none.
    holds(
      fc.tuple(fc.constantFrom('signed', 'decisions'), at, at),
      ([table, one, two], changed) => {
        const rows = changed[table] ?? []
        const [i, j] = [one % rows.length, two % rows.length]
        const [a, b] = [rows[i], rows[j]]
        if (a === undefined || b === undefined) return
        rows[i] = b
        rows[j] = a
      },
    )
  })

  test('a row was moved to another commit', () => {
    holds(fc.tuple(fc.constantFrom('signed', 'decisions'), at, at), ([table, row, to], changed) => {
      const cells = pick(changed[table], row)
      cells['commit_number'] = 1 + (to % 5)
    })
  })

  test('a row was moved to another kind', () => {
    holds(fc.tuple(fc.boolean(), at, at), ([isSigned, row, place], changed) => {
      const [from, to] = isSigned ? ['signed', 'decisions'] : ['decisions', 'signed']
      const [moved] = changed[from]?.splice(row % (changed[from]?.length ?? 1), 1) ?? []
      const target = changed[to] ?? []
      // What the two kinds have in common stays; the rest is that of a row beside it.
      const like = pick(target, place)
      const kept = Object.keys(like).filter(name => moved !== undefined && name in moved)
      const cells = Object.fromEntries(kept.map(name => [name, moved?.[name] ?? null]))
      target.push({ ...like, ...cells })
    })
  })

  test('claims were exchanged', () => {
    holds(
      fc.tuple(at, at, fc.constantFrom('pending_id', 'released_by')),
      ([i, j, name], changed) => {
        const [a, b] = [pick(changed['claims'], i), pick(changed['claims'], j)]
        const [was, is] = [a[name] ?? null, b[name] ?? null]
        a[name] = is
        b[name] = was
      },
    )
  })
})

/** Tampers with a copy at random; unless that comes to nothing, nobody believes the copy any more. */
function holds<T>(arbitrary: fc.Arbitrary<T>, tamper: (how: T, changed: Tables) => void): void {
  fc.assert(
    fc.property(arbitrary, how => {
      const changed = structuredClone(before)
      tamper(how, changed)
      if (Bun.deepEquals(changed, before)) return
      const path = copy()
      // What the tables themselves do not take is no danger.
      if (!writeTables(path, changed)) return
      expect(refusalOf(() => readLedger(path, auditKey)).code).toBe('vault-damaged')
      expect(refusalOf(() => openLedger(path, auditKey)).code).toBe('vault-damaged')
    }),
    { numRuns },
  )
}

const otherText = fc.string()
const otherNumber = fc.integer({ min: 1, max: 100 })

function otherCell(was: string | null, value: Cell): Cell {
  if (was === null) return typeof value === 'string' ? value : null
  return typeof value === 'string' && value !== was ? value : `${was} `
}

function flipped(bytes: Cell): Cell {
  return bytes instanceof Uint8Array ? bytes.map((byte, i) => (i === 0 ? byte ^ 1 : byte)) : bytes
}

function other({ pending_id: id }: Record<string, Cell>): Cell {
  return before['signed']?.map(row => row['pending_id'] ?? null).find(found => found !== id) ?? null
}

function pick<T>(list: readonly T[] | undefined, at: number): T {
  const found = list?.[at % list.length]
  if (found === undefined) throw new Error('nothing to pick from')
  return found
}

/** Five commits: signatures, decisions, both, a cancellation that releases, a payment in its place. */
function makeLedger(): void {
  using ledger = openLedger(original, auditKey)
  ledger.commit([entry(1), entry(2)])
  ledger.commit([], [decision(1), decision(2)])
  ledger.commit([entry(3)], [decision(3), decision(4)])
  const cancelled = { txData: '', txId: '', claims: [], releases: ['output/1:0'] }
  ledger.commit([{ ...entry(1), pendingId: `cancel/${entry(1).pendingId}`, ...cancelled }])
  ledger.commit([{ ...entry(4), claims: ['nonce/0xaa/2'], releases: ['nonce/0xaa/2'] }])
}

function entry(n: number): LedgerEntry {
  return {
    pendingId: `${n}`.padStart(24, '0'),
    chain: 'ETH',
    network: 'mainnet',
    serializedHash: new Uint8Array(32).fill(n),
    txData: `0x${n}`,
    txId: `id ${n}`,
    facts: { kind: 'transfer', n },
    claims: [`nonce/0xaa/${n}`, `output/${n}:0`],
    signedAt: 1_700_000_000_000 + n,
  }
}

function decision(n: number): Decision {
  const { pendingId, chain, network, serializedHash } = entry(n)
  return {
    ...{ pendingId, chain, network, serializedHash },
    what: n % 2 === 0 ? 'refused' : 'denied-by-approver',
    code: 'approver-denied',
    reason: `reason ${n}`,
    digest: n % 2 === 0 ? null : 'ab',
    by: n % 2 === 0 ? [] : ['one', 'other'],
    decidedAt: 1_700_000_000_100 + n,
  }
}

function copy(): string {
  const path = join(folder, `copy-${made++}`)
  copyFileSync(original, path)
  return path
}

function readTables(path: string): Tables {
  const db = new Database(path)
  // One file from here on: what copies are made of.
  db.run('PRAGMA wal_checkpoint(TRUNCATE)')
  const order = { commits: 'number', signed: 'rowid', claims: 'claim', decisions: 'rowid' }
  const rows = tables.map(name => {
    const found = db.query<Record<string, Cell>, []>(
      `SELECT * FROM ${name} ORDER BY ${order[name]}`,
    )
    return [name, found.all()] as const
  })
  db.close()
  return Object.fromEntries(rows)
}

/** False where the tables refuse what is to be in them. */
function writeTables(path: string, content: Tables): boolean {
  const db = new Database(path)
  try {
    for (const rule of ['foreign_keys', 'synchronous']) db.run(`PRAGMA ${rule} = OFF`)
    db.transaction(() => {
      for (const name of tables) {
        db.run(`DELETE FROM ${name}`)
        for (const row of content[name] ?? []) {
          const marks = Object.keys(row).fill('?').join(', ')
          db.run(`INSERT INTO ${name} (${Object.keys(row).join(', ')}) VALUES (${marks})`, [
            ...Object.values(row),
          ])
        }
      }
    })()
    return true
  } catch {
    return false
  } finally {
    db.close()
  }
}
