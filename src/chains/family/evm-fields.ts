import { KmsError } from '../../base/errors.ts'
import { asRecord, asString } from '../../base/json.ts'
import type { ChainReads, Completion } from '../../base/model.ts'
import { type Bounds, explainBounds, isWithin, readCompletionNumber } from './completion-number.ts'
import { maxNonce } from './evm-members.ts'
import type { EvmTx, Hex } from './evm-tx.ts'
import { asQuantity } from './members.ts'
import { refused } from './refusals.ts'
import { unusedNumber } from './unused-number.ts'

/** What a completion can add to a payment of an EVM chain, by the names in its JSON. */
export type Field = 'gas' | 'nonce' | 'gasPrice'

export type Fields = Pick<EvmTx, 'gas' | 'nonce' | 'price'>

/** Bounds of what a server may answer; beyond them the answer is a lie or a mistake. */
const bounds: Readonly<Record<Field, Bounds>> = {
  gas: { least: 1n, most: 100_000_000n },
  nonce: { least: 0n, most: maxNonce },
  // Ten million gwei: a plain transfer at this price costs 210 coins.
  gasPrice: { least: 1n, most: 10n ** 16n },
}

/** Reads what `tx` lacks, and nothing else. */
export async function readLacking(
  tx: Fields,
  readers: Readonly<Record<Field, () => Promise<bigint>>>,
): Promise<Completion> {
  const read = async (field: Field) => [field, (await readers[field]()).toString()] as const
  return Object.fromEntries(await Promise.all(lackingFields(tx).map(read)))
}

/** The fields of `asked`, those it lacks taken from `completion`, which may hold nothing else. */
export function fillFields(
  asked: Fields,
  completion: Completion,
): { readonly gas: bigint; readonly nonce: number; readonly price: bigint } {
  const lacking: readonly string[] = lackingFields(asked)
  if (Object.keys(completion).some(name => !lacking.includes(name))) {
    throw refused('completion sets a field that the transaction does not lack')
  }
  const { gas, nonce, price } = asked
  const read = (field: Field) => readCompletionNumber(completion, field, bounds[field])
  return {
    gas: gas ?? read('gas'),
    nonce: nonce ?? Number(read('nonce')),
    price: price ?? read('gasPrice'),
  }
}

/** What a server answered when it was asked for `what`. */
export function checkAnswer(field: Field, answer: unknown, what: string): bigint {
  const value = asQuantity(answer)
  if (value !== undefined && isWithin(value, bounds[field])) return value
  throw new KmsError('network', `the answer for ${what} is not ${explainBounds(bounds[field])}`)
}

export async function nextNonce(
  from: Hex,
  reads: ChainReads,
  answer: Promise<unknown>,
): Promise<bigint> {
  const counted = checkAnswer('nonce', await answer, 'the transaction count')
  return unusedNumber(from, counted, reads)
}

/** Not the count that completes a payment: that one may include what waits in a node's memory. */
export async function countInBlocks(
  address: Hex,
  { rpcPath, method }: { readonly rpcPath: string; readonly method: string },
  reads: ChainReads,
): Promise<bigint> {
  return checkAnswer('nonce', await reads.rpc(rpcPath, method, [address, 'latest']), method)
}

/** Whether the node has seen the transaction with this id carried out, with success or without. */
export async function isInBlock(
  txId: string,
  { rpcPath, method }: { readonly rpcPath: string; readonly method: string },
  reads: ChainReads,
): Promise<boolean> {
  const receipt = await reads.rpc(rpcPath, method, [txId])
  if (receipt === null) return false
  const hash = asString(asRecord(receipt)?.get('transactionHash'))
  if (hash?.toLowerCase() === txId.toLowerCase()) return true
  throw new KmsError('network', `rpc ${method} was answered in an unknown form`)
}

function lackingFields({ gas, nonce, price }: Fields): readonly Field[] {
  const fields: readonly (readonly [Field, unknown])[] = [
    ['gas', gas],
    ['nonce', nonce],
    ['gasPrice', price],
  ]
  return fields.filter(([, value]) => value === undefined).map(([field]) => field)
}
