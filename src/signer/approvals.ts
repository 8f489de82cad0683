import { hex } from '../base/bytes.ts'
import { KmsError } from '../base/errors.ts'
import type { Intent, Network, PendingTx } from '../base/model.ts'
import type { Chain, Own } from '../chains/chain.ts'
import {
  type ApprovalRequest,
  type ApprovalSubject,
  approvalDigest,
  requestApproval,
} from '../guard/signed-approval.ts'
import {
  type ApprovalRules,
  describeShortage,
  type Judgement,
  judgeVerdicts,
  type SignedVerdict,
} from '../guard/signed-verdicts.ts'
import type { Vault } from '../vault/vault.ts'
import { createNonces, type Nonces } from './approval-nonces.ts'
import { ApproverDenial } from './decisions.ts'
import type { Ledger } from './ledger.ts'

/** Whose signatures payments need, and what was given out to be signed. */
export type Approvals = { readonly rules: ApprovalRules; readonly nonces: Nonces }

/** Null where the owner has named no keys. */
export function createApprovals(
  { keys, approvals }: ApprovalRules,
  now: () => number,
): Approvals | null {
  return keys.length === 0 ? null : { rules: { keys, approvals }, nonces: createNonces(now) }
}

export type ApprovalDeps = {
  readonly vault: Pick<Vault, 'vaultId'>
  readonly ledger: Pick<Ledger, 'denied' | 'history'>
  readonly network: Network
  readonly approvals: Approvals | null
  readonly now: () => number
}

/** A payment, and what it does. */
export type Approvable = {
  readonly chain: Chain
  readonly pending: PendingTx
  readonly own: Own
  /** Its fee aside, it is the same before and after completion. */
  readonly intent: Intent
}

/** What approvers are to be told; refused where the owner has named none. */
export function approvalOf(deps: ApprovalDeps, approvable: Approvable): ApprovalRequest {
  const { nonces } = needApprovals(deps)
  const subject = subjectOf(deps, approvable)
  return requestApproval(subject, nonces.give(subject.pending.id, approvalDigest(subject)))
}

/**
 * The keys of those who have signed that the payment may be made, as completed; none where the owner
 * has named none. Throws where they are too few, and `ApproverDenial` where one has signed a no.
 */
export function requireApprovals(
  deps: ApprovalDeps,
  approvable: Approvable,
  verdicts: readonly SignedVerdict[],
): readonly string[] {
  refuseDenied(deps, approvable.pending)
  if (deps.approvals === null) return []
  const { rules } = deps.approvals
  const subject = subjectOf(deps, approvable)
  const judged = refuseSignedNo(deps, subject, verdicts)
  if (judged.approved.length < rules.approvals) {
    throw new KmsError('approver-unreachable', describeShortage(rules, judged))
  }
  refuseFeeAbove(subject.feeCeiling, approvable.intent)
  return judged.approved
}

/** Throws `ApproverDenial` when one of the verdicts is a no. */
export function refuseIfDenied(
  deps: ApprovalDeps,
  approvable: Approvable,
  verdicts: readonly SignedVerdict[],
): void {
  refuseSignedNo(deps, subjectOf(deps, approvable), verdicts)
}

/** A signed no is for ever, whoever lists the id again, with whatever contents. */
export function refuseDenied({ ledger }: Pick<ApprovalDeps, 'ledger'>, { id }: PendingTx): void {
  const denial = ledger.denied(id)
  if (denial === undefined) return
  throw new KmsError('approver-denied', denial.reason)
}

function subjectOf(
  deps: ApprovalDeps,
  { chain, pending, own, intent }: Approvable,
): ApprovalSubject {
  const { vault, ledger, network } = deps
  return {
    vaultId: vault.vaultId,
    network,
    pending,
    signedBefore: ledger.history(pending.id).length,
    intent,
    feeCeiling: chain.feeCeiling(pending, own),
  }
}

function refuseSignedNo(
  deps: ApprovalDeps,
  subject: ApprovalSubject,
  verdicts: readonly SignedVerdict[],
): Judgement {
  const { rules, nonces } = needApprovals(deps)
  const digest = approvalDigest(subject)
  const nonce = nonces.find(subject.pending.id, digest)
  if (nonce === undefined) {
    throw new KmsError('approver-unreachable', 'nobody was asked to approve this payment of late')
  }
  const judged = judgeVerdicts(rules, { digest, nonce, now: deps.now() }, verdicts)
  if (judged.denied.length === 0) return judged
  const by = judged.denied
  throw new ApproverDenial(`denied by ${by.map(shortName).join(' and ')}`, {
    digest: hex(digest),
    by,
  })
}

/** Enough of a key for a person to tell it from the others. */
function shortName(key: string): string {
  return `key ${key.slice(0, 8)}…`
}

/** What completion has added is the fee, and whoever approved has seen a bound for it. */
function refuseFeeAbove(ceiling: ApprovalSubject['feeCeiling'], { fee }: Intent): void {
  if (fee !== undefined && fee.asset === ceiling.asset && fee.amount <= ceiling.amount) return
  throw new KmsError('transaction-refused', 'the fee is above what was approved')
}

function needApprovals({ approvals }: ApprovalDeps): Approvals {
  if (approvals !== null) return approvals
  throw new KmsError('unexpected', 'this signer has no keys of approvers')
}
