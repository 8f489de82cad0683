import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { flow } from '../../src/chains/flow.ts'
import { type Json, pendingOf, thrownBy } from '../support/evm.ts'
import { account, completion, ownOf, payments, prepare, signFlow, to } from '../support/flow.ts'
import { readFlow } from '../support/flow-chain.ts'
import { expectReasoned, hostileTexts, largeTexts } from '../support/hostile-text.ts'

fc.configureGlobal({ numRuns: Number(process.env['FC_NUM_RUNS'] ?? 100) })

const original = ownOf('original')

type Case = readonly [json: unknown, message: string]

/** A payment with other members in its body. */
function body(changes: Json, { type, body: plain }: { type: number; body: Json }): Json {
  return { type, body: { ...plain, ...changes } }
}

const transfer = (changes: Json) => body(changes, payments.transfer)
const custom = (...args: readonly unknown[]) => body({ args }, payments.custom)
const argument = (type: unknown, value: unknown, more: Json = {}) =>
  custom({ type, value, ...more })

function expectRefusal(json: unknown, own: typeof original, message: string): void {
  const refusal = thrownBy(() => flow.prepare(pendingOf(flow, json), own, completion))
  expect(refusal.message).toBe(message)
  expect(refusal.code).toMatch(/^transaction-(malformed|refused)$/)
}

describe('a transaction that is not signed, and what its sender is told', () => {
  const amount = 'amount is not text of a decimal number with at most 8 decimals'
  const { amount: _, ...without } = payments.transfer.body

  test.each([
    ['{', 'transaction is not a JSON object'],
    ['null', 'transaction is not a JSON object'],
    [[payments.transfer], 'transaction is not a JSON object'],
    ['{"__proto__":{}}', "transaction has an unknown member '__proto__'"],
    [{ ...payments.transfer, gas: 1 }, "transaction has an unknown member 'gas'"],
    [
      JSON.stringify(payments.transfer).replace('"to"', '"account":"0x00","to"'),
      'transaction is malformed: a member is given twice',
    ],
    ...['2', 1.5, -1, null, undefined, {}].map(
      type => [{ ...payments.transfer, type }, 'type is not a whole number'] as const,
    ),
    [{ type: 2 }, 'body is not a JSON object'],
    [{ type: 2, body: [] }, 'body is not a JSON object'],
    [transfer({ privateKey: '00' }), "body has an unknown member 'privateKey'"],
    [transfer({ transaction: 'x' }), "body has an unknown member 'transaction'"],
    [transfer({ chain: 'ETH' }), 'chain is not FLOW'],
    ...[null, 7, '', '955cd3f17b2fd8ad', '0x955cd3f17b2fd8', '0x955cd3f17b2fd8ag', [account]].map(
      value => [transfer({ account: value }), 'account is not 0x and 16 hex digits'] as const,
    ),
    [transfer({ to: `${to}00` }), 'to is not 0x and 16 hex digits'],
    [{ type: 2, body: without }, amount],
    ...[1.5, '', '-1', '+1', '1.', '.5', '1e8', '0x1', ' 1', '1,5', '1.123456789', null, ['1']].map(
      value => [transfer({ amount: value }), amount] as const,
    ),
    [transfer({ amount: '184467440737.09551616' }), 'amount is above 184467440737.09551615'],
    [transfer({ currency: 'USD' }), 'currency is neither FLOW nor FUSD'],
    [transfer({ currency: undefined }), 'currency is neither FLOW nor FUSD'],
    [
      transfer({ currency: 'FUSD' }),
      'the script that pays FUSD is from before Cadence 1.0: Flow rejects it since September 2024',
    ],
    [
      payments.transferNft,
      'the script of type TRANSFER_NFT is from before Cadence 1.0: Flow rejects it since September 2024',
    ],
  ] as readonly Case[])('%j: %s', (json, message) => {
    expectRefusal(json, ownOf(), message)
  })

  test.each([
    [body({ publicKey: 'ab' }, payments.addKey), 'publicKey is not 128 hex digits'],
    [body({ publicKey: 7 }, payments.createAccount), 'publicKey is not 128 hex digits'],
    [body({ weight: 0 }, payments.createAccount), "body has an unknown member 'weight'"],
    ...['', '-1', '1.5', '18446744073709551616', 2 ** 53, true].map(
      tokenId =>
        [
          body({ tokenId }, payments.transferNft),
          'tokenId is not a whole number from 0 to 18446744073709551615',
        ] as const,
    ),
    [
      { type: 4, body: { account, to, url: 'a', contractAddress: 'b' } },
      'this program has no script for transactions of type MINT_NFT',
    ],
    [
      { type: 6, body: { account, tokenId: '1', contractAddress: 'b' } },
      'this program has no script for transactions of type BURN_NFT',
    ],
  ] as readonly Case[])('%j with the scripts of the original: %s', (json, message) => {
    expectRefusal(json, original, message)
  })

  test.each(['cadence1', 'original'] as const)(
    'a key with weight: an owner must allow it by a policy (%s)',
    flowScripts => {
      for (const weight of [1, 1_000, '0', null, {}]) {
        const refusal = thrownBy(() =>
          prepare(body({ weight }, payments.addKey), ownOf(flowScripts)),
        )
        expect(refusal).toMatchObject({ code: 'policy-denied' })
      }
    },
  )

  test.each([
    [body({ transaction: '' }, payments.custom), 'transaction is not the text of a script'],
    [body({ transaction: 7 }, payments.custom), 'transaction is not the text of a script'],
    [body({ transaction: '\ud800' }, payments.custom), 'transaction is not the text of a script'],
    [body({ args: undefined }, payments.custom), 'args is not a list'],
    [body({ args: {} }, payments.custom), 'args is not a list'],
    [custom(...Array(1_001).fill(7)), 'args holds more than 1000 arguments'],
    [custom(7), 'argument 1 is not a JSON object'],
    [argument('UInt64', '1', { name: 'n' }), "argument 1 has an unknown member 'name'"],
    [argument(undefined, '1'), 'argument 1 does not name its type'],
    [argument('U Int', '1'), 'argument 1 does not name its type'],
    [argument('Optional', null), 'argument 1 is of type Optional, which is not signed here'],
    [argument('Int512', '1'), 'argument 1 is of type Int512, which is not signed here'],
    [argument('UInt8', '256'), 'argument 1 is not a whole number from 0 to 255'],
    [argument('Int8', '-129'), 'argument 1 is not a whole number from -128 to 127'],
    [argument('Word16', '-1'), 'argument 1 is not a whole number from 0 to 65535'],
    [argument('UInt8', 1.5), 'argument 1 is not a whole number from 0 to 255'],
    [argument('UInt8', '1x'), 'argument 1 is not a whole number from 0 to 255'],
    [argument('UFix64', 1.5), 'argument 1 is not text of a decimal number with at most 8 decimals'],
    [argument('Fix64', '-'), 'argument 1 is not text of a decimal number with at most 8 decimals'],
    [argument('Fix64', '-92233720368.54775808'), 'argument 1 is beyond 92233720368.54775807'],
    [argument('Bool', 'true'), 'argument 1 is neither true nor false'],
    [argument('Address', to.slice(2)), 'argument 1 is not 0x and 16 hex digits'],
    [argument('String', 7), 'argument 1 is not text'],
    [argument('String', '\udc00'), 'argument 1 is not text'],
    [argument('String', 'a', { subType: 'String' }), 'argument 1 has a subType and is no Array'],
    [argument('Array', ['a']), 'argument 1 does not name its type'],
    [
      argument('Array', 'a', { subType: 'String' }),
      'argument 1 is an Array and its value is no list',
    ],
    [
      argument('Array', [[]], { subType: 'Array' }),
      'argument 1 is of type Array, which is not signed here',
    ],
    [
      body({ transaction: 'x'.repeat(100_001) }, payments.custom),
      'script and arguments are longer than 100000 bytes',
    ],
  ] as readonly Case[])('%j: %s', (json, message) => {
    expectRefusal(json, ownOf(), message)
  })
})

describe('the spellings of one payment', () => {
  test.each([
    ['amount with all decimals', { amount: '1.50000000' }],
    ['zeros in front', { amount: '0001.5' }],
    ['capital digits', { to: `0x${to.slice(2).toUpperCase()}` }],
    ['an account in capitals', { account: `0x${account.slice(2).toUpperCase()}` }],
    ['its chain', { chain: 'FLOW' }],
  ] as readonly (readonly [string, Json])[])('%s', (_name, changes) => {
    expect(signFlow(transfer(changes))).toEqual(signFlow(payments.transfer))
  })

  test.each([
    ['0', '0.00000000'],
    ['0.00000001', '0.00000001'],
    ['9007199254.74099301', '9007199254.74099301'],
    ['184467440737.09551615', '184467440737.09551615'],
  ])('an amount of %s is signed as %s', (amount, value) => {
    const { txData } = signFlow(transfer({ amount }))
    expect(readFlow(txData).args[0]).toEqual({ type: 'UFix64', value })
  })
})

describe('an argument of a script', () => {
  test.each([
    [{ type: 'UInt64', value: '18446744073709551615' }, '18446744073709551615'],
    [{ type: 'UInt64', value: 7 }, '7'],
    [{ type: 'Int', value: '-007' }, '-7'],
    [{ type: 'UInt256', value: `${2n ** 256n - 1n}` }, `${2n ** 256n - 1n}`],
    [{ type: 'Word64', value: '0' }, '0'],
    [{ type: 'UFix64', value: '1.5' }, '1.50000000'],
    [{ type: 'Fix64', value: '-1.5' }, '-1.50000000'],
    [{ type: 'Bool', value: false }, false],
    [{ type: 'Character', value: 'é' }, 'é'],
    [{ type: 'String', value: 'a "quoted"\n word' }, 'a "quoted"\n word'],
    [{ type: 'Address', value: to }, to],
    [
      { type: 'Array', subType: 'UFix64', value: ['1', '2.5'] },
      [
        { type: 'UFix64', value: '1.00000000' },
        { type: 'UFix64', value: '2.50000000' },
      ],
    ],
    [{ type: 'Array', subType: 'String', value: [] }, []],
  ])('%j is signed as JSON-Cadence', (given, value) => {
    const { args } = readFlow(signFlow(custom(given)).txData)
    expect(args).toEqual([{ type: given.type, value }])
  })

  test('is one of any number, none among them', () => {
    expect(readFlow(signFlow(custom()).txData).args).toEqual([])
    expect(
      readFlow(signFlow(custom(...Array(300).fill({ type: 'Bool', value: true }))).txData).args,
    ).toHaveLength(300)
  })

  test.each([3, 8, 9, 2 ** 53 - 1])('comes with a transaction of type %d', type => {
    expect(prepare({ ...payments.custom, type }).intent.kind).toBe('custom-script')
  })
})

describe('any text', () => {
  const names = ['type', 'body', 'account', 'args']

  test.each([
    ['cadence1', payments.transfer],
    ['original', payments.transferNft],
    ['cadence1', payments.custom],
  ] as const)('is a transaction or a reasoned refusal, never a crash (%s)', (scripts, good) => {
    const own = ownOf(scripts)
    const inBody = hostileTexts(good.body, names).map(
      text => `{"type":${good.type},"body":${text}}`,
    )
    fc.assert(
      fc.property(fc.oneof(hostileTexts(good, names), inBody), text => {
        expectReasoned(flow, own, text)
      }),
    )
  })

  test('of any argument is a value or a reasoned refusal', () => {
    const name = fc.constantFrom('UInt64', 'Fix64', 'Array', 'Address', 'String', '__proto__', '')
    const given = fc.record({ type: name, value: fc.jsonValue(), subType: fc.option(name) })
    fc.assert(
      fc.property(given, value => {
        expectReasoned(flow, ownOf(), JSON.stringify(custom(value)))
      }),
    )
  })

  test.each([
    ...largeTexts(payments.custom.body, 'transaction'),
    ...largeTexts(payments.transfer.body, 'amount'),
    ...largeTexts(payments.custom.body, 'args'),
  ])('of half a megabyte is refused at once', text => {
    expectReasoned(flow, ownOf(), text)
    expectReasoned(flow, ownOf(), `{"type":8,"body":${text}}`)
    expectReasoned(flow, ownOf(), `{"type":2,"body":${text}}`)
  })

  test('of a hundred thousand arguments is refused at once', () => {
    const args = Array(100_000).fill({ type: 'UInt8', value: 1 })
    expectReasoned(flow, ownOf(), JSON.stringify(custom(...args)))
  })
})
