import { type ErrorCode, KmsError } from '../base/errors.ts'
import type { Network } from '../base/model.ts'

/**
 * What the signer has decided, apart from what it has signed (that is a row of its own, with its
 * facts). A decision goes into the ledger with the signatures of its batch, in the same durable and
 * sealed commit: `Ledger.commit(entries, decisions)`. Who refuses a payment throws, as ever:
 *
 * - any `KmsError`: `refused`, and `policy-denied` is `denied-by-policy`;
 * - `ApproverDenial`: `denied-by-approver`, with the digest and the keys that signed. It is final:
 *   `Ledger.denied(pendingId)` answers it from then on, over restarts.
 *
 * `decisionOn` makes the row of what was thrown; sign-batch.ts does that for all that `prepareJob`
 * throws. A payment that only waits (`too-early`) is not decided upon.
 */
export type Decision = {
  readonly pendingId: string
  readonly chain: string
  readonly network: Network
  /** SHA-256 of the serializedTransaction as Tatum sent it. */
  readonly serializedHash: Uint8Array
  readonly what: DecisionKind
  readonly code: ErrorCode
  readonly reason: string
  /** What the approvers have signed, in hex. */
  readonly digest: string | null
  /** Keys of the approvers who have decided. */
  readonly by: readonly string[]
  /** Milliseconds since 1970. */
  readonly decidedAt: number
}

/** `left-out` stands for decisions that were too many to write down; see `boundDecisions`. */
type DecisionKind = 'refused' | 'denied-by-policy' | 'denied-by-approver' | 'left-out'

/** A refusal that approvers have signed. */
export class ApproverDenial extends KmsError {
  readonly digest: string
  readonly by: readonly string[]

  /** @param signed the digest, in hex, and the keys that signed it */
  constructor(
    message: string,
    { digest, by }: { readonly digest: string; readonly by: readonly string[] },
  ) {
    super('approver-denied', message)
    this.digest = digest
    this.by = by
  }
}

/** Which payment a decision is about. */
export type Decided = Pick<Decision, 'pendingId' | 'chain' | 'network' | 'serializedHash'>

/** The decision that a fault comes to; undefined for a payment that is to be asked for again later. */
export function decisionOn(
  decided: Decided,
  fault: KmsError,
  decidedAt: number,
): Decision | undefined {
  if (fault.code === 'too-early') return undefined
  const { code, message: reason } = fault
  const { digest, by } = fault instanceof ApproverDenial ? fault : unsigned
  return { ...decided, what: kindOf(fault), code, reason, digest, by, decidedAt }
}

const unsigned = { digest: null, by: [] } as const

function kindOf(fault: KmsError): DecisionKind {
  if (fault instanceof ApproverDenial) return 'denied-by-approver'
  return fault.code === 'policy-denied' ? 'denied-by-policy' : 'refused'
}
