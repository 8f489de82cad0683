import { asRecord } from '../../base/json.ts'
import { malformed } from './refusals.ts'
import { readAmount, readDrops, readIssued } from './xrp-amount.ts'
import { readPaths, readSigners } from './xrp-lists.ts'
import { readAccount, readHex, readList, readUint } from './xrp-readers.ts'

/** Readers of the members of transactions; what they answer is written in one way only. */
export const fieldReaders = {
  Account: readAccount,
  Amount: readAmount,
  ClearFlag: readUint(32),
  Destination: readAccount,
  DeliverMin: readAmount,
  DestinationTag: readUint(32),
  Domain: readHex(0, 256),
  Expiration: readUint(32),
  Fee: readDrops,
  Flags: readUint(32),
  Issuer: readAccount,
  LastLedgerSequence: readUint(32),
  LimitAmount: readIssued,
  Memos: readMemos,
  NFTokenBrokerFee: readAmount,
  NFTokenBuyOffer: readHex(32),
  NFTokenID: readHex(32),
  NFTokenMinter: readAccount,
  NFTokenOffers: readOffers,
  NFTokenSellOffer: readHex(32),
  NFTokenTaxon: readUint(32),
  OfferSequence: readUint(32),
  Owner: readAccount,
  Paths: readPaths,
  QualityIn: readUint(32),
  QualityOut: readUint(32),
  RegularKey: readAccount,
  SendMax: readAmount,
  Sequence: readUint(32),
  SetFlag: readUint(32),
  SignerEntries: readSigners,
  SignerQuorum: readUint(32),
  SourceTag: readUint(32),
  TakerGets: readAmount,
  TakerPays: readAmount,
  TickSize: readUint(8),
  TransferFee: readUint(16),
  TransferRate: readUint(32),
  URI: readHex(1, 256),
} as const

export type FieldName = keyof typeof fieldReaders
export type FieldValue<Name extends FieldName> = ReturnType<(typeof fieldReaders)[Name]>

export type XrpMemo = { readonly Memo: Readonly<Record<string, string>> }

const memoMembers = ['MemoData', 'MemoFormat', 'MemoType']
/** The ledger takes 1 kB of memos and 500 offers to cancel (XRPL, "NFTokenCancelOffer"). */
const maxMemoBytes = 1024
const maxOffers = 500

function readOffers(value: unknown, where: string): readonly string[] {
  const offers = readList(value, where)
  if (offers.length > maxOffers) throw malformed(`${where} names more than ${maxOffers} offers`)
  return offers.map((offer, i) => readHex(32)(offer, `${where}[${i}]`))
}

function readMemos(value: unknown, where: string): readonly XrpMemo[] {
  const memos = readList(value, where).map((memo, i) => readMemo(memo, `${where}[${i}]`))
  const digits = memos.flatMap(({ Memo }) => Object.values(Memo)).join('').length
  if (digits > 2 * maxMemoBytes) throw malformed(`${where} hold more than ${maxMemoBytes} bytes`)
  return memos
}

function readMemo(value: unknown, where: string): XrpMemo {
  const outer = asRecord(value)
  const inner = asRecord(outer?.get('Memo'))
  if (outer?.size !== 1 || inner === undefined || inner.size === 0) {
    throw malformed(`${where} is not an object with a Memo alone`)
  }
  const entries = [...inner].map(([name, text]) => {
    if (!memoMembers.includes(name)) throw malformed(`${where} has an unknown member`)
    return [name, readHex(1, maxMemoBytes)(text, `${where}.${name}`)] as const
  })
  return { Memo: Object.fromEntries(entries) }
}
