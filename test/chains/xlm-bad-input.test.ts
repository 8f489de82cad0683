import { describe, expect, test } from 'bun:test'
import {
  Account,
  Asset,
  AuthRequiredFlag,
  Keypair,
  LiquidityPoolAsset,
  Memo,
  MuxedAccount,
  Networks,
  Operation,
  TransactionBuilder,
  xdr,
} from '@stellar/stellar-base'
import fc from 'fast-check'
import type { ErrorCode } from '../../src/base/errors.ts'
import { xlm } from '../../src/chains/xlm.ts'
import { expectReasoned, hostileTexts, largeTexts } from '../support/hostile-text.ts'
import { refusalOf } from '../support/secret.ts'
import { build, key, ownOf, pay, prepare, somebody, source, usdc } from '../support/xlm.ts'
import {
  cut,
  edited,
  payingIn,
  paymentOf,
  signedBy,
  withBody,
  withConditions,
  withContractData,
  withMuxedSource,
} from '../support/xlm-envelopes.ts'

fc.configureGlobal({ numRuns: Number(process.env['FC_NUM_RUNS'] ?? 100) })

const good = build().toXDR()
const muxed = (account: string) => new MuxedAccount(new Account(account, '0'), '7').accountId()

/** The answer, and the envelopes that get it. */
const malformed: Readonly<Record<string, readonly string[]>> = {
  'transaction is not an envelope in base64': [
    '',
    'AAA=',
    'null',
    '{}',
    '[]',
    `${good}\n`,
    ` ${good}`,
    good.replaceAll('A', '-'),
    good.slice(0, -1),
    `${good}====`,
    '{"TransactionType":"Payment"}',
    '\0'.repeat(100),
  ],
  'transaction is not an envelope of a transaction': [
    edited(bytes => bytes.writeUInt32BE(1)),
    edited(bytes => bytes.writeUInt32BE(3)),
    edited(bytes => bytes.writeUInt32BE(0xffff_ffff)),
  ],
  'the envelope cannot be read as XDR': [
    cut(1),
    cut(4),
    cut(60),
    `${'AAAAAg'}==`,
    // A byte more than there may be
    Buffer.concat([Buffer.from(good, 'base64'), Buffer.alloc(4)]).toString('base64'),
    // A muxed account of no known type
    edited(bytes => bytes.writeUInt32BE(9, 4)),
  ],
  'the sequence number is not above 0': [
    build({ sequence: 0n }).toXDR(),
    build({ sequence: -5n }).toXDR(),
  ],
  'the transaction has no operation': [build({ operations: [] }).toXDR()],
  'operation 0 has a negative amount': [
    withBody(xdr.OperationBody.payment(paymentOf('-1'))),
    withBody(xdr.OperationBody.payment(paymentOf('-9223372036854775808'))),
  ],
  'operation 1 has an asset code that is none': [
    ...['', 'a\0bc', 'a-b', 'abcé', '    '].map(code => payingIn(4, code)),
    ...['', 'USDC', 'a b c', 'abcde\0f', '\0abcde'].map(code => payingIn(12, code)),
  ],
}

const refused: Readonly<Record<string, readonly string[]>> = {
  'the envelope is longer than 32768 characters': [good.repeat(200), 'A'.repeat(32_769)],
  'the envelope is of version 0, which is not signed here': [
    edited(bytes => bytes.writeUInt32BE(0)),
    // A transaction without its envelope looks the same.
    build().toEnvelope().v1().tx().toXDR('base64'),
  ],
  'the envelope has a signature: it is to be signed here': [
    signedBy(key),
    signedBy(Keypair.random()),
  ],
  [`the source account is ${somebody}, but the wallet that signs is ${source}`]: [
    build({ source: somebody }).toXDR(),
  ],
  'the source account is muxed (M...)': [withMuxedSource()],
  'operation 1 is of another account': [
    Operation.payment({ destination: source, asset: usdc, amount: '1', source: somebody }),
    Operation.payment({ destination: source, asset: usdc, amount: '1', source: muxed(somebody) }),
  ].map(operation => build({ operations: [pay, operation] }).toXDR()),
  'operation 0 has a muxed source': [
    build({
      operations: [
        Operation.payment({
          destination: somebody,
          asset: usdc,
          amount: '1',
          source: muxed(source),
        }),
      ],
    }).toXDR(),
  ],
  'the transaction has no maxTime: it would stay valid for ever': [
    build({ maxTime: 0 }).toXDR(),
    withConditions(xdr.Preconditions.precondNone()),
  ],
  'maxTime is after the year 9999': [
    withConditions(
      xdr.Preconditions.precondTime(
        new xdr.TimeBounds({
          minTime: xdr.Uint64.fromString('0'),
          maxTime: xdr.Uint64.fromString('18446744073709551615'),
        }),
      ),
    ),
  ],
  'preconditions other than time bounds are not signed': [
    new TransactionBuilder(new Account(source, '6'), {
      fee: '100',
      networkPassphrase: Networks.PUBLIC,
      timebounds: { minTime: 0, maxTime: 1_767_225_600 },
      ledgerbounds: { minLedger: 0, maxLedger: 5 },
    })
      .addOperation(pay)
      .build()
      .toXDR(),
  ],
  'the memo is not text in UTF-8': [
    build({ memo: Memo.text(Buffer.from('ff', 'hex') as unknown as string) }).toXDR(),
  ],
  'operation 0 trusts something that is no asset of an issuer': [
    build({
      operations: [
        Operation.changeTrust({ asset: new LiquidityPoolAsset(Asset.native(), usdc, 30) }),
      ],
    }).toXDR(),
    withBody(
      xdr.OperationBody.changeTrust(
        new xdr.ChangeTrustOp({
          line: xdr.ChangeTrustAsset.assetTypeNative(),
          limit: xdr.Int64.fromString('1'),
        }),
      ),
    ),
  ],
  'operation 0 is bumpSequence, which is not signed here': [
    build({ operations: [Operation.bumpSequence({ bumpTo: '99' })] }).toXDR(),
  ],
  'operation 0 is pathPaymentStrictSend, which is not signed here': [
    build({
      operations: [
        Operation.pathPaymentStrictSend({
          sendAsset: usdc,
          sendAmount: '1',
          destination: somebody,
          destAsset: Asset.native(),
          destMin: '1',
          path: [],
        }),
      ],
    }).toXDR(),
  ],
  'a part of the transaction for smart contracts is not signed': [withContractData()],
}

const denied: Readonly<Record<string, readonly string[]>> = {
  'a fee-bump envelope pays for a transaction that others have signed: denied unless a policy lifts XLM.fee-bump':
    [TransactionBuilder.buildFeeBumpTransaction(key, '400', build(), Networks.PUBLIC).toXDR()],
  ...Object.fromEntries(
    [
      Operation.setOptions({ setFlags: AuthRequiredFlag }),
      Operation.accountMerge({ destination: somebody }),
      Operation.allowTrust({ trustor: somebody, assetCode: 'USDC', authorize: 1 }),
      Operation.manageData({ name: 'x', value: 'y' }),
    ].map(operation => {
      const { name } = operation.body().switch()
      const what = `which changes whose the account is or what it allows: denied unless a policy lifts XLM.${name}`
      return [`operation 1 is ${name}, ${what}`, [build({ operations: [pay, operation] }).toXDR()]]
    }),
  ),
  'fee of 10000001 XLM base units is above the limit of 10000000': [
    build({ fee: 10_000_001 }).toXDR(),
  ],
}

describe.each<readonly [ErrorCode, typeof malformed]>([
  ['transaction-malformed', malformed],
  ['transaction-refused', refused],
  ['policy-denied', denied],
])('%s', (code, table) => {
  test.each(Object.entries(table))('%s', (message, envelopes) => {
    expect(message).toMatch(/^[ -~]{10,180}$/)
    for (const envelope of envelopes) {
      const refusal = refusalOf(() => prepare(envelope))
      expect([refusal.code, refusal.message]).toEqual([code, message])
    }
  })
})

test('the highest fee is signed', () => {
  expect(prepare(build({ fee: 10_000_000 }).toXDR()).requests).toHaveLength(1)
})

test('padding that is not zeros is refused: there is one form of every envelope', () => {
  const envelope = Buffer.from(build({ memo: Memo.text('abc') }).toXDR(), 'base64')
  envelope[envelope.indexOf('abc') + 3] = 1
  const { code } = refusalOf(() => prepare(envelope.toString('base64')))
  expect(code).toBe('transaction-malformed')
})

describe('hostile text', () => {
  test('is refused with a reason', () => {
    fc.assert(
      fc.property(hostileTexts({ envelope: good }, []), text => expectReasoned(xlm, ownOf(), text)),
    )
  })

  test('of half a megabyte is refused at once', () => {
    for (const text of largeTexts({}, 'x')) expectReasoned(xlm, ownOf(), text)
  })

  test('in the form of an envelope is read or refused with a reason', () => {
    const start = Buffer.from(good, 'base64')
    const bytes = fc.uint8Array({ maxLength: 24_000 })
    fc.assert(
      fc.property(fc.nat(start.length), bytes, (kept, rest) => {
        const envelope = Buffer.concat([start.subarray(0, kept), rest])
        expectReasoned(xlm, ownOf(), envelope.toString('base64'))
      }),
    )
  })

  test('that is cut short is refused', () => {
    const { length } = Buffer.from(good, 'base64')
    for (let missing = 1; missing <= length; missing++) {
      expect(refusalOf(() => prepare(cut(missing))).code).toBe('transaction-malformed')
    }
  })

  test('with values nested as deep as they fit is refused at once', () => {
    // invokeHostFunction with a list in a list in a list …
    const body = Buffer.from(build({ operations: [] }).toXDR(), 'base64').subarray(0, -12)
    const call = Buffer.from('0000000100000000000000180000000000000000', 'hex')
    const nested = Buffer.from('000000100000000100000001'.repeat(1_900), 'hex')
    expectReasoned(xlm, ownOf(), Buffer.concat([body, call, nested]).toString('base64'))
  })
})
