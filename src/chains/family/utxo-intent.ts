import type { Intent } from '../../base/model.ts'
import { feeOf, type UtxoTx } from './utxo-tx.ts'

/** What a transaction does that spends outputs and makes others. */
export function describeTransfer(
  tx: UtxoTx,
  {
    asset,
    describe,
    isOwn,
  }: {
    readonly asset: string
    /** The address of a script, or what it is where it has none. */
    readonly describe: (script: string) => string
    readonly isOwn: (script: string) => boolean
  },
): Intent {
  return {
    kind: 'transfer',
    from: [...new Set(tx.inputs.map(({ script }) => describe(script)))],
    outputs: tx.outputs.map(({ satoshis, script }) => ({
      to: describe(script),
      amount: satoshis,
      asset,
      own: isOwn(script),
    })),
    fee: { amount: feeOf(tx), asset },
  }
}
