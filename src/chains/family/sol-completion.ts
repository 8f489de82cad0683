import { fromBase58 } from '../../base/base58.ts'
import { KmsError } from '../../base/errors.ts'
import { asInteger, asRecord, asString } from '../../base/json.ts'
import type { ChainReads, Completion } from '../../base/model.ts'
import { refused } from './refusals.ts'
import { keyLength } from './sol-message.ts'
import type { FilledSolTx, SolTx } from './sol-tx.ts'

export const rpcPath = '/v3/blockchain/node/SOL/{apiKey}'

/** A blockhash is good for about a minute: it is asked for right before the transaction is signed. */
export async function readCompletion(reads: ChainReads): Promise<Completion> {
  const answer = await reads.rpc(rpcPath, 'getLatestBlockhash', [{ commitment: 'finalized' }])
  const slot = asInteger(asRecord(asRecord(answer)?.get('context'))?.get('slot'))
  const value = asRecord(asRecord(answer)?.get('value'))
  const blockhash = asString(value?.get('blockhash'))
  const lastBlock = asInteger(value?.get('lastValidBlockHeight'))
  if (blockhash === undefined || lastBlock === undefined || slot === undefined) {
    throw new KmsError('network', 'rpc getLatestBlockhash was answered in an unknown form')
  }
  return { blockhash, lastBlock: `${lastBlock}`, slot: `${slot}` }
}

export function fillSol(tx: SolTx, completion: Completion): FilledSolTx {
  const { blockhash = '', lastBlock = '', slot = '', ...rest } = completion
  if (Object.keys(rest).length > 0) {
    throw refused('completion sets a field that the transaction does not lack')
  }
  if (fromBase58(blockhash, keyLength) === undefined) throw refused('the blockhash is none')
  if (!/^\d{1,15}$/.test(lastBlock)) throw refused('the last block is no height')
  if (!/^\d{1,15}$/.test(slot)) throw refused('the slot of the blockhash is no number')
  return { ...tx, blockhash, lastBlock: BigInt(lastBlock), slot: BigInt(slot) }
}
