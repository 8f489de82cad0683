import { isDeepStrictEqual } from 'node:util'
import { KmsError } from '../../base/errors.ts'
import type { ChainReads, NodeReads, Signed } from '../../base/model.ts'
import type { Submission } from '../chain.ts'
import { findFate, isLongExpired, sendTransaction } from './flow-node.ts'
import { askSignature, releaseKey } from './flow-proposal.ts'
import {
  decodeSigned,
  encodeSigned,
  envelopeMessage,
  flowId,
  payloadMessage,
  type SignedFlowTx,
} from './flow-rlp.ts'
import { isOneKey } from './flow-tx.ts'

/** Has Tatum's accounts sign, the payer last: its signature is over those of the others. */
export async function finishFlow(txData: string, reads: ChainReads): Promise<Signed> {
  const ours = decodeSigned(txData)
  const { tx } = ours
  const proposer = isOneKey(tx.frame)
    ? '0x'
    : await askSignature('proposer', payloadMessage(tx), reads)
  const proposed = { ...ours, proposer } as const
  const payer = await askSignature('payer', envelopeMessage(proposed), reads)
  const whole = encodeSigned({ ...proposed, payer })
  const final = decodeSigned(whole)
  const isOurs = final.authorizer === ours.authorizer && isDeepStrictEqual(final.tx, tx)
  if (!isOurs) throw new KmsError('unexpected', 'the signatures of others changed the payment')
  return { txData: whole, txId: flowId(final) }
}

/**
 * Sends a transaction and waits until the network has sealed what came of it. Bytes that arrived
 * before are not carried out twice, so that nothing needs to be looked up first.
 *
 * @param trustsIds the node may call the transaction something else than we do, as the one the
 *   original was recorded with: then its name is looked for and told
 */
export async function submitFlow(
  txData: string,
  trustsIds: boolean,
  reads: ChainReads,
): Promise<Submission> {
  const signed = decodeSigned(txData)
  const { proposer } = signed.tx.frame
  const { txId, isDone } = await carryOut(signed, trustsIds, reads)
  // Not done is also one that failed: the network undid it, and never takes these bytes again.
  await releaseKey(proposer.keyId, isDone ? txId : '', reads)
  return isDone ? { kind: 'sent', txData: txId } : { kind: 'expired' }
}

type Outcome = { readonly txId: string; readonly isDone: boolean }

async function carryOut(
  signed: SignedFlowTx,
  trustsIds: boolean,
  reads: ChainReads,
): Promise<Outcome> {
  const ownId = flowId(signed)
  const txId = await handIn(signed, ownId, reads.node('flow'))
  if (txId === undefined) return { txId: ownId, isDone: false }
  if (txId !== ownId && !trustsIds) {
    throw new KmsError(
      'network',
      'the Flow node answers with another transaction than it was given',
    )
  }
  const isDone = await awaitSeal(txId, reads)
  if (txId !== ownId) reads.warn('transaction has another id', `the Flow node calls it ${txId}`)
  // What became of another transaction does not close this one.
  if (isDone || txId === ownId) return { txId, isDone }
  throw new KmsError('network', 'the Flow node took it for another transaction, which failed')
}

/** Answers the id to look for; undefined when the transaction came too late to ever arrive. */
async function handIn(
  signed: SignedFlowTx,
  ownId: string,
  node: NodeReads,
): Promise<string | undefined> {
  try {
    return await sendTransaction(node, signed)
  } catch (thrown) {
    // It may have arrived before, and be too old now to be taken again.
    if ((await findFate(node, ownId)) !== 'unknown') return ownId
    if (await isLongExpired(node, signed.tx.frame.referenceBlock)) return undefined
    throw thrown
  }
}

/** A block takes a second, a seal some ten: looked for a minute, and again at the next poll. */
const pauseMs = 1_500
const looks = 40

/** Whether it was carried out; false when it never will be. */
async function awaitSeal(txId: string, reads: ChainReads): Promise<boolean> {
  for (let look = 0; look < looks; look++) {
    const fate = await findFate(reads.node('flow'), txId)
    if (fate === 'done') return true
    if (fate === 'failed' || fate === 'expired') return false
    await reads.wait(pauseMs)
  }
  throw new KmsError('network', 'the Flow network has not sealed the transaction yet')
}
