import { Database } from 'bun:sqlite'
import { existsSync } from 'node:fs'
import type { Secret } from '../secret/secret.ts'
import { readVerified } from './ledger-rows.ts'
import type { Commit, DecisionRecord, SignedRecord } from './ledger-seal.ts'
import { openingFault, openSnapshot } from './ledger-tables.ts'

/** A ledger as it was at one moment, in which every row was found to be this vault's. */
export type LedgerReader = Disposable & {
  readonly summary: LedgerSummary
  /** In the order in which it was committed; of one commit, what was signed comes first. */
  records(): Generator<AuditRecord>
  /** The commit of this number, if there is one. */
  commit(number: bigint): Pick<Commit, 'mac' | 'generation'> | undefined
}

type LedgerSummary = {
  readonly signed: number
  readonly decisions: number
  /** The last commit; undefined in a ledger without any. */
  readonly head: Head | undefined
}

export type Head = Pick<Commit, 'number' | 'generation' | 'mac'>

export type AuditRecord = { readonly commit: bigint } & (
  | ({ readonly kind: 'signed' } & SignedRecord)
  | ({ readonly kind: 'decision' } & DecisionRecord)
)

/**
 * Opens the ledger at `path` for reading, also while a daemon signs with it, and verifies all of it
 * before anything is answered. `auditKey` is borrowed for its life.
 */
export function readLedger(path: string, auditKey: Secret): LedgerReader {
  const db = openSnapshot(path)
  try {
    const summary = summarize(db, auditKey)
    const commit = db.query<Pick<Commit, 'mac' | 'generation'>, [bigint]>(
      'SELECT mac, generation FROM commits WHERE number = ?',
    )
    return {
      summary,
      records: () => readRecords(db, auditKey),
      commit: number => commit.get(number) ?? undefined,
      [Symbol.dispose]: () => db.close(),
    }
  } catch (fault) {
    db.close()
    throw openingFault(fault)
  }
}

/** The last commit of the ledger at `path`, unverified: who has no password can keep it elsewhere. */
export function readHead(path: string): Head | undefined {
  using db = openSnapshot(path)
  try {
    return (
      db
        .query<Head, []>('SELECT number, generation, mac FROM commits ORDER BY number DESC LIMIT 1')
        .get() ?? undefined
    )
  } catch (fault) {
    throw openingFault(fault)
  }
}

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

function summarize(db: Database, auditKey: Secret): LedgerSummary {
  let signed = 0
  let decisions = 0
  let head: Head | undefined
  for (const { commit, records } of readVerified(db, auditKey)) {
    signed += records.signed.length
    decisions += records.decisions.length
    head = commit
  }
  return { signed, decisions, head }
}

function* readRecords(db: Database, auditKey: Secret): Generator<AuditRecord> {
  for (const { commit, records } of readVerified(db, auditKey)) {
    for (const record of records.signed) yield { commit: commit.number, kind: 'signed', ...record }
    for (const record of records.decisions) {
      yield { commit: commit.number, kind: 'decision', ...record }
    }
  }
}
