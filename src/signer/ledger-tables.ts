import { Database } from 'bun:sqlite'
import { KmsError } from '../base/errors.ts'
import type { Secret } from '../secret/secret.ts'
import { type Commit, foreign, type LedgerRecord, verifyChain } from './ledger-seal.ts'

/** Version of these tables; a newer one is refused rather than guessed at. */
const schemaVersion = 1

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
  let db: Database | undefined
  try {
    db = new Database(path, { create: true, strict: true, safeIntegers: true })
    db.run('PRAGMA journal_mode = WAL')
    db.run('PRAGMA synchronous = FULL')
    db.run('PRAGMA foreign_keys = ON')
    // Somebody who looks into it with a tool of his own must not end the daemon.
    db.run('PRAGMA busy_timeout = 5000')
    prepareSchema(db)
    verifyChain(auditKey, readCommits(db), readRecords(db))
    refuseStrayClaims(db)
    rebuildNonces(db)
    return db
  } catch (fault) {
    db?.close()
    throw openingFault(fault)
  }
}

function openingFault(fault: unknown): KmsError {
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
  const version = db.query<{ user_version: bigint }, []>('PRAGMA user_version').get()?.user_version
  if (version === BigInt(schemaVersion)) return
  if (version !== 0n) {
    throw new KmsError('vault-damaged', `the ledger has version ${version}, not known here`)
  }
  db.transaction(() => {
    db.run(schema)
    db.run(`PRAGMA user_version = ${schemaVersion}`)
  }).immediate()
}

function readCommits(db: Database): Iterable<Commit> {
  return db
    .query<Commit, []>('SELECT number, generation, digest, mac FROM commits ORDER BY number')
    .iterate()
}

/** What is in the ledger, in the order in which it was committed. */
function* readRecords(db: Database): Generator<LedgerRecord & Pick<Commit, 'number'>> {
  const claims = db.query<{ claim: string }, Row>(
    `SELECT claim FROM claims
     WHERE pending_id = $pendingId AND chain = $chain AND network = $network`,
  )
  const released = db.query<{ claim: string }, Row>(
    'SELECT claim FROM claims WHERE released_by = $pendingId',
  )
  const signed = db.query<Omit<LedgerRecord, 'claims' | 'releases'> & Pick<Commit, 'number'>, []>(
    `SELECT commit_number AS number, pending_id AS pendingId, chain, network,
            serialized_hash AS serializedHash, tx_data AS txData, tx_id AS txId, facts,
            signed_at AS signedAt
     FROM signed ORDER BY rowid`,
  )
  for (const row of signed.iterate()) {
    const { pendingId, chain, network } = row
    yield {
      ...row,
      claims: claims.all({ pendingId, chain, network }).map(({ claim }) => claim),
      releases: released.all({ pendingId }).map(({ claim }) => claim),
    }
  }
}

/** A record's seal covers the claims that name it; one that names no record is covered by nothing. */
function refuseStrayClaims(db: Database): void {
  if (db.query('PRAGMA foreign_key_check(claims)').get() !== null) throw foreign()
}

/** The table of nonces follows from the claims, which are sealed; it is not. */
function rebuildNonces(db: Database): void {
  const raiseNonce = prepareRaiseNonce(db)
  const claims = db.query<{ chain: string; network: string; claim: string }, []>(
    "SELECT chain, network, claim FROM claims WHERE claim LIKE 'nonce/%'",
  )
  const rebuild = db.transaction(() => {
    db.run('DELETE FROM nonces')
    for (const { chain, network, claim } of claims.all()) raiseNonce(chain, network, claim)
  })
  rebuild.immediate()
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
