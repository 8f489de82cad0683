import { fromHex } from '../base/bytes.ts'
import { asKmsError, type ErrorCode, KmsError } from '../base/errors.ts'
import { asRecord, type Json } from '../base/json.ts'
import type { Approver, SigningApprover } from '../guard/approval.ts'
import type { ApprovalRequest } from '../guard/signed-approval.ts'
import {
  type ApprovalRules,
  describeShortage,
  judgeVerdicts,
  type SignedVerdict,
} from '../guard/signed-verdicts.ts'
import type { Verdict } from '../guard/verdict.ts'
import type { SignerClient } from '../signer/client.ts'
import type { ReviewResult } from '../signer/messages.ts'
import type { AskToReview } from './ask-to-sign.ts'

/**
 * Asks whether a payment may be made, and throws unless it may.
 *
 * @param sent as Tatum sent it
 * @returns what the signer is to be shown
 */
export type Approve = (
  pendingId: string,
  sent: unknown,
  signal: AbortSignal,
) => Promise<readonly SignedVerdict[]>

/** Approvers have signed a no: it is final, also for a daemon that starts anew. */
export class DeniedForGood extends KmsError {
  constructor(reason: string) {
    super('approver-denied', reason)
  }
}

/** The answer's status is the verdict. */
export function approveByStatus(approver: Approver): Approve {
  return async (pendingId, sent, signal) => {
    const verdict = await approver(pendingId, sent as Json, signal)
    if (verdict.kind !== 'approved') throw faultOf(verdict)
    return []
  }
}

/** What the signer goes by, and how it is asked about it. */
export type SignedApproval = {
  readonly rules: ApprovalRules
  readonly review: AskToReview
  readonly signer: Pick<SignerClient, 'ask'>
  readonly now: () => number
}

/** The answer's body is. The signer has the last word; here is seen what need not go so far. */
export function approveBySignature(
  approver: SigningApprover,
  { rules, review, signer, now }: SignedApproval,
): Approve {
  return async (pendingId, sent, signal) => {
    const approval = requireReviewed(await review(sent))
    const asked = { ...Object.fromEntries(asRecord(sent) ?? []), approval } as Json
    const answer = await approver(pendingId, asked, signal)
    if (answer.kind !== 'answered') throw faultOf(answer)
    const { verdicts } = answer
    const judged = judgeVerdicts(rules, { ...bytesOf(approval), now: now() }, verdicts)
    if (judged.denied.length > 0) await denyForGood(signer, sent, verdicts)
    if (judged.approved.length >= rules.approvals) return verdicts
    throw new KmsError('approver-unreachable', describeShortage(rules, judged))
  }
}

/** A refusal of the signer as a fault; a denial that it speaks of was signed. */
export function refusalOf({ code, reason }: Refusal): KmsError {
  if (code === 'approver-denied') return new DeniedForGood(reason)
  return new KmsError(code as ErrorCode, reason)
}

type Refusal = { readonly code: string; readonly reason: string }

function faultOf({ kind, reason }: Exclude<Verdict, { readonly kind: 'approved' }>): KmsError {
  return new KmsError(kind === 'denied' ? 'approver-denied' : 'approver-unreachable', reason)
}

function requireReviewed(result: ReviewResult): ApprovalRequest {
  if (result.kind === 'to-approve') return result.approval
  throw refusalOf(result)
}

function bytesOf({ digest, nonce }: ApprovalRequest) {
  return { digest: fromHex(digest) ?? new Uint8Array(), nonce: fromHex(nonce) ?? new Uint8Array() }
}

/** The signer must remember it, or another front would ask again. */
async function denyForGood(
  signer: SignedApproval['signer'],
  pending: unknown,
  verdicts: readonly SignedVerdict[],
): Promise<void> {
  try {
    const { reason } = await signer.ask({ type: 'deny', pending, verdicts })
    if (reason !== null) throw new DeniedForGood(reason)
  } catch (thrown) {
    const { code, message: reason } = asKmsError(thrown)
    throw code === 'approver-denied' ? new DeniedForGood(reason) : thrown
  }
}
