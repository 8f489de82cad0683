import type { Database } from 'bun:sqlite'
import { equalBytes } from '../base/bytes.ts'
import { asArray, encodeJson, parseJson } from '../base/json.ts'
import type { Decision } from './decisions.ts'
import type { DecisionRecord } from './ledger-seal.ts'
import { insertOne, type Row } from './ledger-tables.ts'

/** The decisions in a ledger: those that were written down, and which are to be. */
export type Decisions = {
  /** What of `decisions` is to be written: nothing twice, and not without end. */
  select(decisions: readonly Decision[]): Selected
  /** Within the transaction of its commit. */
  insert(decision: DecisionRecord, number: bigint): void
  /** The newest denial of a payment that approvers have signed. */
  denied(pendingId: string): Decision | undefined
}

type Selected = {
  readonly records: readonly DecisionRecord[]
  /** To be called once they are on disk: what was left out is counted until the ledger says it. */
  settle(): void
}

export function openDecisions(db: Database): Decisions {
  const { newest, denied, deniedAs, insert, countBetween } = prepareStatements(db)
  const withoutRepeated = (decisions: readonly DecisionRecord[]): readonly DecisionRecord[] => {
    const last = new Map<string, DecisionRecord | null>()
    const deniedHere = new Set<string>()
    return decisions.filter(decision => {
      const { pendingId, digest } = decision
      if (isDenial(decision)) {
        // One is final: signed verdicts that are shown again, whatever comes between, say nothing new.
        if (deniedHere.has(pendingId) || deniedAs.get({ pendingId, digest })) return false
        deniedHere.add(pendingId)
      }
      const before = last.get(pendingId) ?? newest.get({ pendingId })
      last.set(pendingId, decision)
      return before === null || !isAlike(before, decision)
    })
  }
  const bound = boundDecisions((from, to) => Number(countBetween.get({ from, to })?.count ?? 0n))
  return {
    select: decisions => bound(withoutRepeated(decisions.map(asRecord))),
    insert(decision, number) {
      insertOne(insert, { ...decision, number })
    },
    denied(pendingId) {
      const row = denied.get({ pendingId })
      return row === null ? undefined : asDecision(row)
    },
  }
}

/** A front that invents ids must not fill the disk: no more in an hour, of what costs it nothing. */
const maxPerWindow = 10_000
const windowMs = 3_600_000n
/** How often the ledger says how many it does not hold. */
const sayEveryMs = 60_000n

/**
 * Passes on as many decisions as there is room for, and now and then one that stands for the others.
 * What approvers have signed always passes: no front can make that up, and each is there once.
 *
 * @param countBetween how many decisions the ledger has of a time
 */
function boundDecisions(countBetween: (from: bigint, to: bigint) => number) {
  let leftOut = 0
  let saidAt: bigint | undefined
  return (decisions: readonly DecisionRecord[]): Selected => {
    const last = decisions.at(-1)
    if (last === undefined) return { records: [], settle() {} }
    const now = last.decidedAt
    let room = maxPerWindow - countBetween(now - windowMs, now)
    const kept = decisions.filter(decision => isDenial(decision) || room-- > 0)
    const unsaid = leftOut + decisions.length - kept.length
    const isSilent = saidAt === undefined || now >= saidAt + sayEveryMs || now < saidAt
    const says = unsaid > 0 && isSilent
    return {
      records: says ? [...kept, leftOutRecord(last, unsaid)] : kept,
      settle() {
        leftOut = says ? 0 : unsaid
        if (says) saidAt = now
      },
    }
  }
}

function isDenial({ what }: Pick<DecisionRecord, 'what'>): boolean {
  return what === 'denied-by-approver'
}

function leftOutRecord({ network, decidedAt }: DecisionRecord, number: number): DecisionRecord {
  return {
    pendingId: '',
    chain: '',
    network,
    serializedHash: new Uint8Array(),
    what: 'left-out',
    code: 'partly-done',
    reason: `${number} more are not written down: there were over ${maxPerWindow} in an hour`,
    digest: '',
    decidedBy: '[]',
    decidedAt,
  }
}

/** The same decision again, whatever numbers its sentence has by now. */
function isAlike(a: DecisionRecord, b: DecisionRecord): boolean {
  const names = ['chain', 'network', 'what', 'code', 'digest', 'decidedBy'] as const
  return (
    names.every(name => a[name] === b[name]) &&
    withoutNumbers(a.reason) === withoutNumbers(b.reason) &&
    equalBytes(a.serializedHash, b.serializedHash)
  )
}

function withoutNumbers(text: string): string {
  return text.replaceAll(/\d+/g, '#')
}

const maxReason = 500

function asRecord({ digest, by, decidedAt, reason, ...decision }: Decision): DecisionRecord {
  return {
    ...decision,
    reason: reason.slice(0, maxReason).toWellFormed(),
    digest: digest ?? '',
    decidedBy: encodeJson(by),
    decidedAt: BigInt(decidedAt),
  }
}

type StoredDenial = Omit<Decision, 'by' | 'decidedAt'> & {
  readonly decidedBy: string
  readonly decidedAt: bigint
}

function asDecision({ decidedBy, decidedAt, ...decision }: StoredDenial): Decision {
  const by = (asArray(parseJson(decidedBy)) ?? []).map(String)
  return { ...decision, by, decidedAt: Number(decidedAt) }
}

function prepareStatements(db: Database) {
  const columns = `pending_id AS pendingId, chain, network, serialized_hash AS serializedHash,
    what, code, reason, digest, decided_by AS decidedBy, decided_at AS decidedAt`
  const ofPayment = `SELECT ${columns} FROM decisions WHERE pending_id = $pendingId`
  return {
    newest: db.query<DecisionRecord, Row>(`${ofPayment} ORDER BY rowid DESC LIMIT 1`),
    denied: db.query<StoredDenial, Row>(
      `${ofPayment} AND what = 'denied-by-approver' ORDER BY rowid DESC LIMIT 1`,
    ),
    deniedAs: db.query<unknown, Row>(
      `SELECT 1 FROM decisions
       WHERE pending_id = $pendingId AND what = 'denied-by-approver' AND digest = $digest`,
    ),
    insert: db.query<unknown, Row>(
      `INSERT INTO decisions (commit_number, pending_id, chain, network, serialized_hash, what, code,
                              reason, digest, decided_by, decided_at)
       VALUES ($number, $pendingId, $chain, $network, $serializedHash, $what, $code,
               $reason, $digest, $decidedBy, $decidedAt)`,
    ),
    countBetween: db.query<{ count: bigint }, Row>(
      'SELECT count(*) AS count FROM decisions WHERE decided_at > $from AND decided_at <= $to',
    ),
  }
}
