import { KmsError } from '../base/errors.ts'
import { encodeJson, type Json } from '../base/json.ts'

/** Approver and signer get the whole entry, members nobody knows included. */
const maxEncoded = 2 * 2 ** 20

/** Refuses an entry of a pending answer that is too large, or nested too deep, to be passed on. */
export function refuseOversized(entry: unknown): void {
  const length = encodedLength(entry)
  if (length === undefined) throw malformed('it is nested too deep')
  if (length > maxEncoded) throw malformed(`it is longer than ${maxEncoded} characters`)
}

function encodedLength(entry: unknown): number | undefined {
  try {
    return encodeJson(entry as Json).length
  } catch {
    // JSON can be nested deeper than its encoder can follow.
    return undefined
  }
}

function malformed(reason: string): KmsError {
  return new KmsError('transaction-malformed', `pending transaction is malformed: ${reason}`)
}
