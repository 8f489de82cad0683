import { fromHex } from '../../base/bytes.ts'
import type { Intent } from '../../base/model.ts'
import { byteText } from './byte-text.ts'
import type { Fields } from './evm-fields.ts'
import { describeCall } from './evm-intent.ts'
import type { Hex } from './evm-tx.ts'
import { readAccountKey, spellAccountKey } from './klay-account-key.ts'
import type { KlayBody, KlayTx } from './klay-tx.ts'

const coin = 'KLAY'

export function describeKlay(tx: KlayTx, own: Hex): Intent {
  switch (tx.kind) {
    case 'legacy':
      return { ...describeCall(tx.tx, own, coin), ...feeOf(tx.tx, total => total) }
    case 'sender': {
      const { body } = tx
      return { ...describeBody(body, own), ...feeOf(body, total => total - payerPart(total, body)) }
    }
    case 'payer': {
      const { body } = tx
      const fee = feeOf(body, total => payerPart(total, body))
      return { ...describeBody(body, own), kind: 'fee-delegation', ...fee }
    }
    default:
      return tx satisfies never
  }
}

function describeBody({ action, from, data, ...call }: KlayBody, own: Hex): Intent {
  if (action === 'cancel') return { kind: 'cancel', from: [from], outputs: [] }
  if (action === 'update') {
    const to = `account key: ${spellAccountKey(readAccountKey(data))}`
    return {
      kind: 'account-update',
      from: [from],
      outputs: [{ to, amount: 0n, asset: coin, own: false }],
    }
  }
  // A memo is read by people: Kaia lets no contract be paid with one.
  const isMemo = action === 'memo'
  const { outputs, ...rest } = describeCall({ ...call, data: isMemo ? '0x' : data }, from, coin)
  const memo = isMemo ? memoText(data) : ''
  return {
    ...rest,
    outputs: outputs.map(output => ({
      ...output,
      to: `${output.to}${memo}`,
      own: output.to === own,
    })),
  }
}

/** It says whose money it is where many share an address. */
function memoText(data: Hex): string {
  return data === '0x' ? '' : `?memo=${byteText(fromHex(data.slice(2)) ?? new Uint8Array())}`
}

function feeOf({ gas, price }: Fields, part: (total: bigint) => bigint): Pick<Intent, 'fee'> {
  if (gas === undefined || price === undefined) return {}
  return { fee: { amount: part(gas * price), asset: coin } }
}

/** As Kaia rounds it: what is left over falls to the sender. */
function payerPart(total: bigint, { payerShare }: KlayBody): bigint {
  return (total * BigInt(payerShare)) / 100n
}
