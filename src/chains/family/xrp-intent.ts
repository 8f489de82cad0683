import { fromHex } from '../../base/bytes.ts'
import type { Intent, Output } from '../../base/model.ts'
import { byteText } from './byte-text.ts'
import { priceOf, type XrpAmount } from './xrp-amount.ts'
import type { XrpMemo } from './xrp-fields.ts'
import { canonicalFlag } from './xrp-json.ts'
import { commonShape, type XrpTx, type XrpTxOf } from './xrp-types.ts'

/** tfSellNFToken */
const sellFlag = 1

/** What a type of transaction does; the members in `said` are told by kind and outputs. */
type Told = Pick<Intent, 'kind' | 'outputs' | 'unread'> & {
  readonly said: readonly string[]
  readonly holder?: string | undefined
}

/** Everything that is particular to a transaction stands in its intent. */
export function describeTx(tx: XrpTx): Intent {
  const { kind, outputs, said, holder, unread } = tell(tx)
  const { Account: from, Fee } = tx
  return {
    kind,
    from: holder === undefined || holder === from ? [from] : [from, holder],
    outputs: [...outputs, ...describeRest(tx, said)],
    fee: { amount: BigInt(Fee), asset: 'XRP' },
    ...(unread && { unread }),
  }
}

function tell(tx: XrpTx): Told {
  switch (tx.TransactionType) {
    case 'Payment':
      return tellPayment(tx)
    case 'TrustSet': {
      const limit = { ...priceOf(tx.LimitAmount), to: tx.LimitAmount.issuer, own: false }
      return { kind: 'trust', outputs: [limit], said: ['LimitAmount'] }
    }
    case 'AccountSet':
      return { kind: 'account-settings', outputs: [], said: [] }
    case 'NFTokenMint':
      return { kind: 'nft-mint', outputs: [], said: [] }
    case 'NFTokenBurn': {
      const burnt = { to: 'nobody', amount: 1n, asset: `XRP#${tx.NFTokenID}`, own: false }
      const said = ['NFTokenID', 'Owner']
      return { kind: 'nft-burn', outputs: [burnt], said, holder: tx.Owner }
    }
    case 'NFTokenCreateOffer':
      return tellNftOffer(tx)
    case 'NFTokenAcceptOffer':
      // What it costs stands in the ledger, under the id of the offer.
      return { kind: 'nft-accept-offer', outputs: [], said: [], unread: true }
    case 'NFTokenCancelOffer':
      return { kind: 'nft-cancel-offers', outputs: [], said: [] }
    case 'OfferCreate': {
      const given = { ...priceOf(tx.TakerGets), to: 'the exchange', own: false }
      return { kind: 'exchange-offer', outputs: [given], said: ['TakerGets'] }
    }
    case 'OfferCancel':
      return { kind: 'exchange-cancel-offer', outputs: [], said: [] }
  }
}

function tellPayment(tx: XrpTxOf<'Payment'>): Told {
  const { Account, Destination, DestinationTag: tag, Amount } = tx
  // The tag says whose money it is where many share an address.
  const to = tag === undefined ? Destination : `${Destination}?tag=${tag}`
  return {
    kind: typeof Amount === 'string' ? 'transfer' : 'token-transfer',
    outputs: [{ to, ...priceOf(Amount), own: Destination === Account }],
    said: ['Destination', 'DestinationTag', 'Amount'],
  }
}

function tellNftOffer(tx: XrpTxOf<'NFTokenCreateOffer'>): Told {
  const { Flags = 0, NFTokenID, Amount, Owner, Destination = 'anybody' } = tx
  if ((Flags & sellFlag) !== 0) {
    const sold = { to: Destination, amount: 1n, asset: `XRP#${NFTokenID}`, own: false }
    return { kind: 'nft-sell-offer', outputs: [sold], said: ['NFTokenID', 'Destination'] }
  }
  const paid = { to: Owner ?? 'its owner', ...priceOf(Amount), own: false }
  return { kind: 'nft-buy-offer', outputs: [paid], said: ['Amount', 'Owner'] }
}

/** The other members as one output that pays nothing, its recipient a description. */
function describeRest(tx: XrpTx, said: readonly string[]): readonly Output[] {
  const { Flags = 0, Memos = [], ...members } = tx
  // What every transaction has is told by sender and fee, or is about its place in the ledger.
  const known: readonly string[] = ['TransactionType', ...commonShape.required, ...said]
  const rest = Object.entries(members)
    .filter(([name]) => !known.includes(name))
    .map(([name, value]) => `${name}=${spell(value)}`)
    .concat(Memos.map(spellMemo))
  const flags = Flags & ~canonicalFlag
  const words = [...rest.toSorted(), ...(flags === 0 ? [] : [`Flags=${flags}`])]
  return words.length === 0 ? [] : [{ to: words.join(' '), amount: 0n, asset: 'XRP', own: false }]
}

/** Its members are hex of what is text, mostly. */
function spellMemo({ Memo }: XrpMemo): string {
  const members = Object.entries(Memo).map(
    ([name, digits]) => `${name}=${byteText(fromHex(digits) ?? new Uint8Array())}`,
  )
  return `Memo(${members.toSorted().join(',')})`
}

function spell(value: number | readonly string[] | XrpAmount): string {
  if (typeof value !== 'object') return `${value}`
  if (!('currency' in value)) return value.join(',')
  return `${value.value} ${value.currency}.${value.issuer}`
}
