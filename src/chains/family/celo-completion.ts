import type { ChainReads, Completion } from '../../base/model.ts'
import type { CeloTx, FilledCeloTx } from './celo-tx.ts'
import { checkAnswer, fillFields, nextNonce, readLacking } from './evm-fields.ts'
import { type Hex, intrinsicGas, quantity } from './evm-tx.ts'
import { refused } from './refusals.ts'

export const celoRpcPath = '/v3/blockchain/node/CELO/{apiKey}'

/** Added to every estimate, which is made as if gas were paid in CELO: tokens cost some 50,000 more. */
export const tokenGas = 100_000n

/** cUSD, on the network of the money and on Alfajores. */
const celoDollars: readonly (Hex | undefined)[] = [
  '0x765de816845861e75a25fca122bb6898b8b1282a',
  '0x874069fa1eb16d44d622f2e0ca25eea172369bc1',
]

/** Asks for what `tx` lacks, with the requests of the original (protocol 4.4). */
export async function readCeloCompletion(
  tx: CeloTx,
  from: Hex,
  reads: ChainReads,
): Promise<Completion> {
  const { price: given } = tx
  const price = given === undefined ? currentPrice(tx, reads) : Promise.resolve(given)
  return readLacking(tx, {
    gas: async () => estimateGas(tx, from, await price, reads),
    nonce: () =>
      nextNonce(from, reads, reads.rpc(celoRpcPath, 'eth_getTransactionCount', [from, 'latest'])),
    gasPrice: () => price,
  })
}

export function fillCelo(asked: CeloTx, completion: Completion): FilledCeloTx {
  const { given: _, ...rest } = asked
  const tx = { ...rest, ...fillFields(asked, completion) }
  const least = intrinsicGas({ ...tx, accessList: [] }, {})
  if (tx.gas < least) {
    throw refused(`gasLimit is ${tx.gas}, but this transaction needs at least ${least}`)
  }
  return tx
}

/** In the currency that gas is paid with. */
export async function currentPrice(
  { feeCurrency }: Pick<CeloTx, 'feeCurrency'>,
  reads: ChainReads,
): Promise<bigint> {
  const params = feeCurrency === undefined ? [] : [feeCurrency]
  const answer = await reads.rpc(celoRpcPath, 'eth_gasPrice', params)
  const price = checkAnswer('gasPrice', answer, 'eth_gasPrice')
  // As the original: at half a gwei of cUSD and below, payments were left lying.
  if (price <= 500_000_000n && celoDollars.includes(feeCurrency)) return 1_000_000_000n
  return price
}

async function estimateGas(
  { to, given }: CeloTx,
  from: Hex,
  price: bigint,
  reads: ChainReads,
): Promise<bigint> {
  const call = { ...given, from, ...(to !== undefined && { to }), gasPrice: quantity(price) }
  const answer = await reads.rpc(celoRpcPath, 'eth_estimateGas', [call])
  return checkAnswer('gas', answer, 'eth_estimateGas') + tokenGas
}
