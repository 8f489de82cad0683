import { Database, SQLiteError, type Statement } from 'bun:sqlite'
import { KmsError } from '../base/errors.ts'
import type { Secret } from '../secret/secret.ts'
import { readVerified } from './ledger-rows.ts'
import { prepareSchema, refuseOddDatabase, refuseVersion } from './ledger-schema.ts'

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
      // Until this connection is closed, it sees what its first query sees.
      db.run('BEGIN')
      refuseVersion(db)
      refuseOddDatabase(db)
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

/** Adds one row, or throws: what was not stored must not be answered as if it were. */
export function insertOne(statement: Statement<unknown, Row[]>, row: Row): void {
  const { changes } = statement.run(row)
  if (changes !== 1) throw new KmsError('vault-damaged', 'the ledger did not store a row')
}

/** The table of nonces follows from the claims, which are sealed; it is not. */
function rebuildNonces(db: Database, auditKey: Secret): void {
  const raiseNonce = prepareRaiseNonce(db)
  const rebuild = db.transaction(() => {
    refuseOddDatabase(db)
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

/** Does `work`; what keeps SQLite from reading comes out as a fault of the disk, which may pass. */
export function reading<T>(work: () => T): T {
  try {
    return work()
  } catch (thrown) {
    throw readFault(thrown)
  }
}

export function readFault(thrown: unknown): unknown {
  if (!(thrown instanceof SQLiteError)) return thrown
  return new KmsError('disk', `the ledger could not be read (${sqliteCode(thrown)})`, {
    cause: thrown,
  })
}

export function sqliteCode(thrown: unknown): string {
  return thrown instanceof Error && 'code' in thrown ? String(thrown.code) : 'unknown'
}
