import { KmsError } from '../../base/errors.ts'
import { asInteger, asRecord, asString } from '../../base/json.ts'
import type { NodeReads } from '../../base/model.ts'
import { readSequenceNumber } from './flow-account.ts'
import { readHeightAfterExpiry, wrongShape } from './flow-node.ts'
import type { FilledFlowTx } from './flow-tx.ts'

/** `failed`: its program ran and was undone. `rejected`: that is not proved, but it was not carried out. */
export type Fate = 'open' | 'unknown' | 'done' | 'failed' | 'rejected' | 'expired'

/** What came of the transaction with this id, as far as the node knows. */
export async function findFate(node: NodeReads, id: string): Promise<Fate> {
  const found = await node.find(`/v1/transaction_results/${id}`)
  if (found === undefined) return 'unknown'
  const result = asRecord(found)
  const status = asString(result?.get('status'))
  const error = asString(result?.get('error_message'))
  const code = asInteger(result?.get('status_code'))
  if (status === 'Expired') return 'expired'
  if (status === undefined || error === undefined || code === undefined) {
    throw wrongShape('a result')
  }
  if (status !== 'Sealed') return 'open'
  if (error === '' && code === 0) return 'done'
  return executionFault.test(error) ? 'failed' : 'rejected'
}

/**
 * Errors of programs that ran are 1100 to 1199 (flow-go, fvm/errors/codes.go). The text goes on with
 * what programs say themselves.
 */
const executionFault = /^\[Error Code: 11\d\d\]/

/**
 * Whether a payment that was not carried out under its id can never be under another: an id depends
 * on the signatures of Tatum, which can make a second transaction of the payload that we signed. Both
 * would need the same sequence number of one key, which is used up by the first that gets as far as
 * its program, whatever comes of that.
 */
export async function canNeverArrive(
  { frame }: FilledFlowTx,
  fate: Fate,
  node: NodeReads,
): Promise<boolean> {
  const { proposer, sequenceNumber, referenceBlock } = frame
  if (fate === 'failed') {
    return (await readSequenceNumber(node, proposer, 'sealed')) > sequenceNumber
  }
  const height = await readHeightAfterExpiry(node, referenceBlock)
  if (height === undefined) return false
  if ((await readSequenceNumber(node, proposer, height)) <= sequenceNumber) return true
  throw new KmsError(
    'network',
    'the sequence number of the Flow transaction was used up, maybe by this payment under another id',
    { hint: 'look in an explorer of Flow whether the account has paid; it is not signed again' },
  )
}
