import { fromHex } from '../../base/bytes.ts'
import type { Intent, Output } from '../../base/model.ts'
import { byteText } from './byte-text.ts'
import { maxDrops, priceOf } from './xrp-amount.ts'
import type { FieldName, FieldValue, XrpMemo } from './xrp-fields.ts'
import { canonicalFlag, disableMasterKey } from './xrp-json.ts'
import type { XrpSigner, XrpStep } from './xrp-lists.ts'
import { commonShape, partialPaymentFlag, type XrpTx, type XrpTxOf } from './xrp-types.ts'

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
      return {
        kind: tx.SetFlag === disableMasterKey ? 'disable-master-key' : 'account-settings',
        outputs: [],
        said: [],
      }
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
    case 'SetRegularKey': {
      const outputs = tx.RegularKey === undefined ? [note('no RegularKey')] : []
      return { kind: 'set-regular-key', outputs, said: [] }
    }
    case 'SignerListSet':
      return { kind: 'set-signer-list', outputs: [], said: [] }
    case 'AccountDelete':
      return tellDeletion(tx)
  }
}

function tellPayment(tx: XrpTxOf<'Payment'>): Told {
  const { Account, Destination, Amount, SendMax } = tx
  const kind = kindOfPayment(tx)
  const isToSelf = Destination === Account
  // Through the order book: what leaves goes to whoever stands in it, and only something else comes back.
  const isExchange = isToSelf && kind !== 'transfer' && kind !== 'token-transfer'
  // What leaves the account counts; what arrives is then told with the other members.
  const cost = { ...priceOf(SendMax ?? Amount), own: isToSelf && !isExchange }
  return {
    kind,
    outputs: [{ to: isExchange ? 'the exchange' : recipientOf(tx), ...cost }],
    said: [
      ...(isExchange ? [] : ['Destination', 'DestinationTag']),
      SendMax === undefined ? 'Amount' : 'SendMax',
    ],
  }
}

function kindOfPayment({ Amount, Flags = 0, SendMax, Paths }: XrpTxOf<'Payment'>): string {
  if ((Flags & partialPaymentFlag) !== 0) return 'partial-payment'
  if (SendMax !== undefined || Paths !== undefined) return 'exchange-payment'
  return typeof Amount === 'string' ? 'transfer' : 'token-transfer'
}

/** How much is left the ledger alone knows: said is the most that there can be. */
function tellDeletion(tx: XrpTxOf<'AccountDelete'>): Told {
  const left = { to: recipientOf(tx), amount: maxDrops, asset: 'XRP', own: false }
  const outputs = [left, note('all that is left in the account')]
  return { kind: 'account-delete', outputs, said: ['Destination', 'DestinationTag'] }
}

/** The tag says whose money it is where many share an address. */
function recipientOf({
  Destination,
  DestinationTag: tag,
}: Pick<XrpTxOf<'Payment'>, 'Destination' | 'DestinationTag'>): string {
  return tag === undefined ? Destination : `${Destination}?tag=${tag}`
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
  return words.length === 0 ? [] : [note(words.join(' '))]
}

/** What pays nobody, as an output whose recipient is a description. */
function note(to: string): Output {
  return { to, amount: 0n, asset: 'XRP', own: false }
}

/** Its members are hex of what is text, mostly. */
function spellMemo({ Memo }: XrpMemo): string {
  const members = Object.entries(Memo).map(
    ([name, digits]) => `${name}=${byteText(fromHex(digits) ?? new Uint8Array())}`,
  )
  return `Memo(${members.toSorted().join(',')})`
}

function spell(value: FieldValue<Exclude<FieldName, 'Memos'>>): string {
  if (typeof value !== 'object') return `${value}`
  if ('currency' in value) return `${value.value} ${value.currency}.${value.issuer}`
  return value.map(spellItem).join(',')
}

function spellItem(item: string | XrpSigner | readonly XrpStep[]): string {
  if (typeof item === 'string') return item
  if (!('SignerEntry' in item)) return item.map(spellStep).join('>')
  const { Account, SignerWeight, WalletLocator } = item.SignerEntry
  return `${Account}:${SignerWeight}${WalletLocator === undefined ? '' : `:${WalletLocator}`}`
}

function spellStep(step: XrpStep): string {
  return Object.entries(step)
    .map(([name, text]) => `${name}:${text}`)
    .join('/')
}
