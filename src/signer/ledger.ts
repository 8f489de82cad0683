import { Database } from 'bun:sqlite'
import { existsSync } from 'node:fs'
import { KmsError } from '../base/errors.ts'
import { encodeJson, type Json } from '../base/json.ts'
import type { Network } from '../base/model.ts'
import type { Secret } from '../secret/secret.ts'
import { type Commit, type LedgerRecord, sealCommit, verifyChain } from './ledger-seal.ts'

/** One signature given out, for ever. */
export type LedgerEntry = {
  readonly pendingId: string
  readonly chain: string
  readonly network: Network
  /** SHA-256 of the serializedTransaction as Tatum sent it. */
  readonly serializedHash: Uint8Array
  readonly txData: string
  readonly txId: string
  /** Which keys signed and what went out; facts for people and policies. */
  readonly facts: Json
  /** What the payment uses up; see `ChainDefinition.claims`. */
  readonly claims: readonly string[]
  /** Milliseconds since 1970. */
  readonly signedAt: number
}

export type StoredSignature = Pick<
  LedgerEntry,
  'chain' | 'network' | 'serializedHash' | 'txData' | 'txId'
>

/**
 * What this signer has ever signed. Nothing leaves the signer before it stands here, on disk.
 * The ledger alone keeps a payment from being signed twice, whatever the front says or forgets.
 */
export type Ledger = Disposable & {
  find(pendingId: string): StoredSignature | undefined
  /** The pending id that owns `claim`, if any does. */
  claimant(chain: string, network: Network, claim: string): string | undefined
  /** The number after the highest nonce ever signed for `address`. */
  nextNonce(chain: string, network: Network, address: string): bigint | undefined
  /** Writes all entries in one durable transaction, chained to the one before. */
  commit(entries: readonly LedgerEntry[]): void
  /** Refuses a generation of the vault older than one seen before, then remembers this one. */
  checkGeneration(generation: bigint): void
  /** Remembers this generation even if a newer one was seen: the owner put an older copy back. */
  acceptGeneration(generation: bigint): void
  /** The generation of the vault seen last; undefined in a ledger that was made just now. */
  seenGeneration(): bigint | undefined
  count(): number
}

/** Version of the tables below; a newer one is refused rather than guessed at. */
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
    chain      TEXT NOT NULL,
    network    TEXT NOT NULL,
    claim      TEXT NOT NULL,
    pending_id TEXT NOT NULL REFERENCES signed (pending_id),
    PRIMARY KEY (chain, network, claim)
  ) STRICT, WITHOUT ROWID;
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

/**
 * The generation that the ledger at `path` has seen, unverified; 0 without a ledger. For making a
 * restored vault newer than anything the daemon knows.
 */
export function rememberedGeneration(path: string): bigint {
  if (!existsSync(path)) return 0n
  using db = new Database(path, { readonly: true, strict: true, safeIntegers: true })
  const last = db.query<{ generation: bigint | null }, []>(
    'SELECT max(generation) AS generation FROM commits',
  )
  return last.get()?.generation ?? 0n
}

/** Opens the ledger at `path`, making it when there is none. `auditKey` is borrowed for its life. */
export function openLedger(path: string, auditKey: Secret): Ledger {
  const db = openDatabase(path, auditKey)
  const statements = prepareStatements(db)

  const write = db.transaction((records: readonly LedgerRecord[], generation?: bigint) => {
    const head = statements.head.get() ?? undefined
    const sealed = sealCommit(auditKey, head, generation ?? head?.generation ?? 0n, records)
    statements.insertCommit.run({ ...sealed })
    for (const record of records) insertRecord(statements, record, sealed.number)
  })
  const acceptGeneration = (generation: bigint): void => {
    if (statements.head.get()?.generation === generation) return
    writing(() => write.immediate([], generation))
  }

  return {
    find(pendingId) {
      const row = statements.find.get({ pendingId })
      return row ?? undefined
    },
    claimant: (chain, network, claim) =>
      statements.claimant.get({ chain, network, claim })?.pendingId,
    nextNonce: (chain, network, address) =>
      statements.nextNonce.get({ chain, network, address })?.next,
    commit(entries) {
      if (entries.length > 0) writing(() => write.immediate(entries.map(asRecord)))
    },
    checkGeneration(generation) {
      const seen = statements.head.get()?.generation ?? 0n
      if (generation < seen) {
        throw new KmsError(
          'vault-rolled-back',
          `the vault is at generation ${generation}, generation ${seen} was seen before`,
          { hint: 'restore the newest copy, or start once with --accept-rollback' },
        )
      }
      acceptGeneration(generation)
    },
    acceptGeneration,
    seenGeneration: () => statements.head.get()?.generation,
    count: () => Number(statements.count.get({})?.count ?? 0n),
    [Symbol.dispose]: () => db.close(),
  }
}

/** A ledger that cannot be trusted is not opened; nothing is then signed. */
function openDatabase(path: string, auditKey: Secret): Database {
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

type Row = Record<string, string | number | bigint | Uint8Array>

function prepareStatements(db: Database) {
  return {
    find: db.query<StoredSignature, Row>(
      `SELECT chain, network, serialized_hash AS serializedHash, tx_data AS txData, tx_id AS txId
       FROM signed WHERE pending_id = $pendingId`,
    ),
    claimant: db.query<{ pendingId: string }, Row>(
      'SELECT pending_id AS pendingId FROM claims WHERE chain = $chain AND network = $network AND claim = $claim',
    ),
    nextNonce: db.query<{ next: bigint }, Row>(
      'SELECT next FROM nonces WHERE chain = $chain AND network = $network AND address = $address',
    ),
    head: db.query<Omit<Commit, 'digest'>, []>(
      'SELECT number, generation, mac FROM commits ORDER BY number DESC LIMIT 1',
    ),
    insertCommit: db.query<unknown, Row>(
      'INSERT INTO commits (number, generation, digest, mac) VALUES ($number, $generation, $digest, $mac)',
    ),
    insertSigned: db.query<unknown, Row>(
      `INSERT INTO signed (pending_id, commit_number, chain, network, serialized_hash, tx_data, tx_id, facts, signed_at)
       VALUES ($pendingId, $number, $chain, $network, $serializedHash, $txData, $txId, $facts, $signedAt)`,
    ),
    insertClaim: db.query<unknown, Row>(
      'INSERT INTO claims (chain, network, claim, pending_id) VALUES ($chain, $network, $claim, $pendingId)',
    ),
    raiseNonce: db.query<unknown, Row>(
      `INSERT INTO nonces (chain, network, address, next) VALUES ($chain, $network, $address, $next)
       ON CONFLICT DO UPDATE SET next = max(next, excluded.next)`,
    ),
    count: db.query<{ count: bigint }, Row>('SELECT count(*) AS count FROM signed'),
  }
}

function asRecord(entry: LedgerEntry): LedgerRecord {
  return { ...entry, facts: encodeJson(entry.facts), signedAt: BigInt(entry.signedAt) }
}

function insertRecord(
  statements: ReturnType<typeof prepareStatements>,
  { claims, ...record }: LedgerRecord,
  number: bigint,
): void {
  const { pendingId, chain, network, serializedHash, txData, txId, facts, signedAt } = record
  statements.insertSigned.run({
    pendingId,
    number,
    chain,
    network,
    serializedHash,
    txData,
    txId,
    facts,
    signedAt,
  })
  for (const claim of claims) {
    statements.insertClaim.run({ chain, network, claim, pendingId })
    const nonce = nonceOf(claim)
    if (nonce) raiseNonce(statements, chain, network, nonce)
  }
}

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
  const signed = db.query<Omit<LedgerRecord, 'claims'> & Pick<Commit, 'number'>, []>(
    `SELECT commit_number AS number, pending_id AS pendingId, chain, network,
            serialized_hash AS serializedHash, tx_data AS txData, tx_id AS txId, facts,
            signed_at AS signedAt
     FROM signed ORDER BY rowid`,
  )
  for (const row of signed.iterate()) {
    const { pendingId, chain, network } = row
    yield { ...row, claims: claims.all({ pendingId, chain, network }).map(({ claim }) => claim) }
  }
}

/** The table of nonces follows from the claims, which are sealed; it is not. */
function rebuildNonces(db: Database): void {
  const statements = prepareStatements(db)
  const claims = db.query<{ chain: string; network: string; claim: string }, []>(
    "SELECT chain, network, claim FROM claims WHERE claim LIKE 'nonce/%'",
  )
  const rebuild = db.transaction(() => {
    db.run('DELETE FROM nonces')
    for (const { chain, network, claim } of claims.all()) {
      const nonce = nonceOf(claim)
      if (nonce) raiseNonce(statements, chain, network, nonce)
    }
  })
  rebuild.immediate()
}

function raiseNonce(
  statements: ReturnType<typeof prepareStatements>,
  chain: string,
  network: string,
  { address, number }: Nonce,
): void {
  statements.raiseNonce.run({ chain, network, address, next: number + 1n })
}

type Nonce = { readonly address: string; readonly number: bigint }

/** What a claim of the form `nonce/<address>/<number>` says; undefined for another one. */
export function nonceOf(claim: string): Nonce | undefined {
  const [kind, address, number] = claim.split('/')
  if (kind !== 'nonce' || !address || !number) return undefined
  return { address, number: BigInt(number) }
}

function writing(work: () => void): void {
  try {
    work()
  } catch (cause) {
    throw new KmsError('disk', `the ledger could not be written (${sqliteCode(cause)})`, {
      cause,
      hint: 'nothing was signed; free space or restore write access, then start again',
    })
  }
}

function sqliteCode(thrown: unknown): string {
  return thrown instanceof Error && 'code' in thrown ? String(thrown.code) : 'unknown'
}
