import { base58Text } from '../../base/base58.ts'
import { asKmsError, KmsError } from '../../base/errors.ts'
import { asArray, asInteger, asRecord } from '../../base/json.ts'
import type { ChainReads } from '../../base/model.ts'
import type { Submission } from '../chain.ts'
import { rpcPath } from './sol-completion.ts'
import { readSigned } from './sol-signing.ts'
import type { FilledSolTx } from './sol-tx.ts'

type Rpc = Pick<ChainReads, 'rpc' | 'wait'>

type Sent = { readonly wire: string; readonly txId: string; readonly tx: FilledSolTx }

/** A look at once, for bytes that were sent before; then as the original after 1, 2, … 9 s more. */
const pausesMs = Array.from({ length: 10 }, (_, i) => 1_000 * i)

/**
 * Sends the transaction, and waits until it is confirmed. The network takes the same bytes once only,
 * and drops some that it was handed: sending them comes first, however often they were sent before.
 */
export async function submitSol(txData: string, reads: Rpc): Promise<Submission> {
  const { wire, signature, tx } = readSigned(txData)
  const sent: Sent = { wire, txId: base58Text(signature), tx }
  const fault = await send(sent, reads)
  // Bytes that a node does not take may have arrived before.
  if (await isConfirmed(sent, reads, fault === undefined ? pausesMs : [0])) {
    return { kind: 'sent', txData: sent.txId }
  }
  if (await isOver(sent, reads)) return { kind: 'expired' }
  throw fault ?? new KmsError('network', 'the network has not confirmed the transaction so far')
}

async function send({ wire }: Sent, { rpc }: Rpc): Promise<KmsError | undefined> {
  try {
    const options = { encoding: 'base64', preflightCommitment: 'confirmed' }
    await rpc(rpcPath, 'sendTransaction', [wire, options])
    return undefined
  } catch (thrown) {
    return asKmsError(thrown)
  }
}

/** Whether it is in a block that most of the network voted for, and was carried out. */
async function isConfirmed(
  { txId }: Sent,
  { rpc, wait }: Rpc,
  pauses: readonly number[],
): Promise<boolean> {
  for (const pause of pauses) {
    if (pause > 0) await wait(pause)
    const found = asRecord(
      await rpc(rpcPath, 'getTransaction', [txId, { commitment: 'confirmed' }]),
    )
    if (found === undefined) continue
    return asRecord(found.get('meta'))?.get('err') === null
  }
  return false
}

/**
 * Whether it can never be carried out any more: it has failed for good, or no block can hold it. The
 * height is asked for first, and of a node that is behind it the answer does not count.
 */
async function isOver({ txId, tx }: Sent, { rpc }: Rpc): Promise<boolean> {
  const epoch = asRecord(await rpc(rpcPath, 'getEpochInfo', [{ commitment: 'finalized' }]))
  const slot = asInteger(epoch?.get('absoluteSlot'))
  const height = asInteger(epoch?.get('blockHeight'))
  const options = { searchTransactionHistory: true }
  const answer = asRecord(await rpc(rpcPath, 'getSignatureStatuses', [[txId], options]))
  const seenUpTo = asInteger(asRecord(answer?.get('context'))?.get('slot'))
  const [status, ...others] = asArray(answer?.get('value')) ?? []
  if (slot === undefined || height === undefined || seenUpTo === undefined || others.length > 0) {
    throw new KmsError('network', 'rpc getSignatureStatuses was answered in an unknown form')
  }
  if (status === null) {
    if (!isPast(tx, { slot, height }) || seenUpTo < slot) return false
    return requireHistory(tx, rpc)
  }
  const known = asRecord(status)
  const hasFailed = known?.has('err') === true && known.get('err') !== null
  return hasFailed && known.get('confirmationStatus') === 'finalized'
}

/** 3 minutes, in slots of 400 ms: three times as many as the 150 blocks that take a blockhash. */
const mostSlots = 450n

/** The last block is what a node once said: nothing is past that is not old by its slot, too. */
function isPast(
  { lastBlock, slot }: FilledSolTx,
  now: { readonly slot: number; readonly height: number },
): boolean {
  return now.height > lastBlock && now.slot > slot + mostSlots
}

/** A node forgets: that it knows of no transaction proves something only of the time it remembers. */
async function requireHistory({ slot }: FilledSolTx, rpc: Rpc['rpc']): Promise<true> {
  // After the look: what it remembers now it remembered then.
  const oldest = asInteger(await rpc(rpcPath, 'getFirstAvailableBlock', []))
  if (oldest !== undefined && oldest <= slot) return true
  throw new KmsError(
    'network',
    `the node has no history since slot ${slot}, when the transaction was made: look up whether it arrived`,
  )
}
