import type { Intent } from '../../base/model.ts'
import { describeLocks } from './utxo-lock.ts'
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
  const { words, notBefore } = describeLocks(tx)
  const locks = { to: words.join(', '), amount: 0n, asset, own: false }
  return {
    kind: 'transfer',
    from: [...new Set(tx.inputs.map(({ script }) => describe(script)))],
    outputs: [
      ...tx.outputs.map(({ satoshis, script }) => ({
        to: describe(script),
        amount: satoshis,
        asset,
        own: isOwn(script),
      })),
      ...(words.length > 0 ? [locks] : []),
    ],
    fee: { amount: feeOf(tx), asset },
    ...(notBefore !== undefined && { notBefore }),
  }
}
