import { Database } from 'bun:sqlite'
import { KmsError } from '../base/errors.ts'
import { encodeJson } from '../base/json.ts'

/** Version of these tables; another one is refused rather than guessed at. */
export const schemaVersion = 2

const schema = `
  CREATE TABLE signed (
    pending_id      TEXT PRIMARY KEY,
    commit_number   INTEGER NOT NULL REFERENCES commits (number),
    chain           TEXT NOT NULL,
    network         TEXT NOT NULL,
    serialized_hash BLOB NOT NULL,
    tx_data         TEXT NOT NULL,
    tx_id           TEXT NOT NULL,
    facts           TEXT NOT NULL,
    signed_at       INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX signed_by_time ON signed (signed_at);
  CREATE TABLE claims (
    chain       TEXT NOT NULL,
    network     TEXT NOT NULL,
    claim       TEXT NOT NULL,
    pending_id  TEXT NOT NULL REFERENCES signed (pending_id),
    released_by TEXT REFERENCES signed (pending_id),
    PRIMARY KEY (chain, network, claim, pending_id)
  ) STRICT, WITHOUT ROWID;
  CREATE UNIQUE INDEX claims_held ON claims (chain, network, claim) WHERE released_by IS NULL;
  CREATE INDEX claims_released ON claims (released_by) WHERE released_by IS NOT NULL;
  CREATE INDEX claims_of_payment ON claims (pending_id);
  CREATE TABLE decisions (
    commit_number   INTEGER NOT NULL REFERENCES commits (number),
    pending_id      TEXT NOT NULL,
    chain           TEXT NOT NULL,
    network         TEXT NOT NULL,
    serialized_hash BLOB NOT NULL,
    what            TEXT NOT NULL,
    code            TEXT NOT NULL,
    reason          TEXT NOT NULL,
    digest          TEXT NOT NULL,
    decided_by      TEXT NOT NULL,
    decided_at      INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX decisions_of_payment ON decisions (pending_id);
  CREATE INDEX decisions_by_time ON decisions (decided_at);
  CREATE TABLE nonces (
    chain   TEXT NOT NULL,
    network TEXT NOT NULL,
    address TEXT NOT NULL,
    next    INTEGER NOT NULL,
    PRIMARY KEY (chain, network, address)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE commits (
    number     INTEGER PRIMARY KEY,
    generation INTEGER NOT NULL,
    digest     BLOB NOT NULL,
    mac        BLOB NOT NULL
  ) STRICT;
`

/** Makes the tables in a new database; refuses one that has those of another version. */
export function prepareSchema(db: Database): void {
  if (versionOf(db) === 0) {
    db.transaction(() => {
      db.run(schema)
      db.run(`PRAGMA user_version = ${schemaVersion}`)
    }).immediate()
  }
  refuseVersion(db)
}

export function refuseVersion(db: Database): void {
  const version = versionOf(db)
  if (version === schemaVersion) return
  throw new KmsError('vault-damaged', `the ledger has version ${version}, not known here`)
}

/**
 * Refuses a database that does not do as its tables say. Seals cover rows, and are looked at table by
 * table; payments are looked up by indexes. An index that lacks a row, or a trigger that swallows one,
 * would let a payment be signed twice.
 */
export function refuseOddDatabase(db: Database): void {
  using model = new Database(':memory:', { strict: true })
  model.run(schema)
  if (schemaOf(db).join('\n') !== schemaOf(model).join('\n')) {
    throw damaged('it has other tables, indexes or triggers than it was made with')
  }
  // `quick_check` does not compare indexes with their tables.
  const found = db.query<{ integrity_check: string }, []>('PRAGMA integrity_check').all()
  if (found.length === 1 && found[0]?.integrity_check === 'ok') return
  throw damaged('its tables and indexes do not agree')
}

type SchemaRow = {
  readonly type: string
  readonly name: string
  readonly table: string
  readonly sql: string | null
}

function schemaOf(db: Database): readonly string[] {
  return db
    .query<SchemaRow, []>(
      'SELECT type, name, tbl_name AS "table", sql FROM sqlite_schema ORDER BY type, name',
    )
    .all()
    .map(({ type, name, table, sql }) =>
      encodeJson([type, name, table, sql?.replaceAll(/\s+/g, ' ') ?? null]),
    )
}

function damaged(reason: string): KmsError {
  return new KmsError('vault-damaged', `the ledger is damaged: ${reason}`, {
    hint: 'put the newest backup of the ledger in its place',
  })
}

function versionOf(db: Database): number {
  return Number(db.query<{ user_version: bigint }, []>('PRAGMA user_version').get()?.user_version)
}
