import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { KmsError } from '../../src/base/errors.ts'
import { ada } from '../../src/chains/ada.ts'
import {
  adaKeys,
  adaOwn,
  adaPending,
  inputOf,
  operationsOf,
  outputOf,
  strangers,
} from '../support/ada.ts'
import { bech32Of, readBech32 } from '../support/bech32.ts'

fc.configureGlobal({ numRuns: Number(process.env['FC_NUM_RUNS'] ?? 100) })

/** `[path, value]`: a member of the good operations, and what is put in its place. */
type Edit = readonly [path: string, value: unknown]
/** The answer, and the edits that are answered with it. */
type Faults = Readonly<Record<string, readonly Edit[]>>

const input = '0'
const output = '1'
const notObjects = [null, 0, 'x', true, []]
const stranger = readBech32(strangers.mainnet).bytes
const addressOf = (header: number, length: number): string =>
  bech32Of('addr', Uint8Array.of(header, ...new Uint8Array(length - 1).fill(7)))

const malformed: Faults = {
  'operation 0 has no type': [
    ...notObjects.map((value): Edit => [input, value]),
    ...[null, 1, undefined].map((value): Edit => [`${input}.type`, value]),
  ],
  "operation 0 has an unknown member 'extra'": [[`${input}.extra`, 1]],
  "operation 0 has an unknown member '__proto__'": [[`${input}.__proto__`, {}]],
  "operation 1 has an unknown member 'coin_change'": [[`${output}.coin_change`, {}]],
  "operation 1, account has an unknown member 'sub_account'": [
    [`${output}.account.sub_account`, { address: 'x' }],
  ],
  "operation 1, amount has an unknown member 'constructor'": [[`${output}.amount.constructor`, 1]],
  "operation 1, currency has an unknown member 'policyId'": [
    [`${output}.amount.currency.policyId`, 'x'],
  ],
  'operation 0, operation_identifier is not an object': [...notObjects, undefined].map(value => [
    `${input}.operation_identifier`,
    value,
  ]),
  'operation 0 does not have the index 0': [1, -1, 0.5, '0', null, undefined, 2 ** 53].map(
    value => [`${input}.operation_identifier.index`, value],
  ),
  'operation 0 has no good network_index': [-1, 0.5, '0', null, 2 ** 53, 1e300].map(value => [
    `${input}.operation_identifier.network_index`,
    value,
  ]),
  'operation 1 has related operations': [null, {}, 'x', [{ index: 0 }]].map(value => [
    `${output}.related_operations`,
    value,
  ]),
  'operation 1 has an unknown status': [null, 'failed', 0].map(value => [
    `${output}.status`,
    value,
  ]),
  'operation 1, account is not an object': [...notObjects, undefined].map(value => [
    `${output}.account`,
    value,
  ]),
  'operation 1 has no address of Cardano': [null, 7, undefined, {}].map(value => [
    `${output}.account.address`,
    value,
  ]),
  'operation 1 has no address of Cardano that is paid to here': [
    '',
    'addr',
    strangers.mainnet.toUpperCase(),
    strangers.mainnet.slice(0, -1),
    `${strangers.mainnet.slice(0, -1)}q`,
    ` ${strangers.mainnet}`,
    bech32Of('stake', Uint8Array.of(0xe1, ...stranger.subarray(1))),
    'Ae2tdPwUPEZFRbyhz3cpfC2CumGzNkFBN2L42rcUc2yjQpEkxDbkPodpMAi',
    'bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq',
    'f'.repeat(5_000),
  ].map(value => [`${output}.account.address`, value]),
  'operation 1, amount is not an object': [...notObjects, undefined].map(value => [
    `${output}.amount`,
    value,
  ]),
  'operation 1 has no value in whole lovelace, written as text': [
    ...[2_000_000, 0.5, 2 ** 53, null, undefined, true, [], {}],
    ...['', '0', '-0', '01', '+1', '1.5', '1e6', '0x10', ' 1', 'NaN', '1'.repeat(18)],
  ].map(value => [`${output}.amount.value`, value]),
  'operation 0 is an input: its value must be negative': [[`${input}.amount.value`, '5000000']],
  'operation 1 is an output: its value must be positive': [[`${output}.amount.value`, '-2000000']],
  'operation 1, currency is not an object': [...notObjects, undefined].map(value => [
    `${output}.amount.currency`,
    value,
  ]),
  'operation 1 does not count in lovelace': [0, 7, '6', null, undefined].map(value => [
    `${output}.amount.currency.decimals`,
    value,
  ]),
  'operation 0, coin_change is not an object': [...notObjects, undefined].map(value => [
    `${input}.coin_change`,
    value,
  ]),
  'operation 0 has an unknown coin_action': [null, '', 'coin_minted', undefined].map(value => [
    `${input}.coin_change.coin_action`,
    value,
  ]),
  'operation 0, coin_identifier is not an object': [...notObjects, undefined].map(value => [
    `${input}.coin_change.coin_identifier`,
    value,
  ]),
  'operation 0 does not say which output it spends': [
    ...[null, 7, undefined, '', 'aa:0', 'aa'.repeat(32), `${'aa'.repeat(32)}:`],
    ...['-1', '01', '65536', '99999', '1.0', '0 '].map(index => `${'aa'.repeat(32)}:${index}`),
    ...[`${'ag'.repeat(32)}:0`, `${'aa'.repeat(33)}:0`],
  ].map(value => [`${input}.coin_change.coin_identifier.identifier`, value]),
  'operation 1 has metadata that is not empty': [
    ...['', '.account', '.amount', '.amount.currency'].flatMap(place =>
      [{ x: 1 }, null, [], 'x'].map((value): Edit => [`${output}${place}.metadata`, value]),
    ),
  ],
}

const refused: Faults = {
  'operation 1 is of type stakeDelegation, which is not signed here': [
    [`${output}.type`, 'stakeDelegation'],
  ],
  'operation 1 is of type, which is not signed here': [[`${output}.type`, 'x'.repeat(99)]],
  'operation 1 is not of ADA, the one coin here': ['tADA', 'ada', null, undefined, 6].map(value => [
    `${output}.amount.currency.symbol`,
    value,
  ]),
  'operation 1 moves native tokens, which are not sent here': [
    [`${output}.metadata`, { tokenBundle: [] }],
    [`${output}.amount.metadata`, { tokenBundle: [{ policyId: 'x' }] }],
  ],
  'operation 1 has an address that is not of mainnet': [
    [`${output}.account.address`, strangers.testnet],
    [`${output}.account.address`, addressOf(0x60, 29)],
    [`${output}.account.address`, addressOf(0x00, 57)],
  ],
  'operation 1 has an address of a kind that is not paid to here': [
    // A pointer, a stake address and one of Byron behind the wrong prefix, and lengths there are not.
    ...[addressOf(0x41, 32), addressOf(0xe1, 29), addressOf(0x82, 29)],
    ...[addressOf(0x61, 28), addressOf(0x61, 30), addressOf(0x01, 29), addressOf(0x01, 56)],
  ].map(value => [`${output}.account.address`, value]),
  'an operation has more lovelace than there is': [
    [`${output}.amount.value`, '45000000000000001'],
    [`${input}.amount.value`, '-45000000000000001'],
  ],
  'the outputs hold more than the inputs': [[`${output}.amount.value`, '5000000']],
  'input 0 belongs to none of the keys of this payment': [
    [`${input}.account.address`, strangers.mainnet],
    [`${input}.account.address`, adaKeys[1]?.addresses.mainnet],
  ],
}

describe.each([
  ['transaction-malformed', malformed],
  ['transaction-refused', refused],
] as const)('%s', (code, faults) => {
  const edits = Object.entries(faults).flatMap(([message, list]) =>
    list.map(
      ([path, value]) => [message, path, JSON.stringify(value) ?? 'nothing', value] as const,
    ),
  )
  test.each(edits)('%s: %s = %s', (message, path, _, value) => {
    expect(faultOf(edited(path, value))).toEqual([code, message])
  })
})

describe('the whole is refused', () => {
  const good = operationsOf()
  const texts: readonly (readonly [name: string, text: string, message: string])[] = [
    ['that is no JSON', 'x', 'transaction is not a JSON array of operations'],
    ['that is empty', '', 'transaction is not a JSON array of operations'],
    ['that is an object', '{}', 'transaction is not a JSON array of operations'],
    ['that does nothing', '[]', 'transaction needs an input and an output'],
    ['that pays nobody', textOf([good[0]]), 'transaction needs an input and an output'],
    ['that spends nothing', textOf([good[1]]), 'operation 0 does not have the index 0'],
    [
      'that spends an output twice',
      textOf([good[0], { ...good[0], operation_identifier: { index: 1 } }, reindexed(good[1], 2)]),
      'transaction spends an output a second time',
    ],
    [
      'that has more operations than fit',
      textOf(Array.from({ length: 1_001 }, () => good[0])),
      'transaction has more than 1000 operations',
    ],
    [
      'that gives a member twice',
      textOf(good).replace('"status":"success"', '"status":"success","status":"success"'),
      'transaction is malformed: a member is given twice',
    ],
  ]
  test.each(texts)('%s', (_, text, message) => {
    expect(faultOf(text)[1]).toBe(message)
  })
})

test('members that say nothing may be missing', () => {
  const coin = `${'aa'.repeat(32)}:0`
  const spent = inputOf(0, adaKeys[0]?.addresses.mainnet ?? '', coin, 5_000_000n)
  const paid = outputOf(1, strangers.mainnet, 4_900_000n)
  const { related_operations: _, status: __, metadata: ___, ...bare } = spent
  const { related_operations: ____, status: _____, metadata: ______, ...barePaid } = paid
  const coin_change = { ...bare.coin_change, coin_action: 'coin_spent' }
  const lean = textOf([
    {
      ...bare,
      operation_identifier: { index: 0 },
      account: { address: spent.account.address },
      coin_change,
    },
    { ...barePaid, amount: { value: '4900000', currency: paid.amount.currency } },
  ])
  expect(ada.review(adaPending(lean), adaOwn()).fee?.amount).toBe(100_000n)
})

test('any change of a member is refused or changes what the payment does', () => {
  const good = textOf(operationsOf())
  const before = JSON.stringify(reviewOf(good))
  const place = fc.constantFrom(...pathsOf(operationsOf()))
  const value = fc.oneof(
    fc.jsonValue({ maxDepth: 2 }),
    fc.constantFrom<unknown>(
      '1',
      '-1',
      'input',
      'output',
      'ADA',
      6,
      strangers.mainnet,
      `${'bb'.repeat(32)}:1`,
    ),
  )
  fc.assert(
    fc.property(place, value, (path, changed) => {
      const text = edited(path, changed)
      if (text === good) return
      const after = outcomeOf(text)
      // These are not signed, and nobody is shown them.
      if (/\.(network_index|status|coin_action|identifier)$/.test(path)) return
      expect(after).not.toBe(before)
    }),
  )
})

test('hostile text gets a reason, at once', () => {
  const good = textOf(operationsOf())
  const hostile = fc.oneof(
    fc.string(),
    fc.string({ unit: 'binary' }),
    fc.json(),
    fc.jsonValue().map(value => textOf([value])),
    fc.nat(good.length).map(length => good.slice(0, length)),
    fc.tuple(fc.constantFrom(...pathsOf(operationsOf())), fc.jsonValue()).map(([path, value]) => {
      return edited(path, value)
    }),
  )
  fc.assert(fc.property(hostile, expectReasoned))
})

test('half a megabyte of anything gets a reason, at once', () => {
  const half = 500_000
  const [spent, paid] = operationsOf()
  const many = Array.from({ length: 1_100 }, (_, i) => reindexed(paid, i))
  for (const text of [
    '['.repeat(half),
    '[{"type":'.repeat(half / 9),
    '"'.repeat(half),
    '9'.repeat(half),
    `[${'{},'.repeat(half / 3)}{}]`,
    textOf([spent, { ...paid, account: { address: 'q'.repeat(half) } }]),
    textOf([spent, { ...paid, account: { address: `addr1${'q'.repeat(half)}` } }]),
    textOf([spent, { ...paid, amount: { ...paid.amount, value: '9'.repeat(half) } }]),
    textOf(many),
    textOf(many.slice(0, 999)),
  ]) {
    expectReasoned(text)
  }
})

function expectReasoned(text: string): void {
  // Somebody else may have the processor for a while, but not three times.
  const times = [1, 2, 3].map(() => {
    const start = performance.now()
    outcomeOf(text)
    return performance.now() - start
  })
  expect(Math.min(...times)).toBeLessThan(1_000)
}

/** The intent as text, or the sentence of the refusal. */
function outcomeOf(text: string): string {
  try {
    return JSON.stringify(reviewOf(text))
  } catch (thrown) {
    expect(thrown).toBeInstanceOf(KmsError)
    const { code, message } = thrown as KmsError
    expect(code).toMatch(/^transaction-/)
    expect(message).toMatch(/^[ -~]{10,300}$/)
    return message
  }
}

function faultOf(text: string): readonly [code: string, message: string] {
  try {
    reviewOf(text)
  } catch (thrown) {
    if (thrown instanceof KmsError) return [thrown.code, thrown.message]
  }
  throw new Error('it was not refused')
}

function reviewOf(text: string): unknown {
  const { fee, outputs, ...rest } = ada.review(adaPending(text), adaOwn())
  const amounts = outputs.map(({ amount, ...output }) => ({ ...output, amount: `${amount}` }))
  return { ...rest, outputs: amounts, fee: `${fee?.amount}` }
}

/** The good operations with one member changed, added, or, for undefined, taken away. */
function edited(path: string, value: unknown): string {
  const whole: unknown = JSON.parse(textOf(operationsOf()))
  const names = path.split('.')
  const last = names.pop() ?? ''
  const parent = names.reduce((at, name) => (at as Record<string, unknown>)[name], whole)
  Object.defineProperty(parent, last, {
    value,
    enumerable: value !== undefined,
    writable: true,
    configurable: true,
  })
  return textOf(whole)
}

/** Every member of the first input and the first output, by its path. */
function pathsOf(operations: readonly unknown[]): readonly string[] {
  const below = (value: unknown, path: string): readonly string[] => {
    if (typeof value !== 'object' || value === null) return [path]
    return [path, ...Object.entries(value).flatMap(([name, one]) => below(one, `${path}.${name}`))]
  }
  return operations.slice(0, 2).flatMap((operation, at) => below(operation, `${at}`))
}

function reindexed(operation: object, index: number): object {
  return { ...operation, operation_identifier: { index } }
}

function textOf(value: unknown): string {
  return JSON.stringify(value)
}
