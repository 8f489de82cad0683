import type { ChainReads, Completion } from '../../base/model.ts'
import { fillIn } from './evm-completion.ts'
import { checkAnswer, fillFields, nextNonce, readLacking } from './evm-fields.ts'
import { type Hex, intrinsicGas } from './evm-tx.ts'
import type { FilledBody, FilledKlayTx, KlayBody, KlayTx } from './klay-tx.ts'
import { refused } from './refusals.ts'

export const klayRpcPath = '/v3/blockchain/node/KLAY/{apiKey}'

/** Asks for what a payment of ours lacks; what others signed lacks nothing. */
export async function readKlayCompletion(
  tx: KlayTx,
  from: Hex,
  reads: ChainReads,
): Promise<Completion> {
  if (tx.kind === 'payer') return {}
  const asked = tx.kind === 'legacy' ? tx.tx : tx.body
  const rpc = (method: string, ...params: readonly (Hex | 'pending')[]) =>
    reads.rpc(klayRpcPath, method, params)
  return readLacking(asked, {
    gas: async () => {
      const { to, data } = asked
      const call = { from, ...(to !== undefined && { to }), ...(data !== '0x' && { data }) }
      const answer = await reads.rpc(klayRpcPath, 'klay_estimateGas', [call])
      const extra = tx.kind === 'legacy' ? 0n : delegationGas(tx.body)
      return checkAnswer('gas', answer, 'klay_estimateGas') + extra
    },
    nonce: () => nextNonce(from, reads, rpc('klay_getTransactionCount', from, 'pending')),
    gasPrice: () => currentKlayPrice(reads),
  })
}

export async function currentKlayPrice(reads: ChainReads): Promise<bigint> {
  const method = 'klay_gasPrice'
  return checkAnswer('gasPrice', await reads.rpc(klayRpcPath, method, []), method)
}

export function fillKlay(asked: KlayTx, completion: Completion): FilledKlayTx {
  switch (asked.kind) {
    case 'legacy':
      return { ...asked, tx: fillIn(asked.tx, completion, {}) }
    case 'sender':
      return { ...asked, body: fillBody(asked.body, completion) }
    case 'payer':
      return { ...asked, body: { ...asked.body, ...fillFields(asked.body, completion) } }
    default:
      return asked satisfies never
  }
}

function fillBody(asked: KlayBody, completion: Completion): FilledBody {
  const body = { ...asked, ...fillFields(asked, completion) }
  const least = leastGas(body)
  if (body.gas < least) {
    throw refused(`gas is ${body.gas}, but this transaction needs at least ${least}`)
  }
  return body
}

function leastGas(body: FilledBody): bigint {
  if (body.action === 'cancel' || body.action === 'update') return 21_000n + delegationGas(body)
  return intrinsicGas({ ...body, accessList: [] }, {}) + delegationGas(body)
}

/** What fee delegation costs, which an estimate of the call does not hold (Kaia, TxGasFeeDelegated). */
function delegationGas({ payerShare }: KlayBody): bigint {
  if (payerShare === 0) return 0n
  return payerShare === 100 ? 10_000n : 15_000n
}
