import { ed25519 } from '@noble/curves/ed25519.js'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import fc from 'fast-check'
import { encodeAccountID, type SubmittableTransaction, Wallet } from 'xrpl'
import type { Signed } from '../../src/base/model.ts'
import type { Own, Prepared } from '../../src/chains/chain.ts'
import { defaultSettings } from '../../src/chains/settings.ts'
import { xrp } from '../../src/chains/xrp.ts'
import { type Json, pendingOf } from './evm.ts'

/** Seeds of recorded wallets, one for each curve. */
export const wallets = ['sEdTcoapvJFMfmMpet6s3BHzXqDAtga', 'shrFa3NKNupTzzuCm1qxM7rTkopdH'].map(
  seed => Wallet.fromSeed(seed),
)
export const [wallet = Wallet.generate()] = wallets

export const issuer = 'rMxCKbEDwqr76QuheSUMdEGf4B9xJ8m5De'
export const somebody = 'rPT1Sjq2YGrBMTttX4GZHjKu9dyfzbpAYe'
export const nft = '000B013A95F14B0044F78A264E41713C64B5F89242540EE208C3098E00000D65'

export const common = {
  Account: wallet.classicAddress,
  Fee: '12',
  Sequence: 34567890,
  LastLedgerSequence: 78901234,
}
export const payment = {
  ...common,
  TransactionType: 'Payment',
  Amount: '25000000',
  Destination: somebody,
  DestinationTag: 123,
}
/** What issued money looks like. */
export const issued = { currency: 'USD', value: '12.5', issuer }

export function prepare(json: unknown, by: Wallet = wallet): Prepared {
  return xrp.prepare(pendingOf(xrp, json), ownOf(by), {})
}

/** As the program does it, the key work by the library that does it there. */
export function sign(json: unknown, by: Wallet = wallet): Signed {
  const prepared = prepare(json, by)
  const secret = Buffer.from(by.privateKey.slice(2), 'hex')
  return prepared.seal(
    prepared.requests.map(({ algorithm, message }) => ({
      bytes:
        algorithm === 'ed25519'
          ? ed25519.sign(message, secret)
          : secp256k1.sign(message, secret, { prehash: false }),
      recovery: 0,
    })),
  )
}

/** By xrpl alone. */
export function signByLibrary(json: Json, by: Wallet): Signed {
  const { tx_blob: txData, hash: txId } = by.sign(json as unknown as SubmittableTransaction)
  return { txData, txId }
}

export function ownOf({ publicKey }: Wallet): Own {
  const bytes = Buffer.from(publicKey, 'hex')
  const key =
    bytes[0] === 0xed
      ? ({ curve: 'ed25519', bytes: Uint8Array.from(bytes.subarray(1)) } as const)
      : ({ curve: 'secp256k1', bytes: Uint8Array.from(bytes) } as const)
  return { network: 'mainnet', keys: [key], settings: defaultSettings }
}

const uint32 = fc.oneof(fc.nat(0xffff_ffff), fc.constantFrom(0, 1, 0x7fff_ffff, 0xffff_ffff))
const counter = fc.integer({ min: 1, max: 0xffff_ffff })
const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length })
const hexText = (length: number, maxLength = length) =>
  fc
    .uint8Array({ minLength: length, maxLength })
    .map(found => Buffer.from(found).toString('hex').toUpperCase())
const hash = hexText(32)
const address = fc.oneof(
  bytes(20).map(id => encodeAccountID(Buffer.from(id))),
  fc.constantFrom(somebody, issuer),
)
const drops = fc.bigInt({ min: 1n, max: 10n ** 17n }).map(String)
const fee = fc.bigInt({ min: 1n, max: 2_000_000n }).map(String)
const currency = fc.oneof(
  fc.constantFrom('USD', 'usd', '0A?', '$|]'),
  hexText(19).map(rest => `8F${rest}`),
)
/** Numbers of up to 16 digits, in plain decimals, as far as the ledger goes. */
const value = fc
  .tuple(fc.bigInt({ min: 1n, max: 10n ** 16n - 1n }), fc.integer({ min: -80, max: 79 }))
  .map(([digits, exponent]) => {
    if (exponent >= 0) return `${digits}${'0'.repeat(exponent)}`
    const padded = `${digits}`.padStart(1 - exponent, '0')
    return `${padded.slice(0, exponent)}.${padded.slice(exponent)}`
  })
export const issuedAmount = fc.record(
  { currency, value, issuer: address },
  { noNullPrototype: true },
)
const amount = fc.oneof(drops, issuedAmount)
const memoText = hexText(1, 40)
const memo = fc
  .record(
    { MemoData: memoText, MemoFormat: memoText, MemoType: memoText },
    { requiredKeys: ['MemoData'], noNullPrototype: true },
  )
  .map(Memo => ({ Memo }))
const flags = (...bits: readonly number[]) =>
  fc.subarray([...bits, 0x8000_0000]).map(some => some.reduce((sum, bit) => sum + bit, 0))

const uri = hexText(1, 256)
const commonMembers = {
  Fee: fee,
  Sequence: counter,
  LastLedgerSequence: counter,
  Flags: flags(),
  SourceTag: uint32,
  Memos: fc.array(memo, { minLength: 1, maxLength: 3 }),
}
const required = ['Fee', 'Sequence', 'LastLedgerSequence'] as const

function typed(
  TransactionType: string,
  own: Readonly<Record<string, fc.Arbitrary<unknown>>>,
  optional: readonly string[],
): fc.Arbitrary<Json> {
  const members = { ...commonMembers, ...own }
  const needed = [...required, ...Object.keys(own).filter(name => !optional.includes(name))]
  return fc
    .record(members, { requiredKeys: needed as (keyof typeof members)[] })
    .map(rest => ({ TransactionType, Account: wallet.classicAddress, ...rest }))
}

/** Any transaction that is signed, by its type, as the ledger's library accepts it. */
export const transactionsByType: Readonly<Record<string, fc.Arbitrary<Json>>> = {
  Payment: typed('Payment', { Destination: address, Amount: amount, DestinationTag: uint32 }, [
    'DestinationTag',
  ]),
  TrustSet: typed(
    'TrustSet',
    {
      LimitAmount: issuedAmount,
      QualityIn: uint32,
      QualityOut: uint32,
      Flags: flags(0x2_0000, 0x10_0000),
    },
    ['QualityIn', 'QualityOut', 'Flags'],
  ),
  AccountSet: typed(
    'AccountSet',
    {
      SetFlag: fc.constantFrom(1, 8),
      ClearFlag: fc.constantFrom(2, 3),
      Domain: hexText(0, 256),
      TransferRate: fc.integer({ min: 1_000_000_000, max: 2_000_000_000 }),
      TickSize: fc.integer({ min: 3, max: 15 }),
      Flags: flags(0x1_0000, 0x10_0000),
    },
    ['SetFlag', 'ClearFlag', 'Domain', 'TransferRate', 'TickSize', 'Flags'],
  ),
  NFTokenMint: typed(
    'NFTokenMint',
    {
      NFTokenTaxon: uint32,
      Issuer: fc.constantFrom(somebody, issuer),
      TransferFee: fc.nat(50_000),
      URI: uri,
      Flags: flags(1, 2, 8),
    },
    ['Issuer', 'TransferFee', 'URI', 'Flags'],
  ),
  NFTokenBurn: typed('NFTokenBurn', { NFTokenID: hash, Owner: address }, ['Owner']),
  sale: typed(
    'NFTokenCreateOffer',
    {
      NFTokenID: hash,
      Amount: amount,
      Destination: fc.constantFrom(somebody, issuer),
      Expiration: uint32,
      Flags: fc.constantFrom(1, 0x8000_0001),
    },
    ['Destination', 'Expiration'],
  ),
  purchase: typed(
    'NFTokenCreateOffer',
    { NFTokenID: hash, Amount: amount, Owner: fc.constantFrom(somebody, issuer) },
    [],
  ),
  NFTokenAcceptOffer: typed(
    'NFTokenAcceptOffer',
    { NFTokenSellOffer: hash, NFTokenBuyOffer: hash, NFTokenBrokerFee: amount },
    ['NFTokenBrokerFee'],
  ),
  NFTokenCancelOffer: typed(
    'NFTokenCancelOffer',
    { NFTokenOffers: fc.array(hash, { minLength: 1, maxLength: 4 }) },
    [],
  ),
  OfferCreate: typed(
    'OfferCreate',
    {
      TakerGets: amount,
      TakerPays: amount,
      Expiration: uint32,
      OfferSequence: counter,
      Flags: flags(0x1_0000, 0x8_0000),
    },
    ['Expiration', 'OfferSequence', 'Flags'],
  ),
  OfferCancel: typed('OfferCancel', { OfferSequence: counter }, []),
}

export const anyTransaction = fc.oneof(...Object.values(transactionsByType))
