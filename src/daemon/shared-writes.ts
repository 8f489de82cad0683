import type { SQL } from 'bun'
import { KmsError } from '../base/errors.ts'
import {
  isSigned,
  type Journal,
  type JournalScope,
  type PaymentRow,
  type SignedRow,
} from './journal.ts'
import {
  columns,
  type Database,
  decodeRow,
  notExpired,
  own,
  readsOf,
  renewing,
  replacing,
  valuesOf,
} from './journal-rows.ts'
import { type HeldLeases, LeftToOthers, laneLease, paymentLease } from './leases.ts'
import { sqlState } from './postgres.ts'

/** What is needed to write rows that others write, too. */
export type SharedWrites = {
  readonly db: Database
  readonly scope: JournalScope
  readonly leases: HeldLeases
  readonly machine: string
  readonly now: () => number
  /** What the payment uses up, as the ledger of this machine has it. */
  readonly claimsOf: (pendingId: string) => Promise<readonly string[]>
}

/** From these rows on the payment has these bytes and no others. */
export function givesBytes(row: PaymentRow): row is SignedRow {
  return isSigned(row) && (row.state === 'signed' || row.state === 'cancelled')
}

/** Says how far a payment is. A row that is new says nothing that could be lost. */
export async function replaceRow(
  { db, scope, leases, now }: SharedWrites,
  given: PaymentRow,
): Promise<PaymentRow> {
  const row = storable(given)
  const name = paymentLease(row.pendingId)
  const epochs = leases.isHeld(name) ? [leases.epoch(name)] : []
  const values = valuesOf(scope, row, now())
  const rows = await db.query(
    sql => sql`
      WITH ${held(sql, scope, epochs)}
      INSERT INTO payments ${sql(values)} ${replacing(sql)}
        AND (SELECT count(*) FROM held) = 1
        -- Bytes come with what they use up, or not at all.
        AND payments.tx_data IS NOT DISTINCT FROM excluded.tx_data
      RETURNING ${columns(sql)}`,
  )
  return rows[0] === undefined ? asItStands(row, readsOf(db, scope)) : decodeRow(rows[0])
}

/** Gives the payment its bytes. */
export async function bindBytes(writes: SharedWrites, given: SignedRow): Promise<PaymentRow> {
  const { scope, db, claimsOf } = writes
  const row = storable(given)
  const claims = await claimsOf(row.pendingId)
  const bound = await bindRow(writes, row, claims)
  if (bound !== undefined) return bound
  const reads = readsOf(db, scope)
  if ((await reads.find(row.pendingId)) !== undefined) return asItStands(row, reads)
  // Of a payment that is cancelled the journal may have had nothing.
  await makeRow(writes, row)
  return (await bindRow(writes, row, claims)) ?? asItStands(row, reads)
}

/** The bytes and what they use up, in one statement: the row that is there is locked first. */
async function bindRow(
  writes: SharedWrites,
  row: SignedRow,
  claims: readonly string[],
): Promise<PaymentRow | undefined> {
  const { db, scope, now, machine } = writes
  const { pendingId, state, txData } = row
  const epochs = epochsFor(writes, row)
  const rows = await taking(
    db.query(
      sql => sql`
        WITH ${held(sql, scope, epochs)},
        free AS (
          SELECT 1 FROM payments
          WHERE ${own(sql, scope)} AND pending_id = ${pendingId}
            AND (SELECT count(*) FROM held) = ${epochs.length}::int
            AND (tx_data IS NULL OR tx_data = ${txData}::text)
            AND (final_data IS NULL OR final_data = ${row.finalData}::text)
            AND (arrival_data IS NULL OR arrival_data = ${row.arrivalData}::text)
            AND (state <> 'cancelled' OR ${state}::text = 'cancelled')
          FOR UPDATE
        ),
        ${released(sql, scope, row, claims)},
        ${taken(sql, scope, row, claims)}
        UPDATE payments SET
          chain = ${row.chain}, state = ${state}, contents = ${row.contents},
          withdrawal_id = ${row.withdrawalId}::text, lane = ${row.lane}::text,
          tx_data = ${txData}, tx_id = ${row.txId},
          code = ${row.code}::text, reason = ${row.reason}::text, reported = ${row.reported}::text,
          updated_at = ${now()}, signed_by = coalesce(signed_by, ${machine}::text)
        FROM free
        WHERE ${own(sql, scope)} AND pending_id = ${pendingId}
        RETURNING ${columns(sql)}`,
    ),
  )
  return rows[0] === undefined ? undefined : decodeRow(rows[0])
}

export async function renewBytes(
  writes: SharedWrites,
  given: Pick<SignedRow, 'pendingId' | 'txData' | 'txId'>,
): Promise<SignedRow> {
  const { db, scope, now } = writes
  const before = await readsOf(db, scope).find(given.pendingId)
  if (before === undefined) throw notExpired()
  const row = { ...before, ...given }
  const claims = await writes.claimsOf(row.pendingId)
  const epochs = epochsFor(writes, row)
  const rows = await taking(
    db.query(
      sql => sql`
        WITH ${held(sql, scope, epochs)},
        free AS (
          SELECT 1 FROM payments
          WHERE ${own(sql, scope)} AND pending_id = ${row.pendingId}
            AND (SELECT count(*) FROM held) = ${epochs.length}::int
            AND state = 'expired' AND arrival_data IS NULL
          FOR UPDATE
        ),
        ${taken(sql, scope, row, claims)}
        UPDATE payments SET ${renewing(sql, row)}, updated_at = ${now()}
        FROM free
        WHERE ${own(sql, scope)} AND pending_id = ${row.pendingId}
        RETURNING ${columns(sql)}`,
    ),
  )
  if (rows[0] === undefined) throw notExpired()
  return { ...decodeRow(rows[0]), txData: row.txData, txId: row.txId }
}

async function makeRow({ db, scope, now }: SharedWrites, row: PaymentRow): Promise<void> {
  const bare = { ...row, state: 'seen', txData: null, txId: null, finalData: null } as const
  const values = valuesOf(scope, { ...bare, finalId: null, arrivalData: null }, now())
  await db.query(sql => sql`INSERT INTO payments ${sql(values)} ON CONFLICT DO NOTHING`)
}

/** Numbers of a sender are given out by one machine at a time. */
function epochsFor(
  { leases }: SharedWrites,
  { pendingId, chain, lane }: PaymentRow,
): readonly string[] {
  const ofLane = lane === null ? undefined : laneLease(chain, lane)
  const names = [paymentLease(pendingId), ...(ofLane === undefined ? [] : [ofLane])]
  return names.map(leases.epoch)
}

/**
 * Leases that have not run out. No other daemon takes them before the statement has ended; that they
 * are prolonged meanwhile is no matter.
 */
function held(sql: SQL, scope: JournalScope, epochs: readonly string[]) {
  return sql`
    held AS (
      SELECT name FROM leases
      WHERE ${own(sql, scope)} AND epoch::text = ANY (${sql.array([...epochs], 'TEXT')}::text[])
        AND until > clock_timestamp()
      FOR KEY SHARE
    )`
}

/**
 * What the payment of `free` uses up, and how far the numbers of its sender have come. A claim that
 * another payment has cannot be null, so that the whole statement fails and changes nothing.
 */
function taken(
  sql: SQL,
  { vaultId, network }: JournalScope,
  { chain, pendingId }: PaymentRow,
  claims: readonly string[],
) {
  const list = sql.array([...claims], 'TEXT')
  return sql`
    claimed AS (
      INSERT INTO claims (network, chain, claim, vault_id, pending_id)
      SELECT ${network}::text, ${chain}::text, claim, ${vaultId}::text, ${pendingId}::text
      FROM free, unnest(${list}::text[]) AS claim
      ON CONFLICT (network, chain, claim) DO UPDATE SET pending_id = NULL
      WHERE (claims.vault_id, claims.pending_id) <> (excluded.vault_id, excluded.pending_id)
    ),
    numbered AS (
      INSERT INTO numbers (network, chain, address, next)
      SELECT ${network}::text, ${chain}::text, split_part(claim, '/', 2),
             max(split_part(claim, '/', 3)::numeric) + 1
      FROM free, unnest(${list}::text[]) AS claim
      WHERE claim ~ '^nonce/[^/]+/[0-9]{1,19}$'
      GROUP BY split_part(claim, '/', 2)
      ON CONFLICT (network, chain, address) DO UPDATE SET next = greatest(numbers.next, excluded.next)
    )`
}

/** What a payment that is cancelled has given up is nobody's. */
function released(
  sql: SQL,
  scope: JournalScope,
  { state, pendingId }: PaymentRow,
  claims: readonly string[],
) {
  return sql`
    released AS (
      DELETE FROM claims
      WHERE ${own(sql, scope)} AND pending_id = ${pendingId} AND ${state}::text = 'cancelled'
        AND claim <> ALL (${sql.array([...claims], 'TEXT')}::text[])
        AND EXISTS (SELECT FROM free)
    )`
}

/** 23502: see `taken`. */
async function taking<T>(statement: Promise<T>): Promise<T> {
  try {
    return await statement
  } catch (thrown) {
    if (sqlState(thrown) !== '23502') throw thrown
    throw new KmsError(
      'too-early',
      "another payment has what it uses up in the shared journal: this machine's bytes are not sent",
    )
  }
}

/** A row that was not written: it has other bytes by now, or another daemon has it. */
async function asItStands(row: PaymentRow, { find }: Pick<Journal, 'find'>): Promise<PaymentRow> {
  const now = await find(row.pendingId)
  if (now === undefined) throw new LeftToOthers()
  const keeps = (name: 'txData' | 'finalData' | 'arrivalData'): boolean =>
    now[name] !== null && now[name] !== row[name]
  const isOther = keeps('txData') || keeps('finalData') || keeps('arrivalData')
  const hasArrived = now.arrivalData !== null && row.state === 'expired'
  if (isOther || hasArrived || now.state === 'cancelled') return now
  throw new LeftToOthers()
}

/** PostgreSQL has no text with a zero in it; nothing that is sent on may have one. */
function storable<T extends PaymentRow>(row: T): T {
  const texts = ['withdrawalId', 'lane', 'code', 'reason', 'reported'] as const
  const changed = texts.flatMap(name => {
    const text = row[name]
    return text?.includes('\0') ? [[name, text.replaceAll('\0', '\ufffd')]] : []
  })
  return changed.length === 0 ? row : { ...row, ...Object.fromEntries(changed) }
}
