import { SQL } from 'bun'
import { KmsError } from '../base/errors.ts'
import type { Network } from '../base/model.ts'

/** How far a payment has come. Bytes stand in the journal before they leave the machine. */
type PaymentState = 'seen' | 'denied' | 'refused' | 'signed' | 'sent'

export type PaymentRow = {
  readonly pendingId: string
  readonly chain: string
  readonly state: PaymentState
  /** SHA-256 of the serializedTransaction in hex: one id, one transaction. */
  readonly contents: string
  readonly withdrawalId: string | null
  readonly txData: string | null
  readonly txId: string | null
  /** Why it is not further, in a sentence. */
  readonly reason: string | null
  /** The error code Tatum was told, once it had it. */
  readonly reported: string | null
}

/** Whose payments they are: a folder may hold those of several vaults and both networks. */
export type JournalScope = { readonly vaultId: string; readonly network: Network }

/**
 * The front's memory of payments. Losing it loses time, never money: the signer's ledger still
 * keeps every payment from being signed twice.
 */
export type Journal = {
  find(pendingId: string): Promise<PaymentRow | undefined>
  /** Inserts or replaces the payment's row, durably. One with bytes never loses or changes them. */
  record(row: PaymentRow): Promise<void>
  /** Payments of a chain whose bytes may not have reached the network, oldest first. */
  unsent(chain: string): Promise<readonly PaymentRow[]>
  close(): Promise<void>
}

/** Opens the journal in SQLite at `path`, making it when there is none. */
export async function openJournal(
  path: string,
  { vaultId, network }: JournalScope,
  now: () => number,
): Promise<Journal> {
  const sql = new SQL({ adapter: 'sqlite', filename: path, create: true, readwrite: true })
  await run(sql`PRAGMA journal_mode = WAL`)
  await run(sql`PRAGMA synchronous = FULL`)
  await run(sql`PRAGMA busy_timeout = 5000`)
  await run(sql`
    CREATE TABLE IF NOT EXISTS payments (
      vault_id      TEXT NOT NULL,
      network       TEXT NOT NULL,
      pending_id    TEXT NOT NULL,
      chain         TEXT NOT NULL,
      state         TEXT NOT NULL,
      contents      TEXT NOT NULL,
      withdrawal_id TEXT,
      tx_data       TEXT,
      tx_id         TEXT,
      reason        TEXT,
      reported      TEXT,
      updated_at    BIGINT NOT NULL,
      PRIMARY KEY (vault_id, network, pending_id)
    )`)
  await run(sql`CREATE INDEX IF NOT EXISTS payments_by_state ON payments (state, chain)`)

  return {
    async find(pendingId) {
      const rows: PaymentRow[] = await run(sql`
        SELECT pending_id AS "pendingId", chain, state, contents, withdrawal_id AS "withdrawalId",
               tx_data AS "txData", tx_id AS "txId", reason, reported
        FROM payments
        WHERE vault_id = ${vaultId} AND network = ${network} AND pending_id = ${pendingId}`)
      return rows[0]
    },
    async record(row) {
      const { pendingId, chain, state, contents, withdrawalId, txData, txId } = row
      await run(sql`
        INSERT INTO payments (vault_id, network, pending_id, chain, state, contents, withdrawal_id,
                              tx_data, tx_id, reason, reported, updated_at)
        VALUES (${vaultId}, ${network}, ${pendingId}, ${chain}, ${state}, ${contents},
                ${withdrawalId}, ${txData}, ${txId}, ${row.reason}, ${row.reported}, ${now()})
        ON CONFLICT (vault_id, network, pending_id) DO UPDATE SET
          chain = excluded.chain, state = excluded.state, contents = excluded.contents,
          withdrawal_id = excluded.withdrawal_id, tx_data = excluded.tx_data,
          tx_id = excluded.tx_id, reason = excluded.reason, reported = excluded.reported,
          updated_at = excluded.updated_at
        WHERE payments.tx_data IS NULL OR payments.tx_data = excluded.tx_data`)
    },
    unsent: chain =>
      run(sql`
        SELECT pending_id AS "pendingId", chain, state, contents, withdrawal_id AS "withdrawalId",
               tx_data AS "txData", tx_id AS "txId", reason, reported
        FROM payments
        WHERE vault_id = ${vaultId} AND network = ${network} AND chain = ${chain}
          AND state = 'signed'
        ORDER BY updated_at, rowid`),
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
