import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import type { ErrorCode } from '../../src/base/errors.ts'
import { algo } from '../../src/chains/algo.ts'
import {
  account,
  algoJson,
  creation,
  destruction,
  indexed,
  otherKey,
  own,
  ownKey,
  payment,
  prepareAlgo,
  transfer,
} from '../support/algo.ts'
import { type Json, pendingOf, thrownBy } from '../support/evm.ts'
import { expectReasoned, hostileTexts, largeTexts } from '../support/hostile-text.ts'

fc.configureGlobal({ numRuns: Number(process.env['FC_NUM_RUNS'] ?? 100) })

const whole = 'is not a whole number: a JSON integer from 0 to 2^53 - 1'
const notAccount = 'is not an account: a public key of 32 bytes and its checksum'
const notBytes = 'is not an object of bytes by their index'
const other = account(otherKey)

describe('text that is no transaction', () => {
  const good = JSON.stringify(algoJson(payment))
  test.each([
    ['{', 'transaction is not a JSON object'],
    ['null', 'transaction is not a JSON object'],
    [`[${good}]`, 'transaction is not a JSON object'],
    ['{}', 'type is not text'],
    [
      good.replace('{', '{"__proto__":{},'),
      "transaction of type pay has an unknown member '__proto__'",
    ],
    [good.replace('{', '{"fee":1,'), 'transaction is malformed: a member is given twice'],
  ])('%s', (text, message) => {
    const refusal = thrownBy(() => algo.prepare(pendingOf(algo, text), own, {}))
    expect(refusal).toMatchObject({ code: 'transaction-malformed', message })
  })
})

type Bad = readonly [changes: Json, message: string, code?: ErrorCode]

describe('a transaction that is not signed, and what its sender is told', () => {
  const { to: _, ...unaddressed } = payment
  const cases: readonly Bad[] = [
    ...['reKeyTo', 'closeRemainderTo'].flatMap(name =>
      [payment, transfer, creation].map(
        (json): Bad => [
          { ...json, [name]: other },
          name === 'reKeyTo'
            ? 'reKeyTo hands the account over to another key: denied unless a policy lifts ALGO.rekey'
            : 'closeRemainderTo empties and closes the account: denied unless a policy lifts ALGO.close',
          'policy-denied',
        ],
      ),
    ),
    [
      { ...transfer, assetRevocationTarget: other },
      'assetRevocationTarget takes back what somebody else holds',
      'transaction-refused',
    ],
    [
      { ...payment, group: indexed(ownKey) },
      'group ties the transaction to others, which are not known here',
      'transaction-refused',
    ],
    [{ ...payment, lease: { 0: 1 } }, 'lease is given: it is not signed here'],
    [{ ...payment, appArgs: [1] }, 'appArgs is not empty: no application is called here'],
    [{ ...payment, appArgs: {} }, 'appArgs is not empty: no application is called here'],
    [{ ...payment, name: 'Tx' }, 'name or tag is not of a transaction'],
    [
      { ...payment, tag: { type: 'Buffer', data: [77, 88] } },
      'name or tag is not of a transaction',
    ],
    [{ ...payment, flatFee: 1 }, 'flatFee is neither true nor false'],
    ...['keyreg', 'afrz', 'appl', 'stpf'].map(
      (type): Bad => [{ type }, `transactions of type ${type} are not signed here`],
    ),
    [{ type: '<b>' }, 'transactions of type are not signed here'],
    [{ type: 7 }, 'type is not text'],
    ...['assetIndex', 'voteKey', 'freezeState', 'a b'].map(
      (name): Bad => [
        { ...payment, [name]: 1 },
        `transaction of type pay has an unknown member${name === 'a b' ? '' : ` '${name}'`}`,
      ],
    ),
    [{ ...creation, to: other }, "transaction of type acfg has an unknown member 'to'"],
    [{ ...payment, from: other }, 'from is not the address of the wallet that is to sign'],
    [unaddressed, 'to is missing'],
    [{ ...payment, to: null }, `to ${notAccount}`],
    [
      { ...payment, to: 'NFEJ627WZESGFCB4VN7ZDVH7KDEIQBFWFBNJW754GMOA2VTBBVZLJ5EU5Y' },
      `to ${notAccount}`,
    ],
    [{ ...payment, to: { ...other, more: 1 } }, `to ${notAccount}`],
    [{ ...payment, to: { publicKey: indexed(otherKey) } }, `to ${notAccount}`],
    [{ ...payment, to: account(otherKey.subarray(1)) }, `to ${notAccount}`],
    [{ ...payment, to: { ...other, publicKey: [...otherKey] } }, `to ${notAccount}`],
    [
      { ...payment, to: { ...other, publicKey: indexed(ownKey) } },
      'to has a checksum that is not the one of its public key',
    ],
    [{ ...payment, to: account(new Uint8Array(32)) }, 'to is the address of nobody'],
    ...[-1, 0.5, '5', 2 ** 53, 1e300, null, true, [], {}].flatMap(value =>
      ['amount', 'fee', 'firstRound', 'lastRound'].map(
        (name): Bad => [{ ...payment, [name]: value }, `${name} ${whole}`],
      ),
    ),
    [{ ...payment, amount: undefined }, 'amount is missing'],
    [{ ...payment, fee: undefined }, 'fee is missing'],
    [{ ...payment, firstRound: 21_001_001 }, 'lastRound is before firstRound'],
    [{ ...payment, firstRound: 0, lastRound: 0 }, 'lastRound is before firstRound'],
    [
      { ...payment, lastRound: 21_001_001 },
      'lastRound is more than 1000 rounds after firstRound',
      'transaction-refused',
    ],
    ...[
      { genesisID: 'mainnet-v1.0' },
      { genesisID: undefined },
      { genesisHash: indexed(ownKey) },
    ].map(
      (changes): Bad => [
        { ...payment, ...changes },
        'genesisID and genesisHash are not those of testnet, where this wallet is',
        'transaction-refused',
      ],
    ),
    ...[7, 'note', [104], { 1: 104 }, { 0: 256 }, { 0: '1' }, { 0: 1, length: 1 }].map(
      (note): Bad => [{ ...payment, note }, `note ${notBytes}`],
    ),
    [{ ...payment, note: indexed(new Uint8Array(1_025)) }, 'note holds more than 1024 bytes'],
    [{ ...transfer, assetIndex: 0 }, 'assetIndex is 0, which is no asset'],
    [{ ...transfer, assetIndex: undefined }, 'assetIndex is missing'],
    [{ type: 'acfg' }, 'assetTotal is missing'],
    [{ ...creation, assetDecimals: 20 }, 'assetDecimals is above 19'],
    [{ ...creation, assetDefaultFrozen: 0 }, 'assetDefaultFrozen is neither true nor false'],
    [{ ...creation, assetUnitName: 'ninebytes' }, 'assetUnitName holds more than 8 bytes'],
    [{ ...creation, assetName: 'é'.repeat(17) }, 'assetName holds more than 32 bytes'],
    [{ ...creation, assetName: '\ud800' }, 'assetName is not text'],
    [{ ...creation, assetURL: 7 }, 'assetURL is not text'],
    [{ ...creation, assetMetadataHash: { 0: 1 } }, 'assetMetadataHash is not 32 bytes'],
    [{ ...creation, assetManager: {} }, `assetManager ${notAccount}`],
    [
      { ...destruction, assetManager: other },
      'the transaction changes an asset: only making and destroying one is signed here',
      'transaction-refused',
    ],
    [
      { ...payment, fee: 100_001 },
      'fee of 100001 ALGO base units is above the limit of 100000',
      'policy-denied',
    ],
  ]

  test.each(cases.map(([changes, message, code]) => [message, { changes, code }] as const))(
    '%s',
    (message, { changes, code }) => {
      const refusal = thrownBy(() => prepareAlgo(changes))
      expect(refusal.message).toBe(message)
      expect(refusal.code).toMatch(code ?? /^transaction-(malformed|refused)$/)
    },
  )

  test('of one network is nothing on the other', () => {
    const pending = pendingOf(algo, algoJson(payment, 'mainnet'))
    expect(thrownBy(() => algo.prepare(pending, own, {})).code).toBe('transaction-refused')
    expect(prepareAlgo(payment, 'mainnet').requests).toHaveLength(1)
  })

  test('is nothing that a completion can add to', () => {
    const pending = pendingOf(algo, algoJson(payment))
    expect(thrownBy(() => algo.prepare(pending, own, { fee: '1' })).code).toBe(
      'transaction-refused',
    )
  })
})

describe('the spellings of one transaction', () => {
  const hash = Buffer.from('SGO1GKSzyE7IEPItTxCByw9x8FmnrCDexi9/cOUJOiI=', 'base64')
  test.each([
    ['a fee per byte, which is final all the same', { flatFee: false }],
    [
      'nothing that is the same everywhere',
      { flatFee: undefined, name: undefined, tag: undefined },
    ],
    ['no lease, arguments or note', { lease: undefined, appArgs: undefined, note: undefined }],
    ['a hash by index', { genesisHash: indexed(hash) }],
    ['a note that is a Buffer', { note: { type: 'Buffer', data: [] } }],
  ] as readonly (readonly [string, Json])[])('%s', (_name, changes) => {
    const { intent, claims, requests } = prepareAlgo(payment)
    const same = prepareAlgo({ ...payment, ...changes })
    expect([same.intent, same.claims, same.requests]).toEqual([intent, claims, requests])
  })
})

describe('any text', () => {
  const members = ['to', 'note', 'assetIndex', 'closeRemainderTo', 'type']

  test.each([payment, transfer, { ...creation, assetManager: other }, destruction])(
    'is a transaction or a reasoned refusal, never a crash',
    json => {
      fc.assert(
        fc.property(hostileTexts(algoJson(json), members), text => {
          expectReasoned(algo, own, text)
        }),
      )
    },
  )

  const bytes = `{${Array.from({ length: 40_000 }, (_, i) => `"${i}":${i % 256}`).join()}}`
  test.each([
    ...largeTexts(algoJson(payment), 'note'),
    JSON.stringify(algoJson(payment)).replace('"note":{}', `"note":${bytes}`),
    JSON.stringify(algoJson(payment)).replace('"lease":{}', `"lease":${bytes}`),
  ])('of half a megabyte is refused at once', text => {
    expectReasoned(algo, own, text)
  })
})
