import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { bnb } from '../../src/chains/bnb.ts'
import { decodeSigned } from '../../src/chains/family/bnb-amino.ts'
import {
  coins,
  jsonOf,
  own,
  owner,
  payment,
  prepare,
  sign,
  somebody,
  type Transfer,
} from '../support/bnb.ts'
import { expectReasoned, hostileTexts, largeTexts } from '../support/hostile-text.ts'
import { leavesOf, replaceAt } from '../support/json-tree.ts'
import { refusalOf } from '../support/secret.ts'

fc.configureGlobal({ numRuns: Number(process.env['FC_NUM_RUNS'] ?? 100) })

/** A transaction, and the sentence that says what is wrong with it. */
type Fault = readonly [message: string, json: unknown]
type Part = Readonly<Record<string, unknown>>

const good = jsonOf(payment)
const inMsg = (change: Part) => ({ ...good, msg: { ...good.msg, ...change } })
const inSignMsg = (change: Part) => ({ ...good, signMsg: { ...good.signMsg, ...change } })
const [input] = good.msg.inputs
const inInput = (change: Part) => inMsg({ inputs: [{ ...input, ...change }] })
const inCoin = (change: Part) => inInput({ coins: [{ ...coins[0], ...change }] })
const both = (change: Partial<Transfer>) => jsonOf({ ...payment, ...change })
const busd = { denom: 'BUSD-BD1', amount: 1 }

const malformed: readonly Fault[] = [
  ...['', '{', 'null', '1', '"{}"', '[]', '\ufeff{}', '{}{}'].map(
    (text): Fault => ['transaction is not a JSON object', text],
  ),
  ["transaction has an unknown member 'sequence'", { ...good, sequence: 5 }],
  ["transaction has an unknown member '__proto__'", '{"__proto__":{}}'],
  [
    'transaction is malformed: a member is given twice',
    JSON.stringify(good).replace('"memo"', '"memo":"x","memo"'),
  ],
  ...[undefined, null, [], 'x', 7].flatMap((value): readonly Fault[] => [
    ['msg is not a JSON object', { ...good, msg: value }],
    ['signMsg is not a JSON object', { ...good, signMsg: value }],
  ]),
  ["msg has an unknown member 'source'", inMsg({ source: 0 })],
  ["signMsg has an unknown member 'aminoPrefix'", inSignMsg({ aminoPrefix: '2A2C87FA' })],
  ...[undefined, null, [], {}, 'x', Array(301).fill(input)].flatMap((value): readonly Fault[] => [
    ['msg.inputs is not a list of 1 to 300', inMsg({ inputs: value })],
    ['msg.outputs is not a list of 1 to 300', inMsg({ outputs: value })],
    ['signMsg.outputs is not a list of 1 to 300', inSignMsg({ outputs: value })],
    ['msg.inputs[0].coins is not a list of 1 to 300', inInput({ coins: value })],
  ]),
  ['msg.inputs[0] is not a JSON object', inMsg({ inputs: [null] })],
  ["msg.inputs[0] has an unknown member 'x'", inInput({ x: 1 })],
  ['msg.inputs[0].coins[0] is not a JSON object', inInput({ coins: [7] })],
  ["msg.inputs[0].coins[0] has an unknown member 'x'", inCoin({ x: 1 })],
  ['msg.inputs[0].coins names a coin twice', inInput({ coins: [...coins, ...coins] })],
  ...[undefined, null, 0, '', 'B', 'bnb', 'BNB ', 'BUSD-', 'BUSD-BD1M2', 'ELEVENCHARS-BD1'].map(
    (denom): Fault => ['msg.inputs[0].coins[0].denom is not the name of a coin', inCoin({ denom })],
  ),
  ...[undefined, null, 0, -1, 0.5, '1', '150000000', 2 ** 53, 1e300, true, [], {}].map(
    (amount): Fault => [
      'msg.inputs[0].coins[0].amount is not a whole number from 1 to 2^53',
      inCoin({ amount }),
    ],
  ),
  ['msg.inputs[0].address is not a JSON object', inInput({ address: owner })],
  ...[
    { type: 'Buffer', data: [] },
    { type: 'Buffer', data: Array(19).fill(0) },
    { type: 'Buffer', data: Array(21).fill(0) },
    { type: 'Buffer', data: Array(20).fill(256) },
    { type: 'Buffer', data: Array(20).fill(-1) },
    { type: 'Buffer', data: Array(20).fill(0.5) },
    { type: 'Buffer', data: Array(20).fill('0') },
    { type: 'Buffer', data: '00'.repeat(20) },
    { type: 'Array', data: Array(20).fill(0) },
    {},
  ].map(
    (address): Fault => ['msg.inputs[0].address is not a Buffer of 20 bytes', inInput({ address })],
  ),
  ...[
    undefined,
    7,
    '',
    owner.toUpperCase(),
    owner.slice(1),
    `${owner.slice(0, -1)}q`,
    'tbnb1rxhz5vdv4fvdjye8gxqvfv0yvg20jtlw8qq48u',
    'cosmos1w508d6qejxtdg4y5r3zarvary0c5xw7k6ah60c',
  ].map(
    (address): Fault => [
      'signMsg.inputs[0].address is not an address that begins with bnb1',
      inSignMsg({ inputs: [{ address, coins }] }),
    ],
  ),
  ...[null, 7, [], '\ud800'].map((memo): Fault => ['memo is not text', { ...good, memo }]),
  ['memo is longer than 128 bytes', { ...good, memo: 'x'.repeat(129) }],
  ['memo is longer than 128 bytes', { ...good, memo: '\u00e4'.repeat(65) }],
]

const differ = 'msg and signMsg are not the same transfer'
const alone = `msg.inputs is not the wallet that signs, ${owner}, alone`

const refused: readonly Fault[] = [
  ...[undefined, '', '2a2c87fa', 'CE6DC043', 7].map(
    (aminoPrefix): Fault => ['msg is not a transfer (2A2C87FA)', inMsg({ aminoPrefix })],
  ),
  [differ, inMsg({ outputs: good.msg.inputs })],
  [differ, inSignMsg({ outputs: good.signMsg.inputs })],
  [differ, inSignMsg({ outputs: [{ address: somebody, coins: [{ ...coins[0], amount: 1 }] }] })],
  [differ, inSignMsg({ outputs: [{ address: somebody, coins: [busd] }] })],
  [differ, inSignMsg({ outputs: [...good.signMsg.outputs, ...good.signMsg.outputs] })],
  [
    'msg.outputs do not add up to msg.inputs',
    both({ outputs: [{ address: somebody, coins: [{ denom: 'BNB', amount: 149_999_999 }] }] }),
  ],
  [
    'msg.outputs do not add up to msg.inputs',
    both({ outputs: [...payment.outputs, { address: somebody, coins: [busd] }] }),
  ],
  [alone, both({ inputs: [{ address: somebody, coins }] })],
  [
    alone,
    both({
      inputs: [...payment.inputs, { address: somebody, coins: [busd] }],
      outputs: [{ address: somebody, coins: [...coins, busd] }],
    }),
  ],
]

describe.each([
  ['transaction-malformed', malformed],
  ['transaction-refused', refused],
] as const)('%s', (code, table) => {
  test.each(table.map(([message, json]) => [message, short(json), json] as const))(
    '%s: %s',
    (message, _, json) => {
      const refusal = refusalOf(() => prepare(json))
      expect([refusal.code, refusal.message]).toEqual([code, message])
      expect(message).toMatch(/^[ -~]{10,150}$/)
    },
  )
})

test('a memo that is not there is an empty one', () => {
  const { memo: _, ...without } = good
  expect(sign(without)).toEqual(sign({ ...good, memo: '' }))
})

test('signed bytes with any byte changed are another transfer, or none', () => {
  const { txData } = sign(good)
  const before = decodeSigned(txData, 'bnb')
  const bytes = Buffer.from(txData, 'hex')
  for (const at of bytes.keys()) {
    const spoilt = Buffer.from(bytes)
    spoilt[at] = (spoilt[at] ?? 0) ^ 1
    try {
      expect(decodeSigned(spoilt.toString('hex'), 'bnb')).not.toEqual(before)
    } catch (thrown) {
      expect(thrown).toMatchObject({ name: 'KmsError', code: 'unexpected' })
    }
  }
})

describe('hostile text', () => {
  test('is read or refused with a reason', () => {
    fc.assert(
      fc.property(hostileTexts(good, ['source', 'data']), text => expectReasoned(bnb, own, text)),
    )
  })

  test('with anything anywhere is read or refused with a reason', () => {
    const paths = leavesOf(good).flatMap(path => path.map((_, i) => path.slice(0, i + 1)))
    fc.assert(
      fc.property(fc.constantFrom(...paths), fc.jsonValue(), (path, value) =>
        expectReasoned(bnb, own, JSON.stringify(replaceAt(good, path, value))),
      ),
    )
  })

  test.each(['msg', 'signMsg', 'memo'])('of half a megabyte in %s is refused at once', member => {
    for (const text of largeTexts(good, member)) expectReasoned(bnb, own, text)
  })

  test('of many recipients is refused at once', () => {
    const many = both({ outputs: Array(300).fill({ address: somebody, coins }) })
    expectReasoned(bnb, own, JSON.stringify(many))
    const more = inMsg({ outputs: Array(5_000).fill(good.msg.outputs[0]) })
    expectReasoned(bnb, own, JSON.stringify(more))
  })
})

function short(json: unknown): string {
  const text = typeof json === 'string' ? json : JSON.stringify(json)
  return text.length > 120 ? `${text.slice(0, 120)}...` : text
}
