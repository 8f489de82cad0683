import { KmsError } from '../base/errors.ts'
import { encodeJson } from '../base/json.ts'
import type { SignerClient } from '../signer/client.ts'
import { encodeQuestion, type Payment, type SignResult } from '../signer/messages.ts'
import { inBatches } from './batches.ts'

/** Asks the signer for one payment's bytes. */
export type AskToSign = (payment: Payment) => Promise<SignResult>

/** One batch keeps the signer busy for a fraction of a second, however many wait. */
const maxPayments = 500
/** In characters of JSON: far below what a frame holds, however many bytes a character takes. */
const maxLength = 8 * 2 ** 20

/** Payments that wait at the same time share a question, and a commit of the ledger. */
export function askInBatches(signer: Pick<SignerClient, 'ask'>): AskToSign {
  return inBatches(
    async (payments: readonly Payment[]) => {
      const { results } = await signer.ask({ type: 'sign', payments })
      return results
    },
    { maxItems: maxPayments, weigh: lengthOf, maxWeight: maxLength },
  )
}

/** As it will stand in a frame: what cannot be encoded there must not take others along. */
function lengthOf(payment: Payment): number {
  try {
    return encodeJson({ n: 0, body: encodeQuestion({ type: 'sign', payments: [payment] }) }).length
  } catch (cause) {
    const message = 'pending transaction is malformed: it is nested too deep'
    throw new KmsError('transaction-malformed', message, { cause })
  }
}
