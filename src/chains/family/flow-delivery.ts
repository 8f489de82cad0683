import { isDeepStrictEqual } from 'node:util'
import { KmsError } from '../../base/errors.ts'
import type { ChainReads, NodeReads, Signed } from '../../base/model.ts'
import type { FinishOwn, Submission } from '../chain.ts'
import type { Hex } from './evm-tx.ts'
import { refuseWrongSignature } from './flow-account.ts'
import { canNeverArrive, type Fate, findFate } from './flow-fate.ts'
import { sendTransaction } from './flow-node.ts'
import { askSignature, type Lent, releaseKey } from './flow-proposal.ts'
import {
  decodeSigned,
  encodeSigned,
  envelopeMessage,
  flowId,
  payloadMessage,
  type SignedFlowTx,
} from './flow-rlp.ts'
import { type FlowKey, isOneKey } from './flow-tx.ts'

/** Has Tatum's accounts sign, the payer last: its signature is over those of the others. */
export async function finishFlow(
  txData: string,
  own: FinishOwn,
  reads: ChainReads,
): Promise<Signed> {
  const ours = decodeSigned(txData)
  const { tx } = ours
  const isChecked = !isRehearsal(own)
  const sign = (role: Lent, message: Uint8Array) =>
    borrowSignature({ role, signer: tx.frame[role], message, isChecked }, reads)
  const proposer = isOneKey(tx.frame) ? '0x' : await sign('proposer', payloadMessage(tx))
  const proposed = { ...ours, proposer } as const
  const payer = await sign('payer', envelopeMessage(proposed))
  const whole = encodeSigned({ ...proposed, payer })
  const final = decodeSigned(whole)
  const isOurs = final.authorizer === ours.authorizer && isDeepStrictEqual(final.tx, tx)
  if (!isOurs) throw new KmsError('unexpected', 'the signatures of others changed the payment')
  return { txData: whole, txId: flowId(final) }
}

type Borrowed = {
  readonly role: Lent
  readonly signer: FlowKey
  readonly message: Uint8Array
  readonly isChecked: boolean
}

async function borrowSignature(
  { role, signer, message, isChecked }: Borrowed,
  reads: ChainReads,
): Promise<Hex> {
  const signature = await askSignature(role, message, reads)
  const signed = { message, signature }
  if (isChecked) await refuseWrongSignature(reads.node('flow'), role, signer, signed)
  return signature
}

/**
 * Sends a transaction and waits until the network has sealed what came of it. Bytes that arrived
 * before are not carried out twice, so that nothing needs to be looked up first.
 */
export async function submitFlow(
  txData: string,
  own: FinishOwn,
  reads: ChainReads,
): Promise<Submission> {
  const signed = decodeSigned(txData)
  const txId = await carryOut(signed, isRehearsal(own), reads)
  await releaseKey(signed.tx.frame.proposer.keyId, txId ?? '', reads)
  return txId === undefined ? { kind: 'expired' } : { kind: 'sent', txData: txId }
}

/**
 * Whether node and API may be the ones that the original was recorded with: their ids, keys and
 * signatures are made up. Where there is money nobody is believed.
 */
function isRehearsal({ network, settings }: FinishOwn): boolean {
  return network === 'testnet' && settings.flowScripts === 'original'
}

/** Answers the id under which it was carried out; undefined when it never will be under any. */
async function carryOut(
  signed: SignedFlowTx,
  trustsIds: boolean,
  reads: ChainReads,
): Promise<string | undefined> {
  const ownId = flowId(signed)
  const node = reads.node('flow')
  const txId = await handIn(signed, ownId, node)
  if (txId === undefined) return undefined
  if (txId !== ownId && !trustsIds) {
    throw new KmsError(
      'network',
      'the Flow node answers with another transaction than it was given',
    )
  }
  const fate = await awaitFate(txId, reads)
  if (txId !== ownId) reads.warn('transaction has another id', `the Flow node calls it ${txId}`)
  if (fate === 'done') return txId
  // What became of another transaction does not close this one.
  if (txId !== ownId) {
    throw new KmsError('network', 'the Flow node took it for another transaction, which failed')
  }
  if (await canNeverArrive(signed.tx, fate, node)) return undefined
  throw new KmsError('network', 'the Flow network did not carry out the transaction, and still may')
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
    const fate = await findFate(node, ownId)
    if (fate !== 'unknown') return ownId
    if (await canNeverArrive(signed.tx, fate, node)) return undefined
    throw thrown
  }
}

/** A block takes a second, a seal some ten: looked for a minute, and again at the next poll. */
const pauseMs = 1_500
const looks = 40

async function awaitFate(txId: string, reads: ChainReads): Promise<Fate> {
  for (let look = 0; look < looks; look++) {
    const fate = await findFate(reads.node('flow'), txId)
    if (fate !== 'open' && fate !== 'unknown') return fate
    await reads.wait(pauseMs)
  }
  throw new KmsError('network', 'the Flow network has not sealed the transaction yet')
}
