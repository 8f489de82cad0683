import { SQL } from 'bun'
import { KmsError } from '../base/errors.ts'
import { inBatches } from './batches.ts'
import type { Journal, JournalScope, PaymentFilter, PaymentRow, PaymentSummary } from './journal.ts'
import {
  columns,
  type Database,
  decodeRow,
  maxRows,
  notExpired,
  own,
  readSummaries,
  readsOf,
  renewing,
  replacing,
  valuesOf,
} from './journal-rows.ts'
import { alone } from './leases.ts'

/** Opens the journal in SQLite at `path`, making it when there is none. */
export async function openJournal(
  path: string,
  scope: JournalScope,
  now: () => number,
): Promise<Journal> {
  const sql = new SQL({ adapter: 'sqlite', filename: path, create: true, readwrite: true })
  const db = databaseOf(sql)
  await db.query(() => sql`PRAGMA journal_mode = WAL`)
  await db.query(() => sql`PRAGMA synchronous = FULL`)
  await db.query(() => sql`PRAGMA busy_timeout = 5000`)
  // There is no folder for temporary files that this process may write to.
  await db.query(() => sql`PRAGMA temp_store = MEMORY`)
  await createTable(db)

  const reads = readsOf(db, scope)
  const asTheyStand = (rows: readonly PaymentRow[]): Promise<readonly PaymentRow[]> =>
    Promise.all(rows.map(async row => (await reads.find(row.pendingId)) ?? row))

  return {
    ...reads,
    // A statement of SQLite takes 32,766 values.
    record: inBatches(
      async rows => {
        // All rows or none: one statement is one transaction.
        const values = rows.map(row => valuesOf(scope, row, now()))
        const written = await db.query(
          () => sql`INSERT INTO payments ${sql(values)} ${replacing(sql)} RETURNING rowid`,
        )
        return written.length === rows.length ? rows : asTheyStand(rows)
      },
      { maxItems: maxRows, gatherMs: ({ state }) => (state === 'sent' ? sentGatherMs : gatherMs) },
    ),
    async renew(row) {
      const rows = await db.query(
        () => sql`
          UPDATE payments SET ${renewing(sql, row)}, updated_at = ${now()}
          WHERE ${own(sql, scope)} AND pending_id = ${row.pendingId}
            AND state = 'expired' AND arrival_data IS NULL
          RETURNING ${columns(sql)}`,
      )
      if (rows[0] === undefined) throw notExpired()
      return { ...decodeRow(rows[0]), txData: row.txData, txId: row.txId }
    },
    nextNumber: async () => undefined,
    leases: alone,
    async forget(time, numbered) {
      const rows = await db.query(
        () => sql`
          DELETE FROM payments WHERE rowid IN (
            SELECT rowid FROM payments
            WHERE ${sql.unsafe(isOver)} AND ${own(sql, scope)} AND updated_at <= ${time}
              AND NOT (state = 'sent' AND chain IN ${sql(numbered)})
            LIMIT ${maxRows})
          RETURNING pending_id`,
      )
      return rows.length === maxRows
    },
    async probe() {
      await db.query(() => sql`PRAGMA user_version = 0`)
    },
    close: () => sql.close(),
  }
}

/** A payment takes far longer than this anyway, and a write to disk is then shared by many. */
const gatherMs = 5
/** Nobody waits for this to be written: cut off before, a payment's bytes are sent a second time. */
const sentGatherMs = 50

/** Word for word what the index is for. */
const isOver = `final_data IS NULL AND arrival_data IS NULL
  AND (state IN ('seen', 'denied', 'sent', 'done') OR (state = 'cancelled' AND reported IS NOT NULL))`

/**
 * The payments in the journal at `path`, of all its vaults and networks, in the order in which they
 * were first seen. Changes nothing: a daemon may be at work with it.
 */
export async function readJournal(
  path: string,
  filter: PaymentFilter,
): Promise<readonly PaymentSummary[]> {
  const sql = new SQL({ adapter: 'sqlite', filename: path, readonly: true })
  const db = databaseOf(sql)
  try {
    await db.query(() => sql`PRAGMA busy_timeout = 5000`)
    return await readSummaries(db, filter)
  } finally {
    await sql.close()
  }
}

function createTable(db: Database): Promise<unknown> {
  return db.query(async sql => {
    await sql`
        CREATE TABLE IF NOT EXISTS payments (
          vault_id      TEXT NOT NULL,
          network       TEXT NOT NULL,
          pending_id    TEXT NOT NULL,
          chain         TEXT NOT NULL,
          state         TEXT NOT NULL,
          contents      TEXT NOT NULL,
          withdrawal_id TEXT,
          lane          TEXT,
          tx_data       TEXT,
          tx_id         TEXT,
          final_data    TEXT,
          final_id      TEXT,
          arrival_data  TEXT,
          replaced_id   TEXT,
          code          TEXT,
          reason        TEXT,
          reported      TEXT,
          seen_at       BIGINT NOT NULL,
          updated_at    BIGINT NOT NULL,
          PRIMARY KEY (vault_id, network, pending_id)
        )`
    await sql`CREATE INDEX IF NOT EXISTS payments_by_state ON payments (state, chain)`
    await sql`
        CREATE INDEX IF NOT EXISTS payments_over ON payments (updated_at)
        WHERE ${sql.unsafe(isOver)}`
  })
}

function databaseOf(sql: SQL): Database {
  return {
    async query(ask) {
      const rows = await run(ask(sql))
      return Array.isArray(rows) ? rows : []
    },
  }
}

/** Waits for a statement; whatever stops it comes out as a fault of the disk. */
async function run<T>(statement: PromiseLike<T>): Promise<T> {
  try {
    return await statement
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown'
    throw new KmsError('disk', `the journal could not be used (${code})`, {
      cause,
      hint:
        'free space or restore access; without its journal a daemon signs nothing twice, but forgets ' +
        'what was refused, expired and reported, and final bytes',
    })
  }
}
