import { u32, u64 } from '../base/binary.ts'
import { equalBytes, hex } from '../base/bytes.ts'
import { KmsError } from '../base/errors.ts'
import { hmac } from '../secret/kdf.ts'
import type { Secret } from '../secret/secret.ts'

/** A signature as it stands in the ledger's tables. */
export type SignedRecord = {
  readonly pendingId: string
  readonly chain: string
  readonly network: string
  readonly serializedHash: Uint8Array
  readonly txData: string
  readonly txId: string
  /** JSON. */
  readonly facts: string
  readonly claims: readonly string[]
  /** Claims of other records that are not theirs from here on. */
  readonly releases: readonly Release[]
  readonly signedAt: bigint
}

/** A claim, and the pending id of the record that had it. */
export type Release = { readonly claim: string; readonly of: string }

/** A decision as it stands there; see `Decision`. */
export type DecisionRecord = {
  readonly pendingId: string
  readonly chain: string
  readonly network: string
  readonly serializedHash: Uint8Array
  readonly what: string
  readonly code: string
  readonly reason: string
  /** Hex, or empty. */
  readonly digest: string
  /** JSON: a list of keys. */
  readonly decidedBy: string
  readonly decidedAt: bigint
}

/** What one commit holds, each kind in the order of its rows. */
export type Records = {
  readonly signed: readonly SignedRecord[]
  readonly decisions: readonly DecisionRecord[]
}

/** One durable write of the ledger; `mac` chains it to the one before. */
export type Commit = {
  readonly number: bigint
  /** Of the vault, when this was written. */
  readonly generation: bigint
  readonly digest: Uint8Array
  readonly mac: Uint8Array
}

/** Seals `records` as the commit after `head`. */
export function sealCommit(
  auditKey: Secret,
  head: Pick<Commit, 'number' | 'mac'> | undefined,
  generation: bigint,
  records: Records,
): Commit {
  const number = (head?.number ?? 0n) + 1n
  const digest = digestOf(records)
  const mac = macOf(auditKey, head?.mac ?? noMac, { number, generation, digest })
  return { number, generation, digest, mac }
}

/** What a ledger's tables hold, each in the order in which it was committed. */
export type Tables = {
  readonly commits: Iterable<Commit>
  readonly signed: Iterable<SignedRecord & Numbered>
  readonly decisions: Iterable<DecisionRecord & Numbered>
}

/** By the number of its commit. */
export type Numbered = Pick<Commit, 'number'>

/**
 * The commits with their records, each once its seal was found to be this vault's, in an unbroken
 * chain: a foreign or edited ledger must be neither believed nor added to. Who stops before the end
 * has not seen whether rows are left that no commit covers. A tail that was cut off is the one thing
 * this cannot see.
 */
export function* verifyChain(
  auditKey: Secret,
  tables: Tables,
): Generator<{ readonly commit: Commit; readonly records: Records }> {
  const signed = takerOf(tables.signed)
  const decisions = takerOf(tables.decisions)
  let head: Commit | undefined
  for (const commit of tables.commits) {
    const records = { signed: signed.take(commit), decisions: decisions.take(commit) }
    const sealed = sealCommit(auditKey, head, commit.generation, records)
    if (sealed.number !== commit.number || !equalBytes(sealed.mac, commit.mac)) throw foreign()
    // Not chained on: the MAC is over the digest that the records come to.
    if (!equalBytes(sealed.digest, commit.digest)) throw foreign()
    yield { commit, records }
    head = commit
  }
  if (signed.isLeft() || decisions.isLeft()) throw foreign()
}

/** Takes rows off the front for as long as they belong to a commit. */
function takerOf<T extends Numbered>(rows: Iterable<T>) {
  const iterator = rows[Symbol.iterator]()
  let next = iterator.next()
  return {
    take({ number }: Numbered): readonly T[] {
      const taken: T[] = []
      for (; !next.done && next.value.number === number; next = iterator.next()) {
        taken.push(next.value)
      }
      return taken
    },
    isLeft: () => !next.done,
  }
}

const noMac = new Uint8Array(32)

/** HMAC-SHA256(audit key, previous head ‖ counter ‖ generation ‖ digest of the records). */
function macOf(
  auditKey: Secret,
  previous: Uint8Array,
  { number, generation, digest }: Omit<Commit, 'mac'>,
): Uint8Array {
  const facts = [previous, u64(number), u64(generation), digest]
  using mac = auditKey.use(key => hmac('sha256', key, ...facts))
  return mac.use(bytes => bytes.slice())
}

/**
 * SHA-256 over every field of every record, as text: numbers in decimals, bytes in hex. Lists, of
 * whatever is in them, begin with their length, and so do texts: nothing can be moved from one to the
 * next. What stands in no order is sorted.
 */
function digestOf({ signed, decisions }: Records): Uint8Array {
  const hash = new Bun.CryptoHasher('sha256')
  hash.update(u32(signed.length))
  for (const record of signed) hashSigned(hash, record)
  hash.update(u32(decisions.length))
  for (const record of decisions) hashDecision(hash, record)
  return hash.digest()
}

function hashSigned(hash: Bun.CryptoHasher, record: SignedRecord): void {
  const { pendingId, chain, network, serializedHash, txData, txId, facts, signedAt } = record
  const contents = hex(serializedHash)
  const releases = record.releases.toSorted((a, b) => order(a.claim, b.claim))
  hashTexts(hash, [pendingId, chain, network, contents, txData, txId, facts, `${signedAt}`])
  hashTexts(hash, record.claims.toSorted())
  hashTexts(
    hash,
    releases.flatMap(({ claim, of }) => [claim, of]),
  )
}

function hashDecision(hash: Bun.CryptoHasher, record: DecisionRecord): void {
  const { pendingId, chain, network, serializedHash, what, code, reason, digest } = record
  const about = [pendingId, chain, network, hex(serializedHash)]
  const { decidedBy, decidedAt } = record
  hashTexts(hash, [...about, what, code, reason, digest, decidedBy, `${decidedAt}`])
}

/** How many, the length of each, and all of them: few calls, since every start reads the ledger. */
function hashTexts(hash: Bun.CryptoHasher, texts: readonly string[]): void {
  const lengths = Buffer.alloc(4 * (texts.length + 1))
  lengths.writeUInt32BE(texts.length)
  texts.forEach((text, i) => {
    lengths.writeUInt32BE(Buffer.byteLength(text), 4 * (i + 1))
  })
  hash.update(lengths)
  hash.update(texts.join(''))
}

/** As `toSorted` does without a comparison. */
function order(a: string, b: string): number {
  if (a === b) return 0
  return a < b ? -1 : 1
}

export function foreign(): KmsError {
  return new KmsError('vault-damaged', 'the ledger was not written by this vault or was changed', {
    hint: 'put the newest backup of the ledger in its place',
  })
}
