import type { FieldName, FieldValue } from './xrp-fields.ts'

/** What belongs to one type of transaction, beside what all of them have. */
type Shape = {
  readonly required: readonly FieldName[]
  readonly optional: readonly FieldName[]
  /** Bits of `Flags` that mean something here (XRPL, "Transaction Types"). */
  readonly flags: number
}

/** tfPartialPayment */
export const partialPaymentFlag = 0x0002_0000

/** The types that are signed: Tatum makes the first three and NFTs; offers go the same way. */
export const shapes = {
  Payment: {
    required: ['Destination', 'Amount'],
    optional: ['DestinationTag', 'SendMax', 'Paths', 'DeliverMin'],
    flags: partialPaymentFlag,
  },
  TrustSet: {
    required: ['LimitAmount'],
    optional: ['QualityIn', 'QualityOut'],
    flags: 0x00ff_0000,
  },
  AccountSet: {
    required: [],
    optional: ['SetFlag', 'ClearFlag', 'Domain', 'TransferRate', 'TickSize', 'NFTokenMinter'],
    flags: 0x003f_0000,
  },
  NFTokenMint: {
    required: ['NFTokenTaxon'],
    optional: ['Issuer', 'TransferFee', 'URI'],
    flags: 0x1f,
  },
  NFTokenBurn: { required: ['NFTokenID'], optional: ['Owner'], flags: 0 },
  NFTokenCreateOffer: {
    required: ['NFTokenID', 'Amount'],
    optional: ['Owner', 'Destination', 'Expiration'],
    flags: 1,
  },
  NFTokenAcceptOffer: {
    required: [],
    optional: ['NFTokenSellOffer', 'NFTokenBuyOffer', 'NFTokenBrokerFee'],
    flags: 0,
  },
  NFTokenCancelOffer: { required: ['NFTokenOffers'], optional: [], flags: 0 },
  OfferCreate: {
    required: ['TakerGets', 'TakerPays'],
    optional: ['Expiration', 'OfferSequence'],
    flags: 0x000f_0000,
  },
  OfferCancel: { required: ['OfferSequence'], optional: [], flags: 0 },
  SetRegularKey: { required: [], optional: ['RegularKey'], flags: 0 },
  SignerListSet: { required: ['SignerQuorum'], optional: ['SignerEntries'], flags: 0 },
  AccountDelete: { required: ['Destination'], optional: ['DestinationTag'], flags: 0 },
} as const satisfies Readonly<Record<string, Shape>>

export const commonShape = {
  required: ['Account', 'Fee', 'Sequence', 'LastLedgerSequence'],
  optional: ['Flags', 'SourceTag', 'Memos'],
} as const satisfies Omit<Shape, 'flags'>

export type XrpType = keyof typeof shapes

type Members<S extends Omit<Shape, 'flags'>> = {
  readonly [Name in S['required'][number]]: FieldValue<Name>
} & { readonly [Name in S['optional'][number]]?: FieldValue<Name> }

/** A transaction of one type, in the members of the ledger's JSON. */
export type XrpTxOf<Type extends XrpType> = { readonly TransactionType: Type } & Members<
  typeof commonShape
> &
  Members<(typeof shapes)[Type]>

export type XrpTx = { readonly [Type in XrpType]: XrpTxOf<Type> }[XrpType]

export function isSignedType(type: unknown): type is XrpType {
  return typeof type === 'string' && Object.hasOwn(shapes, type)
}
