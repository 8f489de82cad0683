import { Database } from 'bun:sqlite'
import { KmsError } from '../base/errors.ts'
import type { Secret } from '../secret/secret.ts'
import { readVerified } from './ledger-rows.ts'

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

/** A ledger that cannot be trusted is not opened; nothing is then signed. */
export function openDatabase(path: string, auditKey: Secret): Database {
  return orFault(
    () => new Database(path, { create: true, strict: true, safeIntegers: true }),
    db => {
      db.run('PRAGMA journal_mode = WAL')
      db.run('PRAGMA synchronous = FULL')
      db.run('PRAGMA foreign_keys = ON')
      // There is no folder for temporary files that this process may write to.
      db.run('PRAGMA temp_store = MEMORY')
      // Somebody who looks into it with a tool of his own must not end the daemon.
      db.run('PRAGMA busy_timeout = 5000')
      prepareSchema(db)
      rebuildNonces(db, auditKey)
    },
  )
}

/** As it is on disk at this moment; whoever signs with it meanwhile is not held up. */
export function openSnapshot(path: string): Database {
  return orFault(
    () => new Database(path, { readonly: true, strict: true, safeIntegers: true }),
    db => {
      db.run('PRAGMA busy_timeout = 5000')
      if (versionOf(db) !== schemaVersion) throw unknownVersion(versionOf(db))
      // Until this connection is closed, it sees what its first query sees.
      db.run('BEGIN')
    },
  )
}

function orFault(open: () => Database, prepare: (db: Database) => void): Database {
  let db: Database | undefined
  try {
    db = open()
    prepare(db)
    return db
  } catch (fault) {
    db?.close()
    throw openingFault(fault)
  }
}

export function openingFault(fault: unknown): KmsError {
  if (fault instanceof KmsError) return fault
  const code = sqliteCode(fault)
  const hint = 'put the newest backup of the ledger in its place'
  if (code === 'SQLITE_NOTADB' || code === 'SQLITE_CORRUPT' || code === 'SQLITE_ERROR') {
    return new KmsError('vault-damaged', `the ledger is damaged (${code})`, { cause: fault, hint })
  }
  return new KmsError('disk', `the ledger cannot be opened (${code})`, { cause: fault })
}

export type Row = Record<string, string | number | bigint | Uint8Array>

function prepareSchema(db: Database): void {
  const version = versionOf(db)
  if (version === schemaVersion) return
  if (version !== 0) throw unknownVersion(version)
  db.transaction(() => {
    db.run(schema)
    db.run(`PRAGMA user_version = ${schemaVersion}`)
  }).immediate()
}

function versionOf(db: Database): number {
  return Number(db.query<{ user_version: bigint }, []>('PRAGMA user_version').get()?.user_version)
}

function unknownVersion(version: number): KmsError {
  return new KmsError('vault-damaged', `the ledger has version ${version}, not known here`)
}

/** The table of nonces follows from the claims, which are sealed; it is not. */
function rebuildNonces(db: Database, auditKey: Secret): void {
  const raiseNonce = prepareRaiseNonce(db)
  const rebuild = db.transaction(() => {
    db.run('DELETE FROM nonces')
    for (const { chain, network, claim } of highestNonces(db, auditKey)) {
      raiseNonce(chain, network, claim)
    }
  })
  rebuild.immediate()
}

type NonceClaim = { readonly chain: string; readonly network: string; readonly claim: string }

/** Of each address, from a ledger that is verified on the way. */
function highestNonces(db: Database, auditKey: Secret): Iterable<NonceClaim> {
  const highest = new Map<string, NonceClaim & Nonce>()
  for (const { records } of readVerified(db, auditKey)) {
    for (const { chain, network, claims } of records.signed) {
      for (const claim of claims) {
        const nonce = nonceOf(claim)
        if (nonce === undefined) continue
        const sender = `${chain}/${network}/${nonce.address}`
        if (nonce.number < (highest.get(sender)?.number ?? 0n)) continue
        highest.set(sender, { chain, network, claim, ...nonce })
      }
    }
  }
  return highest.values()
}

/** Records what a claim says of its address's nonces; a claim of another kind says nothing. */
export function prepareRaiseNonce(
  db: Database,
): (chain: string, network: string, claim: string) => void {
  const raise = db.query<unknown, Row>(
    `INSERT INTO nonces (chain, network, address, next) VALUES ($chain, $network, $address, $next)
     ON CONFLICT DO UPDATE SET next = max(next, excluded.next)`,
  )
  return (chain, network, claim) => {
    const nonce = nonceOf(claim)
    if (nonce === undefined) return
    raise.run({ chain, network, address: nonce.address, next: nonce.number + 1n })
  }
}

type Nonce = { readonly address: string; readonly number: bigint }

/** What a claim of the form `nonce/<address>/<number>` says; undefined for another one. */
export function nonceOf(claim: string): Nonce | undefined {
  const [kind, address, number] = claim.split('/')
  if (kind !== 'nonce' || !address || !number) return undefined
  return { address, number: BigInt(number) }
}

export function sqliteCode(thrown: unknown): string {
  return thrown instanceof Error && 'code' in thrown ? String(thrown.code) : 'unknown'
}
