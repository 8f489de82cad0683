import { Database } from 'bun:sqlite'
import { existsSync } from 'node:fs'
import { KmsError } from '../base/errors.ts'
import { encodeJson, type Json, parseJson } from '../base/json.ts'
import type { Network } from '../base/model.ts'
import type { Secret } from '../secret/secret.ts'
import { type Commit, type LedgerRecord, sealCommit } from './ledger-seal.ts'
import { openDatabase, prepareRaiseNonce, type Row, sqliteCode } from './ledger-tables.ts'

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
  /** Claims of a payment that was cancelled: others may have them from now on. */
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

/**
 * Under which id the ledger keeps what took a payment's place. No payment has such an id: those of
 * Tatum are made of letters, digits, `_` and `-`.
 */
export function cancellationId(pendingId: string): string {
  return `cancel/${pendingId}`
}

/** Under which id it keeps the bytes that a payment has got instead of those `before` them. */
export function resignedId(pendingId: string, before: number): string {
  return before === 0 ? pendingId : `resign/${before}/${pendingId}`
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

  const find = (id: string): StoredSignature | undefined =>
    statements.find.get({ pendingId: id }) ?? undefined
  const history = (pendingId: string): readonly StoredSignature[] => {
    const rows: StoredSignature[] = []
    for (;;) {
      const row = find(resignedId(pendingId, rows.length))
      if (row === undefined) return rows
      rows.push(row)
    }
  }

  return {
    find: pendingId => history(pendingId).at(-1),
    history,
    claims: pendingId =>
      history(pendingId).flatMap((_, before) =>
        statements.claims.all({ pendingId: resignedId(pendingId, before) }).map(claimIn),
      ),
    released: pendingId =>
      statements.released.all({ pendingId: cancellationId(pendingId) }).map(claimIn),
    facts: pendingId => parseJson(statements.facts.get({ pendingId })?.facts ?? ''),
    cancellation: pendingId => find(cancellationId(pendingId)),
    claimant(chain, network, claim) {
      const owner = statements.claimant.get({ chain, network, claim })
      return owner?.pendingId.replace(/^resign\/\d+\//, '')
    },
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

function prepareStatements(db: Database) {
  return {
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
       WHERE chain = $chain AND network = $network AND claim = $claim AND released_by IS NULL`,
    ),
    raiseNonce: prepareRaiseNonce(db),
    count: db.query<{ count: bigint }, Row>('SELECT count(*) AS count FROM signed'),
  }
}

function asRecord(entry: LedgerEntry): LedgerRecord {
  const { releases = [], facts, signedAt } = entry
  return { ...entry, releases, facts: encodeJson(facts), signedAt: BigInt(signedAt) }
}

function claimIn({ claim }: { readonly claim: string }): string {
  return claim
}

function insertRecord(
  statements: ReturnType<typeof prepareStatements>,
  { claims, releases, ...record }: LedgerRecord,
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
    statements.raiseNonce(chain, network, claim)
  }
  for (const claim of releases) {
    const { changes } = statements.releaseClaim.run({ chain, network, claim, pendingId })
    // What is sealed as released and is not would make this ledger a damaged one.
    if (changes === 1) continue
    throw new KmsError('unexpected', 'nobody has the claim that a payment is to release')
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
