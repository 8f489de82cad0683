import { getAddress } from 'viem/utils'
import { asRecord, type Json } from '../../base/json.ts'
import type { ChainReads, Completion } from '../../base/model.ts'
import { checkAnswer, fillFields, nextNonce, readLacking } from './evm-fields.ts'
import { type DataRules, type EvmTx, type FilledTx, type Hex, intrinsicGas } from './evm-tx.ts'
import { refused } from './refusals.ts'

/** Where the front reads what a payment came without (protocol 4.2). */
export type EvmSources = {
  readonly rpcPath: string
  readonly estimate: {
    /** What a node is told: all that came, or no more than who calls whom with which data. */
    readonly tells: 'everything' | 'call'
    /** Which payments are estimated although they came with gas, which is Tatum's guess. */
    readonly overrides: 'nothing' | 'offchain' | 'everything'
  }
  readonly nonce: { readonly countPath: string } | { readonly rpc: 'eth_getTransactionCount' }
  /** In wei. */
  readonly gasPrice:
    | { readonly feePath: string }
    | { readonly constant: bigint }
    | { readonly rpc: 'eth_gasPrice'; readonly least?: bigint }
}

/** Asks for what `tx` lacks. The chain id is never asked for: it is known. */
export async function readCompletion(
  tx: EvmTx,
  from: Hex,
  sources: EvmSources,
  reads: ChainReads,
): Promise<Completion> {
  return readLacking(tx, {
    gas: () => estimateGas(tx, from, sources, reads),
    nonce: () => nextNonce(from, reads, countNonces(from, sources, reads)),
    gasPrice: () => currentGasPrice(sources, reads),
  })
}

/** `asked` with every field it lacks taken from `completion`, which may hold nothing else. */
export function fillIn(asked: EvmTx, completion: Completion, rules: DataRules): FilledTx {
  const { given: _, ...rest } = asked
  const tx = { ...rest, ...fillFields(asked, completion) }
  const least = intrinsicGas(tx, rules)
  if (tx.gas < least) {
    throw refused(`gas is ${tx.gas}, but this transaction needs at least ${least}`)
  }
  return tx
}

async function estimateGas(
  tx: EvmTx,
  from: Hex,
  { rpcPath, estimate }: EvmSources,
  reads: ChainReads,
): Promise<bigint> {
  const call = estimate.tells === 'everything' ? wholeCall(tx, from) : bareCall(tx, from)
  const gas = await reads.rpc(rpcPath, 'eth_estimateGas', [call])
  return checkAnswer('gas', gas, 'eth_estimateGas')
}

function wholeCall({ to, given, accessList }: EvmTx, from: Hex): Json {
  const list = accessList.length > 0 && { accessList }
  return { from, ...(to !== undefined && { to }), ...given, ...list }
}

/** Without the value, as the original asks: an account that cannot pay yet gets an answer. */
function bareCall({ to, given }: EvmTx, from: Hex): Json {
  const data = given?.data
  return { from, ...(to !== undefined && { to }), ...(data !== undefined && { data }) }
}

function countNonces(
  from: Hex,
  { rpcPath, nonce }: EvmSources,
  reads: ChainReads,
): Promise<unknown> {
  const address = getAddress(from)
  if ('countPath' in nonce) return reads.get(`${nonce.countPath}${address}`)
  return reads.rpc(rpcPath, nonce.rpc, [address, 'latest'])
}

export async function currentGasPrice(
  { rpcPath, gasPrice }: EvmSources,
  reads: ChainReads,
): Promise<bigint> {
  if ('constant' in gasPrice) return gasPrice.constant
  if ('feePath' in gasPrice) {
    const answer = asRecord(await reads.get(gasPrice.feePath))
    return checkAnswer('gasPrice', answer?.get('medium'), 'the medium fee')
  }
  const { rpc, least = 0n } = gasPrice
  const price = checkAnswer('gasPrice', await reads.rpc(rpcPath, rpc, []), rpc)
  if (price < least) return least
  return price
}
