import { parseJson } from '../base/json.ts'
import type { Network } from '../base/model.ts'
import type { Judged, Policy } from '../guard/policy.ts'
import { type Judgement, judge } from '../guard/policy-judge.ts'
import { createSums, type Sums } from '../guard/policy-sums.ts'
import { readRowId } from './ledger-ids.ts'
import { judgedFrom } from './policy-facts.ts'
import type { LedgerReader } from './read-ledger.ts'

/** A payment of the ledger, and what a policy says of it. */
export type Replayed = {
  readonly pendingId: string
  readonly chain: string
  readonly signedAt: number
  readonly judgement: Judgement
}

/**
 * What a policy would have said of every payment of the ledger, each at its time. What it would have
 * denied would not have gone out, and so takes nothing of its windows.
 */
export function* replayPolicy(
  policy: Policy,
  ledger: Pick<LedgerReader, 'records'>,
  network: Network,
): Generator<Replayed> {
  const sums = createSums(policy.caps)
  for (const { pendingId, judged, signedAt } of paymentsIn(ledger, network)) {
    const judgement = judge(policy, judged, sums.spentAt(signedAt))
    if (judgement.kind === 'approved') sums.count(judged, signedAt)
    yield { pendingId, chain: judged.chain, signedAt, judgement }
  }
}

/** What the windows of a policy hold of what the ledger has, and the time of the newest signature. */
export function sumsOf(
  policy: Policy,
  ledger: Pick<LedgerReader, 'records'>,
  network: Network,
): { readonly sums: Sums; readonly newest: number } {
  const sums = createSums(policy.caps)
  let newest = 0
  for (const { judged, signedAt } of paymentsIn(ledger, network)) {
    sums.count(judged, signedAt)
    newest = signedAt
  }
  return { sums, newest }
}

type Payment = {
  readonly pendingId: string
  readonly judged: Judged
  readonly signedAt: number
}

/** As `Ledger.signedSince`, of a ledger that is only read: each payment once, with its newest bytes. */
function* paymentsIn(ledger: Pick<LedgerReader, 'records'>, network: Network): Generator<Payment> {
  const versions = new Map<string, number>()
  for (const record of ledger.records()) {
    const row = readRowId(record.pendingId)
    if (record.kind !== 'signed' || row.kind !== 'bytes' || row.version === 0) continue
    versions.set(row.pendingId, row.version)
  }
  let newest = 0
  for (const record of ledger.records()) {
    if (record.kind !== 'signed' || record.network !== network) continue
    newest = Math.max(newest, Number(record.signedAt))
    const row = readRowId(record.pendingId)
    if (row.kind === 'cancellation' || row.version !== (versions.get(row.pendingId) ?? 0)) {
      continue
    }
    const judged = judgedFrom(record.chain, parseJson(record.facts))
    yield { pendingId: row.pendingId, judged, signedAt: newest }
  }
}
