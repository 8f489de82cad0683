import type { SQL } from 'bun'
import { type ErrorCode, errorCodes, KmsError } from '../base/errors.ts'
import { asRecord } from '../base/json.ts'
import { inBatches } from './batches.ts'
import {
  type Journal,
  type JournalScope,
  type PaymentFilter,
  type PaymentRow,
  type PaymentState,
  type PaymentSummary,
  paymentStates,
  unsentStates,
} from './journal.ts'

/** A database of either kind; whatever goes wrong with it is thrown as a `KmsError`. */
export type Database = {
  query(ask: (sql: SQL) => PromiseLike<unknown>): Promise<readonly unknown[]>
}

/** The most rows that are read or written at once. */
export const maxRows = 500

/** What all databases are asked in the same words. */
export function readsOf(
  { query }: Database,
  scope: JournalScope,
): Pick<Journal, 'find' | 'unsent' | 'unsentChains' | 'outUntil' | 'hasSent'> {
  const readRows = async (ask: (sql: SQL) => PromiseLike<unknown>): Promise<PaymentRow[]> =>
    (await query(ask)).map(decodeRow)
  return {
    find: inBatches(
      async ids => {
        const rows = await readRows(
          sql => sql`
            SELECT ${columns(sql)} FROM payments
            WHERE ${own(sql, scope)} AND pending_id IN ${sql(ids)}`,
        )
        const byId = new Map(rows.map(row => [row.pendingId, row]))
        return ids.map(id => byId.get(id))
      },
      { maxItems: maxRows },
    ),
    unsent: chain =>
      readRows(
        sql => sql`
          SELECT ${columns(sql)} FROM payments
          WHERE ${own(sql, scope)} AND chain = ${chain} AND state IN ${sql(unsentStates)}
          ORDER BY updated_at, rowid`,
      ),
    async unsentChains() {
      const rows = await query(
        sql => sql`
          SELECT DISTINCT chain FROM payments
          WHERE ${own(sql, scope)} AND state IN ${sql(unsentStates)}
          ORDER BY chain`,
      )
      return rows.map(row => readerOf(row).text('chain'))
    },
    outUntil: (time, chain) =>
      readRows(
        sql => sql`
          SELECT * FROM (
            SELECT ${columns(sql)}, updated_at, rowid AS made,
              row_number() OVER (PARTITION BY lane, state ORDER BY updated_at, rowid) AS place
            FROM payments
            WHERE ${own(sql, scope)} AND chain = ${chain}
              AND state IN ('signed', 'sent') AND updated_at <= ${time}) AS waiting
          ORDER BY state, place, updated_at, made LIMIT ${maxRows}`,
      ),
    async hasSent(chain) {
      const rows = await query(
        sql => sql`
          SELECT chain FROM payments
          WHERE ${own(sql, scope)} AND chain = ${chain} AND state = 'sent' LIMIT 1`,
      )
      return rows.length > 0
    },
  }
}

/** The payments of all vaults and networks, in the order in which they were first seen. */
export async function readSummaries(
  { query }: Database,
  { pendingId, state, chains }: PaymentFilter,
): Promise<readonly PaymentSummary[]> {
  const rows = await query(
    sql => sql`
      SELECT pending_id AS "pendingId", chain, network, state, coalesce(final_id, tx_id) AS "txId",
             reason, seen_at AS "seenAt", updated_at AS "changedAt"
      FROM payments
      WHERE true
        ${pendingId === undefined ? sql`` : sql`AND pending_id = ${pendingId}`}
        ${state === undefined ? sql`` : sql`AND state = ${state}`}
        ${chains === undefined ? sql`` : sql`AND chain IN ${sql(chains)}`}
      ORDER BY rowid`,
  )
  return rows.map(value => {
    const { text, orNull, state: stateOf, time } = readerOf(value)
    return {
      pendingId: text('pendingId'),
      chain: text('chain'),
      network: text('network'),
      state: stateOf('state'),
      txId: orNull('txId'),
      reason: orNull('reason'),
      seenAt: time('seenAt'),
      changedAt: time('changedAt'),
    }
  })
}

/** What is read of a row, under the names that it has here. */
export function columns(sql: SQL) {
  return sql`
    pending_id AS "pendingId", chain, state, contents, withdrawal_id AS "withdrawalId", lane,
    tx_data AS "txData", tx_id AS "txId", final_data AS "finalData", final_id AS "finalId",
    arrival_data AS "arrivalData", replaced_id AS "replacedId", code, reason, reported`
}

export function own(sql: SQL, { vaultId, network }: JournalScope) {
  return sql`vault_id = ${vaultId} AND network = ${network}`
}

/** A row as it is inserted. */
export function valuesOf({ vaultId, network }: JournalScope, row: PaymentRow, now: number) {
  return {
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
  }
}

/** What becomes of a row that is there already, and what it never loses. */
export function replacing(sql: SQL) {
  return sql`
    ON CONFLICT (vault_id, network, pending_id) DO UPDATE SET
      chain = excluded.chain, state = excluded.state, contents = excluded.contents,
      withdrawal_id = excluded.withdrawal_id, lane = excluded.lane,
      tx_data = excluded.tx_data, tx_id = excluded.tx_id,
      final_data = excluded.final_data, final_id = excluded.final_id,
      arrival_data = excluded.arrival_data, replaced_id = excluded.replaced_id,
      code = excluded.code, reason = excluded.reason, reported = excluded.reported,
      updated_at = excluded.updated_at
    WHERE (payments.tx_data IS NULL OR payments.tx_data = excluded.tx_data)
      AND (payments.final_data IS NULL OR payments.final_data = excluded.final_data)
      AND (payments.arrival_data IS NULL
        OR (payments.arrival_data = excluded.arrival_data AND excluded.state <> 'expired'))
      AND (payments.state <> 'cancelled' OR excluded.state = 'cancelled')`
}

/** What `renew` makes of a payment that has expired. */
export function renewing(sql: SQL, { txData, txId }: Pick<PaymentRow, 'txData' | 'txId'>) {
  return sql`
    state = 'signed', tx_data = ${txData}, tx_id = ${txId},
    replaced_id = coalesce(final_id, tx_id), final_data = NULL, final_id = NULL,
    code = NULL, reason = NULL, reported = NULL`
}

export function notExpired(): KmsError {
  return new KmsError('unexpected', 'the journal has no such payment that has expired')
}

/** A database may be somebody else's machine: what comes from there is taken for nothing it is not. */
export function decodeRow(value: unknown): PaymentRow {
  const { text, orNull, state } = readerOf(value)
  return {
    pendingId: text('pendingId'),
    chain: text('chain'),
    state: state('state'),
    contents: text('contents'),
    withdrawalId: orNull('withdrawalId'),
    lane: orNull('lane'),
    txData: orNull('txData'),
    txId: orNull('txId'),
    finalData: orNull('finalData'),
    finalId: orNull('finalId'),
    arrivalData: orNull('arrivalData'),
    replacedId: orNull('replacedId'),
    code: codeIn(orNull('code')),
    reason: orNull('reason'),
    reported: orNull('reported'),
  }
}

/** Reads the members of one row; one that is not as we write them is a fault of the database. */
export function readerOf(value: unknown) {
  const row = asRecord(value)
  const orNull = (name: string): string | null => {
    const found = row?.get(name)
    if (found === null || typeof found === 'string') return found
    throw malformed()
  }
  const text = (name: string): string => {
    const found = orNull(name)
    if (found === null) throw malformed()
    return found
  }
  return {
    text,
    orNull,
    state(name: string): PaymentState {
      const found = paymentStates.find(state => state === row?.get(name))
      if (found === undefined) throw malformed()
      return found
    },
    /** A BIGINT, which PostgreSQL sends as text. */
    time(name: string): number {
      const found = Number(row?.get(name))
      if (Number.isSafeInteger(found)) return found
      throw malformed()
    },
  }
}

/** An exit status may come of it: only those that we know. */
function codeIn(text: string | null): ErrorCode | null {
  if (text === null) return null
  const code = errorCodes.find(known => known === text)
  if (code === undefined) throw malformed()
  return code
}

function malformed(): KmsError {
  return new KmsError('disk', 'the journal holds what no daemon has written', {
    hint: 'it is damaged, or somebody else writes to it: see "The journal is lost"',
  })
}
