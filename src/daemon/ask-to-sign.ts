import { KmsError } from '../base/errors.ts'
import { encodeJson } from '../base/json.ts'
import type { SignerClient } from '../signer/client.ts'
import {
  encodeQuestion,
  type LookUp,
  type LookUpResult,
  maxPayments,
  type Payment,
  type Question,
  type ReviewResult,
  type SignResult,
} from '../signer/messages.ts'
import { inBatches } from './batches.ts'

/** Asks the signer for one payment's bytes. */
export type AskToSign = (payment: Payment) => Promise<SignResult>

/** Asks it for the bytes that the ledger has of a payment. */
export type AskIfSigned = (payment: LookUp) => Promise<LookUpResult>

/** Asks it what approvers are to be told of one pending transaction, exactly as Tatum sent it. */
export type AskToReview = (pending: unknown) => Promise<ReviewResult>

/** In characters of JSON: far below what a frame holds, however many bytes a character takes. */
const maxWeight = 8 * 2 ** 20

/** Payments that wait at the same time share a question, and a commit of the ledger. */
export function askInBatches(signer: Pick<SignerClient, 'ask'>): AskToSign {
  return inBatches(
    async (payments: readonly Payment[]) => {
      const { results } = await signer.ask({ type: 'sign', payments })
      return results
    },
    {
      maxItems: maxPayments,
      weigh: payment => lengthOf({ type: 'sign', payments: [payment] }),
      maxWeight,
    },
  )
}

export function lookUpInBatches(signer: Pick<SignerClient, 'ask'>): AskIfSigned {
  return inBatches(
    async (payments: readonly LookUp[]) => {
      const { results } = await signer.ask({ type: 'signed', payments })
      return results
    },
    { maxItems: maxPayments },
  )
}

export function reviewInBatches(signer: Pick<SignerClient, 'ask'>): AskToReview {
  return inBatches(
    async (pending: readonly unknown[]) => {
      const { results } = await signer.ask({ type: 'review', pending })
      return results
    },
    {
      maxItems: maxPayments,
      weigh: sent => lengthOf({ type: 'review', pending: [sent] }),
      maxWeight,
    },
  )
}

/** As it will stand in a frame: what cannot be encoded there must not take others along. */
function lengthOf(question: Question): number {
  try {
    return encodeJson({ n: 0, body: encodeQuestion(question) }).length
  } catch (cause) {
    const message = 'pending transaction is malformed: it is nested too deep'
    throw new KmsError('transaction-malformed', message, { cause })
  }
}
