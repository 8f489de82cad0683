import { expect } from 'bun:test'
import type { Output } from '../../src/base/model.ts'
import { xrp } from '../../src/chains/xrp.ts'
import { type Json, pendingOf } from './evm.ts'
import { type LiftedPayment, note } from './lifted-payments.ts'
import { common, issued, issuer, ownOf, payment, signByLibrary, somebody, wallet } from './xrp.ts'

const { DestinationTag: _, ...untagged } = payment
const everything = 10n ** 17n
const usd = `XRP:USD.${issuer}`
const unit = 10n ** 96n
const locator = 'AB'.repeat(32)

export const liftedOnXrp: readonly LiftedPayment[] = [
  lifted(
    'SetRegularKey',
    'a second key',
    { TransactionType: 'SetRegularKey', RegularKey: issuer },
    ['set-regular-key', [note(`RegularKey=${issuer}`, 'XRP')]],
  ),
  lifted('SetRegularKey', 'no second key', { TransactionType: 'SetRegularKey' }, [
    'set-regular-key',
    [note('no RegularKey', 'XRP')],
  ]),
  lifted(
    'SignerListSet',
    'two signers',
    {
      TransactionType: 'SignerListSet',
      SignerQuorum: 3,
      SignerEntries: [
        { SignerEntry: { Account: somebody, SignerWeight: 2, WalletLocator: locator } },
        { SignerEntry: { Account: issuer, SignerWeight: 1 } },
      ],
    },
    [
      'set-signer-list',
      [note(`SignerEntries=${somebody}:2:${locator},${issuer}:1 SignerQuorum=3`, 'XRP')],
    ],
  ),
  lifted('SignerListSet', 'no signers', { TransactionType: 'SignerListSet', SignerQuorum: 0 }, [
    'set-signer-list',
    [note('SignerQuorum=0', 'XRP')],
  ]),
  lifted(
    'AccountDelete',
    'to somebody',
    { TransactionType: 'AccountDelete', Destination: somebody, DestinationTag: 7, Fee: '2000000' },
    [
      'account-delete',
      [paid(`${somebody}?tag=7`, everything), note('all that is left in the account', 'XRP')],
    ],
  ),
  lifted('DisableMaster', 'SetFlag 4', { TransactionType: 'AccountSet', SetFlag: 4 }, [
    'disable-master-key',
    [note('SetFlag=4', 'XRP')],
  ]),
  lifted('tfPartialPayment', 'the flag', { ...untagged, Flags: 0x2_0000 }, [
    'partial-payment',
    [paid(somebody, 25_000_000n), note('Flags=131072', 'XRP')],
  ]),
  lifted(
    'tfPartialPayment',
    'with a least amount',
    { ...untagged, Flags: 0x2_0000, DeliverMin: '5' },
    ['partial-payment', [paid(somebody, 25_000_000n), note('DeliverMin=5 Flags=131072', 'XRP')]],
  ),
  lifted('SendMax', 'issued money for XRP', { ...untagged, SendMax: issued }, [
    'exchange-payment',
    [paid(somebody, 125n * (unit / 10n), usd), note('Amount=25000000', 'XRP')],
  ]),
  lifted(
    'Paths',
    'over an account and an order book',
    {
      ...untagged,
      Amount: issued,
      Paths: [[{ account: issuer }, { currency: 'XRP' }], [{ currency: 'USD', issuer }]],
    },
    [
      'exchange-payment',
      [
        paid(somebody, 125n * (unit / 10n), usd),
        note(`Paths=account:${issuer}>currency:XRP,currency:USD/issuer:${issuer}`, 'XRP'),
      ],
    ],
  ),
]

function lifted(
  name: string,
  about: string,
  members: Json,
  [kind, outputs]: readonly [kind: string, outputs: readonly Output[]],
): LiftedPayment {
  const json = { ...common, ...members }
  return {
    name: `XRP.${name}`,
    about,
    chain: xrp,
    pending: pendingOf(xrp, json),
    own: ownOf(wallet),
    key: Uint8Array.from(Buffer.from(wallet.privateKey.slice(2), 'hex')),
    intent: { kind, from: [wallet.classicAddress], outputs },
    check: signed => expect(signed).toEqual(signByLibrary(json, wallet)),
  }
}

function paid(to: string, amount: bigint, asset = 'XRP'): Output {
  return { to, amount, asset, own: false }
}
