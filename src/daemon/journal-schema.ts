import { KmsError } from '../base/errors.ts'
import { type Database, readerOf } from './journal-rows.ts'

/** Version of the tables in PostgreSQL; another one is refused rather than guessed at. */
const version = 1

/**
 * `payments` is as in SQLite, and `rowid` tells there, too, in which order rows were made. A lease
 * has a new epoch each time it is taken, whoever had it before.
 */
const tables = `
  CREATE TABLE IF NOT EXISTS journal_version (version BIGINT NOT NULL);
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
    signed_by     TEXT,
    rowid         BIGINT GENERATED ALWAYS AS IDENTITY,
    PRIMARY KEY (vault_id, network, pending_id)
  );
  CREATE INDEX IF NOT EXISTS payments_by_state ON payments (state, chain);
  CREATE TABLE IF NOT EXISTS claims (
    network    TEXT NOT NULL,
    chain      TEXT NOT NULL,
    claim      TEXT NOT NULL,
    vault_id   TEXT NOT NULL,
    pending_id TEXT NOT NULL,
    PRIMARY KEY (network, chain, claim)
  );
  CREATE INDEX IF NOT EXISTS claims_of_payment ON claims (vault_id, network, pending_id);
  CREATE TABLE IF NOT EXISTS numbers (
    network TEXT NOT NULL,
    chain   TEXT NOT NULL,
    address TEXT NOT NULL,
    next    NUMERIC(20) NOT NULL,
    PRIMARY KEY (network, chain, address)
  );
  CREATE SEQUENCE IF NOT EXISTS epochs;
  CREATE TABLE IF NOT EXISTS leases (
    vault_id TEXT NOT NULL,
    network  TEXT NOT NULL,
    name     TEXT NOT NULL,
    owner    TEXT NOT NULL,
    epoch    BIGINT NOT NULL,
    until    TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (vault_id, network, name)
  );
`

/** Makes the tables where there are none, and refuses those of another version. */
export async function prepareTables(db: Database): Promise<void> {
  if (!(await haveTables(db))) await makeTables(db)
  await refuseOtherTables(db)
}

/** False where there are no tables yet; refuses those of another version. Changes nothing. */
export async function lookForTables(db: Database): Promise<boolean> {
  if (!(await haveTables(db))) return false
  await refuseOtherTables(db)
  return true
}

async function refuseOtherTables(db: Database): Promise<void> {
  const rows = await db.query(sql => sql`SELECT version::text AS version FROM journal_version`)
  const found = rows.map(row => readerOf(row).text('version'))
  if (found.length === 1 && found[0] === `${version}`) return
  const named = found.join(', ') || 'none'
  throw new KmsError(
    'disk',
    `the journal's database has tables of version ${named}, not of ${version}`,
  )
}

async function haveTables({ query }: Database): Promise<boolean> {
  const rows = await query(sql => sql`SELECT to_regclass('journal_version')::text AS found`)
  return rows.some(row => readerOf(row).orNull('found') !== null)
}

/** Any number: daemons that start together wait for each other under it. */
const lockNumber = 8_286_120

/** All of them or none; what two daemons make at the same time would be in each other's way. */
async function makeTables({ query }: Database): Promise<void> {
  await query(sql =>
    sql.begin(async tx => {
      await tx`SELECT pg_advisory_xact_lock(${lockNumber}::bigint)::text`
      await tx.unsafe(tables)
      await tx`
        INSERT INTO journal_version (version)
        SELECT ${version}::bigint WHERE NOT EXISTS (SELECT FROM journal_version)`
    }),
  )
}
