import { SQL } from 'bun'
import { KmsError } from '../base/errors.ts'

/** How far a payment has come. Bytes stand in the journal before they leave the machine. */
export type PaymentState = 'seen' | 'denied' | 'refused' | 'signed' | 'sent'

export type PaymentRow = {
  readonly pendingId: string
  readonly chain: string
  readonly state: PaymentState
  /** The pending transaction as Tatum sent it, in JSON. */
  readonly pending: string
  readonly txData: string | null
  readonly txId: string | null
  /** Why it is not further, in a sentence. */
  readonly reason: string | null
}

/**
 * The front's memory of payments. Losing it loses time, never money: the signer's ledger still
 * keeps every payment from being signed twice.
 */
export type Journal = {
  find(pendingId: string): Promise<PaymentRow | undefined>
  /** Inserts or replaces the payment's row, durably. */
  record(row: PaymentRow): Promise<void>
  /** Payments whose bytes may not have reached the network. */
  unsent(): Promise<readonly PaymentRow[]>
  close(): Promise<void>
}

/** Opens the journal in SQLite at `path`, making it when there is none. */
export async function openJournal(path: string, now: () => number): Promise<Journal> {
  const sql = new SQL({ adapter: 'sqlite', filename: path, create: true, readwrite: true })
  await run(sql`PRAGMA journal_mode = WAL`)
  await run(sql`PRAGMA synchronous = FULL`)
  await run(sql`
    CREATE TABLE IF NOT EXISTS payments (
      pending_id TEXT PRIMARY KEY,
      chain      TEXT NOT NULL,
      state      TEXT NOT NULL,
      pending    TEXT NOT NULL,
      tx_data    TEXT,
      tx_id      TEXT,
      reason     TEXT,
      updated_at BIGINT NOT NULL
    )`)

  return {
    async find(pendingId) {
      const rows: PaymentRow[] = await run(sql`
        SELECT pending_id AS "pendingId", chain, state, pending, tx_data AS "txData",
               tx_id AS "txId", reason
        FROM payments WHERE pending_id = ${pendingId}`)
      return rows[0]
    },
    async record({ pendingId, chain, state, pending, txData, txId, reason }) {
      await run(sql`
        INSERT INTO payments (pending_id, chain, state, pending, tx_data, tx_id, reason, updated_at)
        VALUES (${pendingId}, ${chain}, ${state}, ${pending}, ${txData}, ${txId}, ${reason}, ${now()})
        ON CONFLICT (pending_id) DO UPDATE SET
          chain = excluded.chain, state = excluded.state, pending = excluded.pending,
          tx_data = excluded.tx_data, tx_id = excluded.tx_id, reason = excluded.reason,
          updated_at = excluded.updated_at`)
    },
    unsent: () =>
      run(sql`
        SELECT pending_id AS "pendingId", chain, state, pending, tx_data AS "txData",
               tx_id AS "txId", reason
        FROM payments WHERE state = 'signed' ORDER BY updated_at`),
    close: () => sql.close(),
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
      hint: 'free space or restore access; a damaged journal may be moved away, nothing is lost',
    })
  }
}
