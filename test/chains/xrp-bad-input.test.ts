import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { classicAddressToXAddress } from 'xrpl'
import type { ErrorCode } from '../../src/base/errors.ts'
import { xrp } from '../../src/chains/xrp.ts'
import type { Json } from '../support/evm.ts'
import { expectReasoned, hostileTexts, largeTexts } from '../support/hostile-text.ts'
import { refusalOf } from '../support/secret.ts'
import { common, issued, nft, ownOf, payment, prepare, somebody, wallet } from '../support/xrp.ts'

fc.configureGlobal({ numRuns: Number(process.env['FC_NUM_RUNS'] ?? 100) })

const notUint32 = [-1, 0.5, 2 ** 32, 2 ** 53, 1e300, '1', true, null, [], {}]
const notDrops = [0, 25, '', '-1', '1.5', '01', '1e6', '0x10', ' 1', '9'.repeat(18), null]
const notAmounts = [0, null, true, [], ['1']]
const notAddresses = [
  '',
  0,
  null,
  somebody.slice(1),
  `${somebody.slice(0, -1)}f`,
  somebody.toUpperCase(),
  classicAddressToXAddress(somebody, 7, false),
  '0x687422eea2cb73b5d3e242ba5456b782919afc85',
]
const notValues = ['', '-1', '.5', '1,5', '0x1', 'NaN', 'Infinity', '1e', ' 1', 1, null]
const paying = (value: unknown) => ({ Amount: { ...issued, value } })
const inCurrency = (currency: unknown) => ({ Amount: { ...issued, currency } })
const each = (name: string, values: readonly unknown[]) => values.map(value => ({ [name]: value }))

/** The answer, and what is put into a good payment to get it; undefined takes a member out. */
const malformed: Readonly<Record<string, readonly Json[]>> = {
  'TransactionType is not text': each('TransactionType', [undefined, null, 0, ['Payment'], {}]),
  "transaction of type Payment has an unknown member 'InvoiceID'": each('InvoiceID', [nft]),
  "transaction of type Payment has an unknown member 'TicketSequence'": each('TicketSequence', [1]),
  "transaction of type Payment has an unknown member 'constructor'": each('constructor', [1]),
  "transaction of type Payment has an unknown member 'NFTokenID'": each('NFTokenID', [nft]),
  'transaction of type Payment has an unknown member': each('a b\n', [1]),
  'Fee is missing': each('Fee', [undefined]),
  'Account is missing': each('Account', [undefined]),
  'Sequence is missing': each('Sequence', [undefined]),
  'Destination is missing': each('Destination', [undefined]),
  'Amount is missing': each('Amount', [undefined]),
  'Fee is not whole drops of XRP in text, at most 100000000000000000': each('Fee', notDrops),
  'Amount is not whole drops of XRP in text, at most 100000000000000000': each(
    'Amount',
    notDrops.filter(value => typeof value === 'string'),
  ),
  'Amount is neither drops of XRP nor an issued amount': each('Amount', notAmounts),
  'Amount has a member other than currency, issuer and value': [
    { Amount: { ...issued, tag: 1 } },
    { Amount: { mpt_issuance_id: '00', value: '1' } },
  ],
  'Amount.issuer is not an address': notAddresses.map(issuer => ({
    Amount: { ...issued, issuer },
  })),
  'Amount.value is not a decimal number in text, 0 or more': notValues.map(paying),
  'Amount.value has more than 16 digits': ['12345678901234567', '1.2345678901234567'].map(paying),
  'Amount.value is smaller or larger than an amount can be': ['1e96', '1e-82', '1e999'].map(paying),
  'Amount.currency is XRP': ['XRP', '00'.repeat(20), `${'0'.repeat(24)}5852500000000000`].map(
    inCurrency,
  ),
  'Amount.currency is neither a code of three characters nor 40 hex digits': [
    '',
    'US',
    'EURO',
    'a.b',
    'f'.repeat(39),
    0,
    null,
  ].map(inCurrency),
  'Destination is not a classic address (r...)': each('Destination', notAddresses),
  'DestinationTag is not a whole number of 32 bits': each('DestinationTag', notUint32),
  'SourceTag is not a whole number of 32 bits': each('SourceTag', notUint32),
  'Sequence is not a whole number of 32 bits': each('Sequence', notUint32),
  'Flags is not a whole number of 32 bits': each('Flags', [...notUint32, { tfPartialPayment: 1 }]),
  'LastLedgerSequence is not a whole number of 32 bits': each('LastLedgerSequence', notUint32),
  'Memos is not a list with members': each('Memos', [[], {}, null, 'x']),
  'Memos[0] is not an object with a Memo alone': [
    [null],
    [{}],
    [{ Memo: {} }],
    [{ Memo: { MemoData: '00' }, MemoData: '00' }],
    [[]],
  ].map(Memos => ({ Memos })),
  'Memos[0] has an unknown member': each('Memos', [[{ Memo: { Text: '00' } }]]),
  'Memos[0].MemoData is not 1 to 1024 bytes of hex': ['', '0', 'xx', 0, '00'.repeat(1025)].map(
    MemoData => ({ Memos: [{ Memo: { MemoData } }] }),
  ),
  'Memos hold more than 1024 bytes': [
    { Memos: Array(3).fill({ Memo: { MemoData: '00'.repeat(400) } }) },
  ],
}

const refused: Readonly<Record<string, readonly Json[]>> = {
  'transactions of type EscrowCreate are not signed here': each('TransactionType', [
    'EscrowCreate',
  ]),
  'transactions of type __proto__ are not signed here': each('TransactionType', ['__proto__']),
  'transactions of type are not signed here': each('TransactionType', ['', 'a b', 'x'.repeat(99)]),
  'transaction has a signature or the key of one: it is to be signed here': [
    { TxnSignature: '00' },
    { SigningPubKey: '' },
    { Signers: [] },
  ],
  'LastLedgerSequence is missing: the transaction would stay valid for ever': each(
    'LastLedgerSequence',
    [undefined],
  ),
  'LastLedgerSequence is 0': each('LastLedgerSequence', [0]),
  'Sequence is 0': each('Sequence', [0]),
  'Flags has bits that are not signed in a transaction of type Payment': each(
    'Flags',
    [1, 0x1_0000, 0x4_0000, 0x4000_0000, 0xc000_0000],
  ),
  [`Account is ${somebody}, but the wallet that signs is ${common.Account}`]: each('Account', [
    somebody,
  ]),
}

const settings = { TransactionType: 'AccountSet', ...gone('Amount', 'Destination') }

const denied: Readonly<Record<string, readonly Json[]>> = {
  'a transaction of type SetRegularKey hands over the account: denied unless a policy lifts XRP.SetRegularKey':
    each('TransactionType', ['SetRegularKey']),
  'a transaction of type SignerListSet hands over the account: denied unless a policy lifts XRP.SignerListSet':
    each('TransactionType', ['SignerListSet']),
  'a transaction of type AccountDelete hands over the account: denied unless a policy lifts XRP.AccountDelete':
    each('TransactionType', ['AccountDelete']),
  'Flags allow a partial payment, which may deliver next to nothing: denied unless a policy lifts XRP.tfPartialPayment':
    each('Flags', [0x2_0000, 0x8002_0000, 0x3_0000]),
  'SendMax lets a payment cost something else than it delivers: denied unless a policy lifts XRP.SendMax':
    each('SendMax', ['1', issued]),
  'Paths lets a payment cost something else than it delivers: denied unless a policy lifts XRP.Paths':
    each('Paths', [[]]),
  'DeliverMin lets a payment cost something else than it delivers: denied unless a policy lifts XRP.tfPartialPayment':
    each('DeliverMin', ['1']),
  'SetFlag 4 disables the key of the account: denied unless a policy lifts XRP.DisableMaster': [
    { ...settings, ...gone('DestinationTag'), SetFlag: 4 },
  ],
  'fee of 2000001 XRP base units is above the limit of 2000000': each('Fee', ['2000001']),
}

describe.each<readonly [ErrorCode, typeof malformed]>([
  ['transaction-malformed', malformed],
  ['transaction-refused', refused],
  ['policy-denied', denied],
])('%s', (code, table) => {
  test.each(Object.entries(table))('%s', (message, changes) => {
    expect(message).toMatch(/^[ -~]{10,150}$/)
    for (const change of changes) {
      const refusal = refusalOf(() => prepare({ ...payment, ...change }))
      expect([refusal.code, refusal.message]).toEqual([code, message])
    }
  })

  test.each(['', ' ', '{', 'null', '1', '"{}"', '[]', 'NaN', '\ufeff{}', '{}{}'])(
    '%p is no transaction',
    text => {
      expect(refusalOf(() => prepare(text)).message).toBe('transaction is not a JSON object')
    },
  )
})

test('the highest fee is signed', () => {
  expect(prepare({ ...payment, Fee: '2000000' }).requests).toHaveLength(1)
})

test('an amount that stands twice is refused: another reader may take the first', () => {
  const text = JSON.stringify(payment).replace('"Amount"', '"Amount":"1","Amount"')
  expect(refusalOf(() => prepare(text)).message).toMatch('a member is given twice')
})

describe('hostile text', () => {
  const members = ['Memos', 'Paths', 'SigningPubKey', 'LimitAmount']

  test('is read or refused with a reason', () => {
    fc.assert(
      fc.property(hostileTexts(payment, members), text => expectReasoned(xrp, ownOf(wallet), text)),
    )
  })

  test.each(['Amount', 'Destination', 'Memos', 'TransactionType', 'Account'])(
    'of half a megabyte in %s is refused at once',
    member => {
      for (const text of largeTexts(payment, member)) expectReasoned(xrp, ownOf(wallet), text)
    },
  )

  test('with lists and memos without end is refused at once', () => {
    const cancel = { ...common, TransactionType: 'NFTokenCancelOffer' }
    for (const json of [
      { ...payment, Memos: Array(20_000).fill({ Memo: { MemoData: '00' } }) },
      { ...cancel, NFTokenOffers: Array(7_000).fill(nft) },
      { ...payment, Amount: { ...issued, value: `0.${'0'.repeat(500_000)}1` } },
    ]) {
      expectReasoned(xrp, ownOf(wallet), JSON.stringify(json))
      expect(refusalOf(() => prepare(json)).code).toBe('transaction-malformed')
    }
  })
})

function gone(...names: readonly string[]): Json {
  return Object.fromEntries(names.map(name => [name, undefined]))
}
