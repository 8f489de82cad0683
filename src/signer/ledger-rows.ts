import type { Database } from 'bun:sqlite'
import type { Secret } from '../secret/secret.ts'
import {
  type Commit,
  type DecisionRecord,
  foreign,
  type Numbered,
  type Records,
  type Release,
  type SignedRecord,
  verifyChain,
} from './ledger-seal.ts'

/**
 * The commits of a ledger, each with what it holds. What is answered carries this vault's seal; only
 * who reads to the end knows that nothing else is in the tables.
 */
export function* readVerified(
  db: Database,
  auditKey: Secret,
): Generator<{ readonly commit: Commit; readonly records: Records }> {
  let claims = 0
  let releases = 0
  const tables = { commits: readCommits(db), signed: readSigned(db), decisions: readDecisions(db) }
  for (const sealed of verifyChain(auditKey, tables)) {
    for (const record of sealed.records.signed) {
      claims += record.claims.length
      releases += record.releases.length
    }
    yield sealed
  }
  // A record's seal covers the claims that name it; others are covered by nothing.
  const inTable = db.query<{ claims: bigint; releases: bigint }, []>(
    'SELECT count(*) AS claims, count(released_by) AS releases FROM claims',
  )
  const { claims: allClaims, releases: allReleases } = inTable.get() ?? { claims: 0n, releases: 0n }
  if (BigInt(claims) !== allClaims || BigInt(releases) !== allReleases) throw foreign()
}

function readCommits(db: Database): Iterable<Commit> {
  return db
    .query<Commit, []>('SELECT number, generation, digest, mac FROM commits ORDER BY number')
    .iterate()
}

function* readSigned(db: Database): Generator<SignedRecord & Numbered> {
  const claims = db.query<{ claim: string }, [string, string, string]>(
    'SELECT claim FROM claims WHERE pending_id = ? AND chain = ? AND network = ?',
  )
  const released = db.query<Release, [string, string, string]>(
    `SELECT claim, pending_id AS "of" FROM claims
     WHERE released_by = ? AND chain = ? AND network = ?`,
  )
  const signed = db.query<Omit<SignedRecord, 'claims' | 'releases'> & Numbered, []>(
    `SELECT commit_number AS number, pending_id AS pendingId, chain, network,
            serialized_hash AS serializedHash, tx_data AS txData, tx_id AS txId, facts,
            signed_at AS signedAt
     FROM signed ORDER BY rowid`,
  )
  for (const row of signed.iterate()) {
    const { pendingId, chain, network } = row
    yield {
      ...row,
      claims: claims.all(pendingId, chain, network).map(({ claim }) => claim),
      releases: released.all(pendingId, chain, network),
    }
  }
}

function readDecisions(db: Database): Iterable<DecisionRecord & Numbered> {
  return db
    .query<DecisionRecord & Numbered, []>(
      `SELECT commit_number AS number, pending_id AS pendingId, chain, network,
              serialized_hash AS serializedHash, what, code, reason, digest,
              decided_by AS decidedBy, decided_at AS decidedAt
       FROM decisions ORDER BY rowid`,
    )
    .iterate()
}
