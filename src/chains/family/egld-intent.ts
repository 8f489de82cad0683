import { hex, utf8 } from '../../base/bytes.ts'
import type { Intent, Output } from '../../base/model.ts'
import { readNewOwner, readTokenMove, type TokenMove } from './egld-call.ts'
import { type EgldTx, isContract, mostFee, spellAddress } from './egld-tx.ts'

/** Longer data is no remark for a person any more. */
const maxRemarkBytes = 256

/** The name of the coin among the tokens of MultiESDTNFTTransfer. */
const coinAsToken = 'EGLD-000000'

export function describeEgld(tx: EgldTx): Intent {
  const fee = tx.added && { amount: mostFee(tx, tx.added), asset: 'EGLD' }
  return { ...tell(tx), from: [tx.sender], ...(fee && { fee }) }
}

function tell(tx: EgldTx): Pick<Intent, 'kind' | 'outputs' | 'unread'> {
  const { data, value, receiver, sender } = tx
  const coin = { to: receiver, amount: value, asset: 'EGLD', own: receiver === sender }
  if (data === '') return { kind: 'transfer', outputs: [coin] }
  const owner = readNewOwner(data)
  if (owner !== undefined && isContract(receiver)) {
    const given = { to: `owner ${spellAddress(owner)}`, amount: 0n, asset: 'EGLD', own: false }
    return { kind: 'change-owner', outputs: [coin, given] }
  }
  const move = readTokenMove(data)
  if (move !== undefined && isDelivered(move, tx)) {
    const kind = move.items.some(({ nonce }) => nonce > 0n) ? 'nft-transfer' : 'token-transfer'
    const outputs = [...(value > 0n ? [coin] : []), ...tokenOutputs(move, tx)]
    return { kind, outputs, ...(move.unread && { unread: true }) }
  }
  if (isContract(receiver)) return { kind: 'contract-call', outputs: [coin], unread: true }
  // It may be a remark, which says whose money it is where many share an address, or a function.
  const remark = utf8(data)
  const to = remark.length > maxRemarkBytes ? receiver : `${receiver}?data=${hex(remark)}`
  return { kind: 'transfer', outputs: [{ ...coin, to }], unread: true }
}

/** Where the arguments say who gets the tokens, the network takes it only as sent to oneself. */
function isDelivered({ to }: TokenMove, { receiver, sender }: EgldTx): boolean {
  return to === undefined || receiver === sender
}

function tokenOutputs({ to: named, items }: TokenMove, tx: EgldTx): readonly Output[] {
  const to = named === undefined ? tx.receiver : spellAddress(named)
  return items.map(({ token, nonce, amount }) => {
    const asset = token === coinAsToken ? 'EGLD' : `EGLD:${token}`
    return { to, amount, asset: nonce > 0n ? `${asset}#${nonce}` : asset, own: to === tx.sender }
  })
}
