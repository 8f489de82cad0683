import type { Intent } from '../../base/model.ts'
import type { Fields } from './evm-fields.ts'
import { describeCall } from './evm-intent.ts'
import type { Hex } from './evm-tx.ts'
import type { KlayBody, KlayTx } from './klay-tx.ts'

const coin = 'KLAY'

export function describeKlay(tx: KlayTx, own: Hex): Intent {
  switch (tx.kind) {
    case 'legacy':
      return { ...describeCall(tx.tx, own, coin), ...feeOf(tx.tx, total => total) }
    case 'sender': {
      const { body } = tx
      return { ...describeBody(body), ...feeOf(body, total => total - payerPart(total, body)) }
    }
    case 'payer': {
      const { body } = tx
      const { outputs, ...rest } = describeBody(body)
      return {
        ...rest,
        kind: 'fee-delegation',
        outputs: outputs.map(output => ({ ...output, own: output.to === own })),
        ...feeOf(body, total => payerPart(total, body)),
      }
    }
    default:
      return tx satisfies never
  }
}

function describeBody({ action, from, data, ...call }: KlayBody): Intent {
  if (action === 'cancel') return { kind: 'cancel', from: [from], outputs: [] }
  // A memo is read by people: Kaia lets no contract be paid with one.
  return describeCall({ ...call, data: action === 'memo' ? '0x' : data }, from, coin)
}

function feeOf({ gas, price }: Fields, part: (total: bigint) => bigint): Pick<Intent, 'fee'> {
  if (gas === undefined || price === undefined) return {}
  return { fee: { amount: part(gas * price), asset: coin } }
}

/** As Kaia rounds it: what is left over falls to the sender. */
function payerPart(total: bigint, { payerShare }: KlayBody): bigint {
  return (total * BigInt(payerShare)) / 100n
}
