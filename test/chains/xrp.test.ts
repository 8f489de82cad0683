import { describe, expect, test } from 'bun:test'
import { Wallet } from 'xrpl'
import type { Network } from '../../src/base/model.ts'
import { xrp } from '../../src/chains/xrp.ts'
import { type Json, pendingOf } from '../support/evm.ts'
import { keysOf } from '../support/mnemonic-keys.ts'
import { recordedCases } from '../support/recorded-cases.ts'
import {
  common,
  issued,
  issuer,
  nft,
  ownOf,
  payment,
  prepare,
  sign,
  somebody,
  wallet,
  wallets,
} from '../support/xrp.ts'

const from = common.Account
const fee = { amount: 12n, asset: 'XRP' }
/** An output that only says something. */
const note = (to: string) => ({ to, amount: 0n, asset: 'XRP', own: false })
/** 10^-96, the smallest part of issued money. */
const units = 10n ** 96n

describe('every recorded payment', () => {
  test.each(recordedCases('XRP').map(found => [found.case, found] as const))(
    '%s is signed byte for byte',
    (_, { pending, wallets: recorded, expected }) => {
      const [{ secret, privateKey } = {}] = Object.values(recorded)
      const by = Wallet.fromSeed(secret ?? privateKey ?? '')
      expect(sign(pending.serializedTransaction, by).txData).toBe(expected.txData ?? '')
    },
  )
})

describe('an intent', () => {
  test('of a payment names recipient and tag, and uses up one sequence number', () => {
    const { intent, claims } = prepare(payment)
    expect(intent).toEqual({
      kind: 'transfer',
      from: [from],
      outputs: [{ to: `${somebody}?tag=123`, amount: 25_000_000n, asset: 'XRP', own: false }],
      fee,
    })
    expect(claims).toEqual([`sequence/${from}/34567890`])
  })

  test('of a payment without a tag names the address alone, and knows its own', () => {
    const { DestinationTag: _, ...untagged } = payment
    expect(prepare(untagged).intent.outputs[0]?.to).toBe(somebody)
    const [output] = prepare({ ...untagged, Destination: from }).intent.outputs
    expect(output).toMatchObject({ to: from, own: true })
  })

  test('tells memos and the tag of the source, in text where they are text', () => {
    const utf8 = (text: string) => Buffer.from(text).toString('hex')
    const Memos = [
      { Memo: { MemoType: utf8('text/plain'), MemoData: utf8('for you, =)') } },
      { Memo: { MemoData: 'FF00' } },
    ]
    const [, told] = prepare({ ...payment, Memos, SourceTag: 7 }).intent.outputs
    const [first, second] = [
      'MemoData=for%20you%2C%20%3D),MemoType=text%2Fplain',
      'MemoData=hex:ff00',
    ]
    expect(told).toEqual(note(`Memo(${first}) Memo(${second}) SourceTag=7`))
  })

  test.each([
    ['12.5', (units * 25n) / 2n],
    ['12.500', (units * 25n) / 2n],
    ['125e-1', (units * 25n) / 2n],
    ['0', 0n],
    ['0.000', 0n],
    ['1E80', units * 10n ** 80n],
    ['9999999999999999e80', units * 10n ** 80n * 9999999999999999n],
    ['1e-81', 10n ** 15n],
    ['1.234567890123456e-81', 1234567890123456n],
  ])('of issued money worth %s is exact', (value, amount) => {
    const [output] = prepare({ ...payment, Amount: { ...issued, value } }).intent.outputs
    expect(output).toMatchObject({ amount, asset: `XRP:USD.${issuer}` })
  })

  test('calls three characters by their name, in whatever form they come', () => {
    const hex = `${'00'.repeat(12)}555344${'00'.repeat(5)}`
    const spelt = { ...payment, Amount: { ...issued, currency: hex } }
    expect(prepare(spelt).intent).toEqual(prepare({ ...payment, Amount: issued }).intent)
    expect(sign(spelt)).toEqual(sign({ ...payment, Amount: issued }))
  })

  test.each<readonly [string, Json, Json]>([
    [
      'a trust line',
      { TransactionType: 'TrustSet', LimitAmount: issued, Flags: 0x20000 },
      {
        kind: 'trust',
        outputs: [
          { to: issuer, amount: (units * 25n) / 2n, asset: `XRP:USD.${issuer}`, own: false },
          note('Flags=131072'),
        ],
      },
    ],
    [
      'a setting of the account',
      { TransactionType: 'AccountSet', SetFlag: 8, Domain: '61', Flags: 0x80000000 },
      { kind: 'account-settings', outputs: [note('Domain=61 SetFlag=8')] },
    ],
    [
      'the making of an NFT',
      { TransactionType: 'NFTokenMint', NFTokenTaxon: 0, TransferFee: 100, Flags: 8 },
      { kind: 'nft-mint', outputs: [note('NFTokenTaxon=0 TransferFee=100 Flags=8')] },
    ],
    [
      'the burning of an NFT that somebody else holds',
      { TransactionType: 'NFTokenBurn', NFTokenID: nft, Owner: somebody },
      {
        kind: 'nft-burn',
        from: [from, somebody],
        outputs: [{ to: 'nobody', amount: 1n, asset: `XRP#${nft}`, own: false }],
      },
    ],
    [
      'the offer of an NFT to anybody',
      { TransactionType: 'NFTokenCreateOffer', NFTokenID: nft, Amount: '5', Flags: 1 },
      {
        kind: 'nft-sell-offer',
        outputs: [
          { to: 'anybody', amount: 1n, asset: `XRP#${nft}`, own: false },
          note('Amount=5 Flags=1'),
        ],
      },
    ],
    [
      'the offer to buy an NFT',
      { TransactionType: 'NFTokenCreateOffer', NFTokenID: nft, Amount: '5', Owner: somebody },
      {
        kind: 'nft-buy-offer',
        outputs: [{ to: somebody, amount: 5n, asset: 'XRP', own: false }, note(`NFTokenID=${nft}`)],
      },
    ],
    [
      'the taking of an offer, whose price only the ledger knows',
      { TransactionType: 'NFTokenAcceptOffer', NFTokenSellOffer: nft },
      { kind: 'nft-accept-offer', outputs: [note(`NFTokenSellOffer=${nft}`)], unread: true },
    ],
    [
      'the end of offers',
      { TransactionType: 'NFTokenCancelOffer', NFTokenOffers: [nft, nft] },
      { kind: 'nft-cancel-offers', outputs: [note(`NFTokenOffers=${nft},${nft}`)] },
    ],
    [
      'an offer on the exchange',
      { TransactionType: 'OfferCreate', TakerGets: '5', TakerPays: issued },
      {
        kind: 'exchange-offer',
        outputs: [
          { to: 'the exchange', amount: 5n, asset: 'XRP', own: false },
          note(`TakerPays=12.5 USD.${issuer}`),
        ],
      },
    ],
    [
      'the end of an offer on the exchange',
      { TransactionType: 'OfferCancel', OfferSequence: 7 },
      { kind: 'exchange-cancel-offer', outputs: [note('OfferSequence=7')] },
    ],
  ])('of %s says everything', (_, members, told) => {
    expect<unknown>(prepare({ ...common, ...members }).intent).toEqual({
      from: [from],
      fee,
      ...told,
    })
  })
})

describe('keys', () => {
  test('of both curves have the address of xrpl, on both networks', () => {
    for (const { classicAddress, ...by } of wallets) {
      const [key] = ownOf({ classicAddress, ...by } as Wallet).keys
      if (key === undefined) throw new Error('no key')
      for (const network of ['mainnet', 'testnet'] satisfies Network[]) {
        expect(xrp.address(key, network)).toBe(classicAddress)
      }
    }
  })

  test('one signs: a hash before an index, and of several the first', () => {
    const signatures = [{ id: 'b', index: 4 }]
    const keys = (more: object) => xrp.keys(pendingOf(xrp, payment, more))
    expect(keys({ hashes: ['a', 'b'], signatures })).toEqual([{ signatureId: 'a' }])
    expect(keys({ hashes: ['a'], index: 0 })).toEqual([{ signatureId: 'a', index: 0 }])
    expect(keys({ hashes: [], signatures })).toEqual([{ signatureId: 'b', index: 4 }])
  })
})

test('payments of virtual accounts go the way of all others', () => {
  const { txData } = sign(payment)
  expect(xrp.broadcast({ id: 'x', withdrawalId: 'y' }, txData)).toEqual({
    path: '/v3/xrp/broadcast',
    body: { txData, signatureId: 'x' },
  })
})

test('one signature is taken, no other number of them', () => {
  const signature = { bytes: new Uint8Array(64).fill(1), recovery: 0 }
  const { seal } = prepare(payment)
  expect(seal([signature]).txData).toContain('01'.repeat(64))
  for (const signatures of [[], [signature, signature]]) {
    expect(() => seal(signatures)).toThrow('one signature')
  }
})

test('a completion has nothing to add', () => {
  const pending = pendingOf(xrp, payment)
  expect(() => xrp.prepare(pending, ownOf(wallet), { Fee: '13' })).toThrow('complete transaction')
})

describe('a mnemonic', () => {
  // trustwallet/wallet-core, CoinAddressDerivationTests.kt
  const mnemonic =
    'shoot island position soft burden budget tooth cruel issue economy destroy above'

  test.each(['mainnet', 'testnet'] as const)('has the keys of xrpl on %s', async network => {
    const keys = await keysOf(xrp, network, mnemonic, [0, 1, 7])
    const byLibrary = [0, 1, 7].map(index =>
      Wallet.fromMnemonic(mnemonic, { derivationPath: `m/44'/144'/0'/0/${index}` }),
    )
    expect(keys).toEqual(
      byLibrary.map(({ classicAddress: address, privateKey }) => ({
        address,
        // 00 before the key says that it is one of secp256k1.
        keyText: privateKey.slice(2),
      })),
    )
    expect(keys[0]?.address).toBe('rPwE3gChNKtZ1mhH3Ko8YFGqKmGRWLWXV3')
  })
})
