import type { Intent, Output } from '../../base/model.ts'
import { readTokenCall, type TokenCall } from './evm-calls.ts'
import type { EvmTx, Hex } from './evm-tx.ts'

/** What a transaction of an EVM chain does, apart from its fee. */
export function describeCall(
  { to, value, data }: Pick<EvmTx, 'to' | 'value' | 'data'>,
  from: Hex,
  coin: string,
): Intent {
  const native = { to: to ?? 'new contract', amount: value, asset: coin, own: to === from }
  if (to === undefined) {
    return { kind: 'contract-creation', from: [from], outputs: [native], unread: true }
  }
  if (data === '0x') return { kind: 'transfer', from: [from], outputs: [native] }
  const call = readTokenCall(data)
  if (call === undefined) {
    return { kind: 'contract-call', from: [from], outputs: [native], unread: true }
  }
  const { kind, holder = from, unread } = call
  return {
    kind,
    // Tokens of somebody else, moved with a power given earlier.
    from: holder === from ? [from] : [from, holder],
    outputs: [...(value > 0n ? [native] : []), ...tokenOutputs(call, `${coin}:${to}`, from)],
    ...(unread && { unread }),
  }
}

function tokenOutputs({ to, items }: TokenCall, asset: string, from: Hex): readonly Output[] {
  return items.map(({ amount, tokenId }) => ({
    to,
    amount,
    asset: tokenId === undefined ? asset : `${asset}#${tokenId}`,
    own: to === from,
  }))
}
