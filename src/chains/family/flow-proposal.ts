import { hex } from '../../base/bytes.ts'
import { asKmsError, KmsError } from '../../base/errors.ts'
import { asRecord, asString } from '../../base/json.ts'
import type { ChainReads } from '../../base/model.ts'
import type { Hex } from './evm-tx.ts'
import type { FlowKey } from './flow-tx.ts'
import { asQuantity } from './members.ts'

/** The accounts that Tatum lends to payments of Flow: one proposes them, one pays for them. */

export type Lent = 'proposer' | 'payer'

/** Which key is lent. A proposer's belongs to one payment until it is released. */
export async function borrowKey(role: Lent, reads: ChainReads): Promise<FlowKey> {
  const answer = asRecord(await reads.get(`/v3/flow/proposal/${role === 'payer'}`))
  const [, digits] = /^(?:0x)?([0-9a-fA-F]{16})$/.exec(asString(answer?.get('address')) ?? '') ?? []
  const keyId = asQuantity(answer?.get('keyId'))
  if (digits !== undefined && keyId !== undefined && keyId <= maxKeyId) {
    return { address: `0x${digits.toLowerCase()}`, keyId: Number(keyId) }
  }
  throw new KmsError('network', `the Tatum API named no key of a ${role} on Flow`)
}

/** Key ids are 32 bits. */
export const maxKeyId = 2n ** 32n - 1n

export async function askSignature(
  role: Lent,
  message: Uint8Array,
  reads: ChainReads,
): Promise<Hex> {
  const asked = { data: hex(message), isPayer: role === 'payer' }
  const answer = asRecord(await reads.post('/v3/flow/sign', asked))
  const signature = asString(answer?.get('signature')) ?? ''
  const [, digits] = /^(?:0x)?([0-9a-fA-F]{128})$/.exec(signature) ?? []
  if (digits !== undefined) return `0x${digits.toLowerCase()}`
  throw new KmsError('network', `the Tatum API gave no signature of the ${role}`)
}

/**
 * Gives the proposer's key back, with the transaction that it was for, or '' when that will never
 * run. No payment depends on it: that it failed is told, and the key is missing to Tatum alone.
 */
export async function releaseKey(keyId: number, txId: string, reads: ChainReads): Promise<void> {
  try {
    await reads.post('/v3/flow/broadcast', { txData: txId, proposalKey: keyId })
  } catch (thrown) {
    reads.warn('proposal key not released', asKmsError(thrown).message)
  }
}
