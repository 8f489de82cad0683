import type { Database } from 'bun:sqlite'
import { KmsError } from '../base/errors.ts'
import { encodeJson, type Json, parseJson } from '../base/json.ts'
import type { Network } from '../base/model.ts'
import type { Secret } from '../secret/secret.ts'
import type { Decision } from './decisions.ts'
import { openDecisions } from './ledger-decisions.ts'
import { cancellationId, paymentOf, resignedId } from './ledger-ids.ts'
import { schemaVersion } from './ledger-schema.ts'
import {
  type Commit,
  type Records,
  type Release,
  type SignedRecord,
  sealCommit,
} from './ledger-seal.ts'
import { openSignedSince, type SignedPayment } from './ledger-since.ts'
import {
  insertOne,
  openDatabase,
  prepareRaiseNonce,
  type Row,
  reading,
  sqliteCode,
} from './ledger-tables.ts'

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
  /**
   * Claims that are no longer those of who has them: of a payment that was cancelled, or whose place
   * this one takes.
   */
  readonly releases?: readonly string[]
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
  /** Those of `pendingIds` that it has anything of: bytes, or that the payment was cancelled. */
  known(pendingIds: readonly string[]): ReadonlySet<string>
  /** The newest bytes of a payment: what may be sent. */
  find(pendingId: string): StoredSignature | undefined
  /** All bytes that it ever had, the oldest first; more than one set where a person had it resigned. */
  history(pendingId: string): readonly StoredSignature[]
  /** What the payment has claimed, with all of its bytes, and nobody else may use. */
  claims(pendingId: string): readonly string[]
  /** What it had claimed before it was cancelled, and others may have since. */
  released(pendingId: string): readonly string[]
  /** What was recorded beside the bytes of a payment: facts for people and policies. */
  facts(pendingId: string): unknown
  /** What took the place of a payment that a person cancelled; it may be no bytes at all. */
  cancellation(pendingId: string): StoredSignature | undefined
  /** The pending id that owns `claim`, if any does; nobody owns one that was released. */
  claimant(chain: string, network: Network, claim: string): string | undefined
  /**
   * The payments signed from `time` on, in the order of their commits: each once, with its newest
   * bytes, and nothing of what took the place of one.
   */
  signedSince(time: number): Iterable<SignedPayment>
  /** The number after the highest nonce ever signed for `address`. */
  nextNonce(chain: string, network: Network, address: string): bigint | undefined
  /**
   * Writes all entries and decisions in one durable transaction, chained to the one before. When it
   * throws, none of them is written and nothing may be answered that rests on them. A decision that
   * was the last one on its payment already is not written again, nor are more than 10,000 in an hour.
   */
  commit(entries: readonly LedgerEntry[], decisions?: readonly Decision[]): void
  /** The newest denial of a payment that approvers have signed: final for what it is about. */
  denied(pendingId: string): Decision | undefined
  /** Refuses a generation of the vault older than one seen before, then remembers this one. */
  checkGeneration(generation: bigint): void
  /** Remembers this generation even if a newer one was seen: the owner put an older copy back. */
  acceptGeneration(generation: bigint): void
  /** The generation of the vault seen last; undefined in a ledger that was made just now. */
  seenGeneration(): bigint | undefined
  /** Refuses unless the ledger can be written, by writing what is there already. */
  probe(): void
  /** Payments with bytes, and commits, that it has. */
  count(): number
  commits(): number
}

/** Opens the ledger at `path`, making it when there is none. `auditKey` is borrowed for its life. */
export function openLedger(path: string, auditKey: Secret): Ledger {
  const db = openDatabase(path, auditKey)
  const statements = prepareStatements(db)

  const decided = openDecisions(db)
  const readHead = (): Omit<Commit, 'digest'> | undefined =>
    reading(() => statements.head.get() ?? undefined)
  // Asked for at every beat: counted once.
  let signatures = reading(() => Number(statements.count.get({})?.count ?? 0n))

  const write = db.transaction(({ signed, decisions }: ToWrite, generation?: bigint) => {
    const head = statements.head.get() ?? undefined
    const records = { signed: signed.map(entry => asRecord(statements, entry)), decisions }
    const sealed = sealCommit(auditKey, head, generation ?? head?.generation ?? 0n, records)
    insertOne(statements.insertCommit, { ...sealed })
    for (const record of records.signed) insertRecord(statements, record, sealed.number)
    for (const decision of decisions) decided.insert(decision, sealed.number)
  })
  const acceptGeneration = (generation: bigint): void => {
    if (readHead()?.generation === generation) return
    writing(() => write.immediate({ signed: [], decisions: [] }, generation))
  }

  const find = (id: string): StoredSignature | undefined =>
    reading(() => statements.find.get({ pendingId: id }) ?? undefined)
  const history = (pendingId: string): readonly StoredSignature[] => {
    const rows: StoredSignature[] = []
    for (;;) {
      const row = find(resignedId(pendingId, rows.length))
      if (row === undefined) return rows
      rows.push(row)
    }
  }

  return {
    known(pendingIds) {
      const ids = encodeJson([...pendingIds, ...pendingIds.map(cancellationId)])
      return new Set(reading(() => statements.known.all({ ids })).map(row => paymentOf(row.id)))
    },
    find: pendingId => history(pendingId).at(-1),
    history,
    claims: pendingId =>
      history(pendingId).flatMap((_, before) => {
        const of = { pendingId: resignedId(pendingId, before) }
        return reading(() => statements.claims.all(of)).map(claimIn)
      }),
    released(pendingId) {
      const by = { pendingId: cancellationId(pendingId) }
      return reading(() => statements.released.all(by)).map(claimIn)
    },
    facts: pendingId => parseJson(reading(() => statements.facts.get({ pendingId }))?.facts ?? ''),
    cancellation: pendingId => find(cancellationId(pendingId)),
    claimant(chain, network, claim) {
      const owner = reading(() => statements.claimant.get({ chain, network, claim }))
      return owner === null ? undefined : paymentOf(owner.pendingId)
    },
    signedSince: openSignedSince(db),
    nextNonce: (chain, network, address) =>
      reading(() => statements.nextNonce.get({ chain, network, address }))?.next,
    commit(entries, decisions = []) {
      writing(() => {
        const selected = decided.select(decisions)
        const toWrite = { signed: entries, decisions: selected.records }
        if (entries.length + toWrite.decisions.length > 0) write.immediate(toWrite)
        selected.settle()
      })
      signatures += entries.length
    },
    denied: pendingId => reading(() => decided.denied(pendingId)),
    checkGeneration(generation) {
      const seen = readHead()?.generation ?? 0n
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
    seenGeneration: () => readHead()?.generation,
    probe: () => writing(() => db.run(`PRAGMA user_version = ${schemaVersion}`)),
    count: () => signatures,
    commits: () => Number(readHead()?.number ?? 0n),
    [Symbol.dispose]: () => db.close(),
  }
}

type Statements = ReturnType<typeof prepareStatements>

function prepareStatements(db: Database) {
  return {
    known: db.query<{ id: string }, Row>(
      `SELECT pending_id AS id FROM signed
       WHERE pending_id IN (SELECT value FROM json_each($ids))`,
    ),
    find: db.query<StoredSignature, Row>(
      `SELECT chain, network, serialized_hash AS serializedHash, tx_data AS txData, tx_id AS txId
       FROM signed WHERE pending_id = $pendingId`,
    ),
    facts: db.query<{ facts: string }, Row>(
      'SELECT facts FROM signed WHERE pending_id = $pendingId',
    ),
    claimant: db.query<{ pendingId: string }, Row>(
      `SELECT pending_id AS pendingId FROM claims
       WHERE chain = $chain AND network = $network AND claim = $claim AND released_by IS NULL`,
    ),
    claims: db.query<{ claim: string }, Row>(
      'SELECT claim FROM claims WHERE pending_id = $pendingId AND released_by IS NULL',
    ),
    released: db.query<{ claim: string }, Row>(
      'SELECT claim FROM claims WHERE released_by = $pendingId ORDER BY claim',
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
    releaseClaim: db.query<unknown, Row>(
      `UPDATE claims SET released_by = $pendingId
       WHERE chain = $chain AND network = $network AND claim = $claim AND pending_id = $of
         AND released_by IS NULL`,
    ),
    raiseNonce: prepareRaiseNonce(db),
    count: db.query<{ count: bigint }, Row>('SELECT count(*) AS count FROM signed'),
  }
}

type ToWrite = {
  readonly signed: readonly LedgerEntry[]
  readonly decisions: Records['decisions']
}

function asRecord({ claimant }: Statements, entry: LedgerEntry): SignedRecord {
  const { chain, network, releases = [], facts, signedAt } = entry
  const released = releases.map((claim): Release => {
    const owner = claimant.get({ chain, network, claim })
    if (owner !== null) return { claim, of: owner.pendingId }
    throw new KmsError('unexpected', 'nobody has the claim that a payment is to release')
  })
  return { ...entry, releases: released, facts: encodeJson(facts), signedAt: BigInt(signedAt) }
}

function claimIn({ claim }: { readonly claim: string }): string {
  return claim
}

function insertRecord(
  statements: Statements,
  { claims, releases, ...record }: SignedRecord,
  number: bigint,
): void {
  const { pendingId, chain, network, serializedHash, txData, txId, facts, signedAt } = record
  insertOne(statements.insertSigned, {
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
  // First: what this record releases it may claim itself.
  for (const { claim, of } of releases) {
    const { changes } = statements.releaseClaim.run({ chain, network, claim, of, pendingId })
    // What is sealed as released and is not would make this ledger a damaged one.
    if (changes !== 1) throw new KmsError('unexpected', 'a claim was released twice')
  }
  for (const claim of claims) {
    insertOne(statements.insertClaim, { chain, network, claim, pendingId })
    statements.raiseNonce(chain, network, claim)
  }
}

function writing(work: () => void): void {
  try {
    work()
  } catch (cause) {
    if (cause instanceof KmsError) throw cause
    throw new KmsError('disk', `the ledger could not be written (${sqliteCode(cause)})`, {
      cause,
      hint: 'nothing was signed; free space or restore write access, then start again',
    })
  }
}
