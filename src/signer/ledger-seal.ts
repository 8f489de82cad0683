import { u16, u32, u64 } from '../base/binary.ts'
import { concat, equalBytes, utf8 } from '../base/bytes.ts'
import { KmsError } from '../base/errors.ts'
import { hmac } from '../secret/kdf.ts'
import type { Secret } from '../secret/secret.ts'

/** A signature as it stands in the ledger's tables. */
export type LedgerRecord = {
  readonly pendingId: string
  readonly chain: string
  readonly network: string
  readonly serializedHash: Uint8Array
  readonly txData: string
  readonly txId: string
  /** JSON. */
  readonly facts: string
  readonly claims: readonly string[]
  /** Claims of another record that nobody has from here on. */
  readonly releases: readonly string[]
  readonly signedAt: bigint
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
  records: readonly LedgerRecord[],
): Commit {
  const number = (head?.number ?? 0n) + 1n
  const digest = digestOf(records)
  const mac = macOf(auditKey, head?.mac ?? noMac, { number, generation, digest })
  return { number, generation, digest, mac }
}

/**
 * Every record must carry this vault's seal, in an unbroken chain: a foreign or edited ledger must
 * be neither believed nor added to. A tail that was cut off is the one thing this cannot see.
 *
 * @param records in the order of their commits
 */
export function verifyChain(
  auditKey: Secret,
  commits: Iterable<Commit>,
  records: Iterator<LedgerRecord & Pick<Commit, 'number'>>,
): void {
  let next = records.next()
  let head: Commit | undefined
  for (const commit of commits) {
    const own: LedgerRecord[] = []
    for (; !next.done && next.value.number === commit.number; next = records.next()) {
      own.push(next.value)
    }
    const sealed = sealCommit(auditKey, head, commit.generation, own)
    if (sealed.number !== commit.number || !equalBytes(sealed.mac, commit.mac)) throw foreign()
    head = commit
  }
  if (!next.done) throw foreign()
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
 * SHA-256 over every field of every record, each with its length in front; claims are sorted. No
 * chain has claims that begin like the texts of releases.
 */
function digestOf(records: readonly LedgerRecord[]): Uint8Array {
  const hash = new Bun.CryptoHasher('sha256')
  for (const record of records) {
    const { pendingId, chain, network, txData, txId, facts } = record
    const claims = record.claims.toSorted()
    const releases = record.releases.toSorted().map(claim => `release/${claim}`)
    const texts = [pendingId, chain, network, txData, txId, facts, ...claims, ...releases]
    hash.update(concat(u16(texts.length), u64(record.signedAt)))
    for (const value of [record.serializedHash, ...texts.map(utf8)]) {
      hash.update(concat(u32(value.length), value))
    }
  }
  return hash.digest()
}

export function foreign(): KmsError {
  return new KmsError('vault-damaged', 'the ledger was not written by this vault or was changed', {
    hint: 'put the newest backup of the ledger in its place',
  })
}
