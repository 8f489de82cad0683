import { SQL } from 'bun'
import { type ErrorCode, KmsError } from '../base/errors.ts'
import type { Network } from '../base/model.ts'
import { inBatches } from './batches.ts'

/**
 * How far a payment has come. Bytes stand in the journal before they leave the machine: the signer's
 * from `signed` on, the final ones, where others add to them, from `finished` on. `arrived`: the network
 * has them, and Tatum is to be told. `done`: the network has used up their number. `refused`, `expired`
 * and `cancelled` are closed.
 */
export const paymentStates = [
  'seen',
  'denied',
  'refused',
  'signed',
  'finished',
  'arrived',
  'sent',
  'done',
  'expired',
  'cancelled',
] as const

export type PaymentState = (typeof paymentStates)[number]

export type PaymentRow = {
  readonly pendingId: string
  readonly chain: string
  readonly state: PaymentState
  /** SHA-256 of the serializedTransaction in hex: one id, one transaction. */
  readonly contents: string
  readonly withdrawalId: string | null
  /** The sender whose payments go out one after the other; null where the order does not matter. */
  readonly lane: string | null
  /** The signer's bytes. */
  readonly txData: string | null
  readonly txId: string | null
  /** What became of them in `Chain.finish`, where a chain has that. */
  readonly finalData: string | null
  readonly finalId: string | null
  /** What Tatum is told once the network has them, where a chain has `Chain.submit`. */
  readonly arrivalData: string | null
  /** Id of the bytes that it had before these, and that expired. */
  readonly replacedId: string | null
  /** Why it is not further: what kind of fault stopped it, and a sentence. */
  readonly code: ErrorCode | null
  readonly reason: string | null
  /** What Tatum was told, once it had it: an error code, `expired` or `cancelled`. */
  readonly reported: string | null
}

/** A payment with its one set of signed bytes. */
export type SignedRow = PaymentRow & { readonly txData: string; readonly txId: string }

export function isSigned(row: PaymentRow): row is SignedRow {
  return row.txData !== null && row.txId !== null
}

/** Whose payments they are: a folder may hold those of several vaults and both networks. */
export type JournalScope = { readonly vaultId: string; readonly network: Network }

/**
 * The front's memory of payments. Without it the signer's ledger still keeps every payment from being
 * signed twice, and those that were cancelled from being signed; what was refused, has expired or
 * arrived, or was reported is forgotten, and so are final bytes.
 */
export type Journal = {
  find(pendingId: string): Promise<PaymentRow | undefined>
  /**
   * Inserts or replaces the payment's row, durably. One with bytes never loses or changes them, the
   * signer's as well as the final ones; one that has arrived never expires; one that is cancelled
   * stays so.
   */
  record(row: PaymentRow): Promise<void>
  /** Gives a payment that has expired the bytes that it was signed with anew, and no others beside. */
  renew(row: Pick<SignedRow, 'pendingId' | 'txData' | 'txId'>): Promise<SignedRow>
  /** Payments of a chain whose bytes may not have reached the network, oldest first. */
  unsent(chain: string): Promise<readonly PaymentRow[]>
  /** Chains that have such payments. */
  unsentChains(): Promise<readonly string[]>
  /**
   * Payments whose bytes went out, or may have: signed or sent, the last time at `time` or before, and
   * nothing is known since. Oldest first.
   */
  outUntil(time: number, chain: string): Promise<readonly PaymentRow[]>
  close(): Promise<void>
}

/** Opens the journal in SQLite at `path`, making it when there is none. */
export async function openJournal(
  path: string,
  scope: JournalScope,
  now: () => number,
): Promise<Journal> {
  const { vaultId, network } = scope
  const sql = new SQL({ adapter: 'sqlite', filename: path, create: true, readwrite: true })
  await run(sql`PRAGMA journal_mode = WAL`)
  await run(sql`PRAGMA synchronous = FULL`)
  await run(sql`PRAGMA busy_timeout = 5000`)
  await createTable(sql)
  const columns = sql`
    pending_id AS "pendingId", chain, state, contents, withdrawal_id AS "withdrawalId", lane,
    tx_data AS "txData", tx_id AS "txId", final_data AS "finalData", final_id AS "finalId",
    arrival_data AS "arrivalData", replaced_id AS "replacedId", code, reason, reported`

  return {
    async find(pendingId) {
      const rows: PaymentRow[] = await run(sql`
        SELECT ${columns} FROM payments
        WHERE vault_id = ${vaultId} AND network = ${network} AND pending_id = ${pendingId}`)
      return rows[0]
    },
    record: inBatches(
      async rows => {
        await write(sql, scope, rows, now())
        return rows.map(() => undefined)
      },
      { maxItems: maxRows },
    ),
    async renew({ pendingId, txData, txId }) {
      const rows: SignedRow[] = await run(sql`
        UPDATE payments SET
          state = 'signed', tx_data = ${txData}, tx_id = ${txId},
          replaced_id = coalesce(final_id, tx_id), final_data = NULL, final_id = NULL,
          code = NULL, reason = NULL, reported = NULL, updated_at = ${now()}
        WHERE vault_id = ${vaultId} AND network = ${network} AND pending_id = ${pendingId}
          AND state = 'expired' AND arrival_data IS NULL
        RETURNING ${columns}`)
      const [row] = rows
      if (row !== undefined) return row
      throw new KmsError('unexpected', 'the journal has no such payment that has expired')
    },
    unsent: chain =>
      run(sql`
        SELECT ${columns} FROM payments
        WHERE vault_id = ${vaultId} AND network = ${network} AND chain = ${chain}
          AND state IN ${sql(unsentStates)}
        ORDER BY updated_at, rowid`),
    async unsentChains() {
      const rows: { chain: string }[] = await run(sql`
        SELECT DISTINCT chain FROM payments
        WHERE vault_id = ${vaultId} AND network = ${network} AND state IN ${sql(unsentStates)}
        ORDER BY chain`)
      return rows.map(({ chain }) => chain)
    },
    outUntil: (time, chain) =>
      run(sql`
        SELECT ${columns} FROM payments
        WHERE vault_id = ${vaultId} AND network = ${network} AND chain = ${chain}
          AND state IN ('signed', 'sent') AND updated_at <= ${time}
        ORDER BY updated_at, rowid LIMIT ${maxRows}`),
    close: () => sql.close(),
  }
}

const unsentStates: readonly PaymentState[] = ['signed', 'finished', 'arrived']

/** What people ask about a payment; its bytes are nobody's business. */
export type PaymentSummary = {
  readonly pendingId: string
  readonly chain: string
  readonly network: string
  readonly state: PaymentState
  /** Of the bytes that go out. */
  readonly txId: string | null
  readonly reason: string | null
  /** Milliseconds since 1970, as when it was changed last. */
  readonly seenAt: number
  readonly changedAt: number
}

export type PaymentFilter = {
  readonly pendingId?: string
  readonly state?: PaymentState
  readonly chains?: readonly string[]
}

/**
 * The payments in the journal at `path`, of all its vaults and networks, in the order in which they
 * were first seen. Changes nothing: a daemon may be at work with it.
 */
export async function readJournal(
  path: string,
  { pendingId, state, chains }: PaymentFilter,
): Promise<readonly PaymentSummary[]> {
  const sql = new SQL({ adapter: 'sqlite', filename: path, readonly: true })
  try {
    await run(sql`PRAGMA busy_timeout = 5000`)
    return await run(sql`
      SELECT pending_id AS "pendingId", chain, network, state, coalesce(final_id, tx_id) AS "txId",
             reason, seen_at AS "seenAt", updated_at AS "changedAt"
      FROM payments
      WHERE true
        ${pendingId === undefined ? sql`` : sql`AND pending_id = ${pendingId}`}
        ${state === undefined ? sql`` : sql`AND state = ${state}`}
        ${chains === undefined ? sql`` : sql`AND chain IN ${sql(chains)}`}
      ORDER BY rowid`)
  } finally {
    await sql.close()
  }
}

async function createTable(sql: SQL): Promise<void> {
  await run(sql`
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
    )`)
  await run(sql`CREATE INDEX IF NOT EXISTS payments_by_state ON payments (state, chain)`)
}

/** A statement of SQLite takes 32,766 values. */
const maxRows = 500

/** All rows or none: one statement is one transaction. */
async function write(
  sql: SQL,
  { vaultId, network }: JournalScope,
  rows: readonly PaymentRow[],
  now: number,
): Promise<void> {
  const values = rows.map(row => ({
    vault_id: vaultId,
    network,
    pending_id: row.pendingId,
    chain: row.chain,
    state: row.state,
    contents: row.contents,
    withdrawal_id: row.withdrawalId,
    lane: row.lane,
    tx_data: row.txData,
    tx_id: row.txId,
    final_data: row.finalData,
    final_id: row.finalId,
    arrival_data: row.arrivalData,
    replaced_id: row.replacedId,
    code: row.code,
    reason: row.reason,
    reported: row.reported,
    seen_at: now,
    updated_at: now,
  }))
  await run(sql`
    INSERT INTO payments ${sql(values)}
    ON CONFLICT (vault_id, network, pending_id) DO UPDATE SET
      chain = excluded.chain, state = excluded.state, contents = excluded.contents,
      withdrawal_id = excluded.withdrawal_id, lane = excluded.lane,
      tx_data = excluded.tx_data, tx_id = excluded.tx_id,
      final_data = excluded.final_data, final_id = excluded.final_id,
      arrival_data = excluded.arrival_data, replaced_id = excluded.replaced_id, code = excluded.code, reason = excluded.reason,
      reported = excluded.reported, updated_at = excluded.updated_at
    WHERE (payments.tx_data IS NULL OR payments.tx_data = excluded.tx_data)
      AND (payments.final_data IS NULL OR payments.final_data = excluded.final_data)
      AND (payments.arrival_data IS NULL
        OR (payments.arrival_data = excluded.arrival_data AND excluded.state <> 'expired'))
      AND (payments.state <> 'cancelled' OR excluded.state = 'cancelled')`)
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
