import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { KmsError } from '../../src/base/errors.ts'
import type { WithdrawalInput } from '../../src/base/model.ts'
import { bch } from '../../src/chains/bch.ts'
import {
  type BchTx,
  bchPayment,
  bchPayments,
  bchPending,
  ownOf,
  textOf,
  unsignedHex,
} from '../support/bch.ts'
import { faultOf, outcome, pool } from '../support/utxo.ts'

fc.configureGlobal({ numRuns: Number(process.env['FC_NUM_RUNS'] ?? 100) })

const good = bchPayment([pool[0], pool[1]])
const own = ownOf(good)
const [unsigned = '', amounts = ''] = textOf(good).split(':')
/** Where the inputs begin: behind the version and their number. */
const inputsAt = 10

describe('a text that is not one unsigned transaction and its amounts is refused:', () => {
  const notATransaction = 'bytes are not one whole transaction'
  const notAmount = (i: number) => `amounts[${i}] is not a whole number from 0 to 2100000000000000`
  const notAList = 'the amounts are not a JSON list'

  const malformed: Readonly<Record<string, readonly string[]>> = {
    'there is no colon between the transaction and its amounts': ['', unsigned, '{}', 'null'],
    'the transaction is not hex': [
      `0x${unsigned}:${amounts}`,
      `${unsigned.slice(1)}:${amounts}`,
      ` ${unsigned}:${amounts}`,
      `${'zz'.repeat(60)}:${amounts}`,
      `{"tx":"${unsigned}"}:${amounts}`,
      JSON.stringify({ version: 2, inputs: [], outputs: [] }),
    ],
    [notATransaction]: [
      ':',
      `:${amounts}`,
      `${unsigned}00:${amounts}`,
      `${unsigned.slice(0, -2)}:${amounts}`,
      `02000000:${amounts}`,
      `02000000ffffffffffffffffff:${amounts}`,
      `02000000feffffffff:${amounts}`,
      // The number of inputs in three bytes, where one does.
      `${unsigned.slice(0, 8)}fd0200${unsigned.slice(inputsAt)}:${amounts}`,
    ],
    'the transaction has no inputs': [
      `0200000000${unsigned.slice(inputsAt)}:${amounts}`,
      '020000000000000000:[]',
      `${unsigned.slice(0, 8)}0001${unsigned.slice(8, -8)}0000${unsigned.slice(-8)}:${amounts}`,
    ],
    'the transaction has no outputs': [`${unsignedHex({ ...good, outputs: [] })}:${amounts}`],
    'outputs[0] pays more than 2100000000000000 satoshi': [
      textOf(paying(21n * 10n ** 14n + 1n)),
      textOf(paying(2n ** 63n)),
      textOf(paying(2n ** 64n - 1n)),
    ],
    [notAList]: [
      '',
      '100000,100000',
      '{}',
      '"[1,2]"',
      '[100000,100000',
      '[[100000,100000]]',
      '[100000],[100000]',
      '[100000,100000]:[1]',
      '[100000,100000]x',
      '\u00a0[100000,100000]',
    ].map(list => `${unsigned}:${list}`),
    [notAmount(1)]: [
      '-1',
      '-0',
      '0.5',
      '100000.0',
      '1e5',
      '1E5',
      '+1',
      '01',
      '0x10',
      '"100000"',
      'null',
      'true',
      '',
      ' ',
      '1 1',
      '1_000',
      '１',
      'NaN',
      'Infinity',
      '2100000000000001',
      '9007199254740993',
      '18446744073709551616',
      '9'.repeat(400),
      '{"__proto__":1}',
    ].map(amount => `${unsigned}:[100000,${amount}]`),
    [notAmount(0)]: [`${unsigned}:[,100000]`],
  }
  const refused: Readonly<Record<string, readonly string[]>> = {
    'the number of amounts is 1, of inputs 2: each input has its own': [
      `${unsigned}:[100000]`,
      `${unsigned}:[]`,
    ],
    'the number of amounts is 3, of inputs 2: each input has its own': [
      `${unsigned}:[100000,100000,1]`,
      `${unsigned}:[100000,100000,]`,
    ],
    'the number of keys is 2, of inputs 1: each input has its own': [textOf(bchPayment())],
    'the number of keys is 2, of inputs 3: each input has its own': [
      textOf(bchPayment([pool[0], pool[1], pool[2]])),
    ],
    'inputs[1].script is not empty, but the transaction is to be signed here': [
      textOf(good).replace('0100000000ffffffff', '010000000151ffffffff'),
    ],
    'inputs[1] spends an output a second time': [textOf(changed(1, { index: 0 }))],
    'the inputs hold more than there can be': [textOf(changed(0, { amount: 21n * 10n ** 14n }))],
    'the outputs hold more than the inputs': [
      textOf(paying(200_001n)),
      `${unsigned}:[0,0]`,
      `${unsigned}:[100000,89999]`,
    ],
    'the transaction is larger than 100000 bytes': [
      `${'00'.repeat(100_001)}:${amounts}`,
      `${'f'.repeat(400_000)}:`,
    ],
    'output 0 needs segwit, which this chain lacks': [
      `0014${'11'.repeat(20)}`,
      `5120${'11'.repeat(32)}`,
    ].map(script => textOf({ ...good, outputs: [{ amount: 1n, script }] })),
  }

  test.each(Object.entries(malformed))('%s', (message, texts) => {
    expectFault(texts, 'transaction-malformed', message)
  })

  test.each(Object.entries(refused))('%s', (message, texts) => {
    expectFault(texts, 'transaction-refused', message)
  })

  function expectFault(texts: readonly string[], code: KmsError['code'], message: string): void {
    for (const text of texts) {
      expect(faultOf(() => bch.prepare(bchPending(text), own, {}))).toEqual([code, message])
    }
  }
})

describe('a text is read', () => {
  const signed = bch.prepare(bchPending(textOf(good)), own, {}).requests

  test.each<[string, string]>([
    ['with white space of JSON among the amounts', `${unsigned}: [ 100000 ,\t100000\r\n] `],
    ['in capitals', `${unsigned.toUpperCase()}:${amounts}`],
  ])('%s', (_, text) => {
    expect(bch.prepare(bchPending(text), own, {}).requests).toEqual(signed)
  })

  test('with the largest amount there can be', () => {
    const amount = 21n * 10n ** 14n
    const [input] = good.inputs
    if (input === undefined) throw new Error('no input')
    const tx = { ...good, ...onlyPaying(amount - 1n), inputs: [{ ...input, amount }] }
    const { fee, outputs } = bch.review(bchPending(textOf(tx)), ownOf(tx))
    expect([fee?.amount, outputs[0]?.amount]).toEqual([1n, amount - 1n])
  })
})

describe('the deposits of a withdrawal', () => {
  const change: WithdrawalInput = { vIn: '-1', vInIndex: -1 }
  const deposits: readonly WithdrawalInput[] = good.inputs.map(({ txId, index }) => ({
    vIn: txId,
    vInIndex: index,
  }))
  const [first, second] = deposits
  if (first === undefined || second === undefined) throw new Error('two inputs are needed')
  const review = (withdrawalResponses: readonly WithdrawalInput[]) => () =>
    bch.review(
      bchPending(textOf(good), { withdrawalId: 'a876434bb3ff5329a62a3515', withdrawalResponses }),
      own,
    )

  test.each<[string, readonly WithdrawalInput[]]>([
    ['in the order of the inputs', deposits],
    ['with change anywhere among them', [change, first, change, second, change]],
    ['in capitals, without their output', deposits.map(({ vIn }) => ({ vIn: vIn.toUpperCase() }))],
  ])('%s are signed', (_, responses) => {
    expect(review(responses)().outputs).toHaveLength(1)
  })

  test.each<[string, readonly WithdrawalInput[], number]>([
    ['in another order', [second, first], 0],
    ['of another transaction', [first, { ...second, vIn: 'bb'.repeat(32) }], 1],
    ['of another output', [first, { ...second, vInIndex: 7 }], 1],
    ['more than there are inputs', [first, second, second], 2],
  ])('%s are refused', (_, responses, input) => {
    expect(faultOf(review(responses))).toEqual([
      'transaction-refused',
      `input ${input} is not the deposit that the withdrawal names for it`,
    ])
  })
})

describe('hostile text', () => {
  test('is never more than a refusal', () => {
    const anything = fc.oneof(fc.string(), fc.json(), fc.constantFrom(':[]', ':', '[]:', '{}:{}'))
    fc.assert(fc.property(anything, text => expectRefusal(text)))
  })

  test('behind or before a good half is never more than a refusal', () => {
    const bytes = fc.uint8Array({ maxLength: 300 }).map(part => Buffer.from(part).toString('hex'))
    fc.assert(
      fc.property(bytes, fc.string(), fc.jsonValue(), (hexText, text, json) => {
        expectRefusal(`${hexText}:${amounts}`)
        expectRefusal(`02000000${hexText}:${amounts}`)
        expectRefusal(`${unsigned}:${text}`)
        expectRefusal(`${unsigned}:${JSON.stringify(json)}`)
      }),
    )
  })

  test('made of a good one with a letter changed, added or left out is refused or read', () => {
    const letter = fc.constantFrom(...'0123456789abcdef[],:.-e "')
    fc.assert(
      fc.property(bchPayments, fc.nat(), letter, fc.constantFrom(0, 1, 2), (tx, where, by, cut) => {
        const text = textOf(tx)
        const at = where % text.length
        const made = text.slice(0, at) + by + text.slice(at + cut)
        const read = outcome(() => bch.prepare(bchPending(made), ownOf(tx), {}))
        if (read instanceof KmsError) expect(read.code).toMatch(/^(transaction-|policy-)/)
      }),
    )
  })

  test('that is large or deep is refused at once', () => {
    const half = 250_000
    const texts = [
      ':'.repeat(2 * half),
      'ab'.repeat(half),
      `${'00'.repeat(half)}:[]`,
      `${unsigned}:[${'1,'.repeat(half)}1]`,
      `${unsigned}:[1,${'1'.repeat(2 * half)}]`,
      `${unsigned}:${'['.repeat(half)}${']'.repeat(half)}`,
      `${unsigned}:${' '.repeat(2 * half)}`,
      `${unsigned}:[${' '.repeat(2 * half)}`,
      `${unsigned}:[1,${' '.repeat(2 * half)}x]`,
      // 25,000 inputs that are not there.
      `02000000fda861${'00'.repeat(90_000)}:[]`,
    ]
    for (const text of texts) {
      const started = performance.now()
      expectRefusal(text)
      expect(performance.now() - started).toBeLessThan(1_000)
    }
  })

  function expectRefusal(text: string): void {
    expect(faultOf(() => bch.prepare(bchPending(text), own, {}))[0]).toStartWith('transaction-')
  }
})

test('a payment of as many bytes as nodes relay is read in a bounded time, a larger one refused', () => {
  const ofInputs = (count: number) => () => {
    const tx = bchPayment(Array.from({ length: count }, () => pool[0]))
    return bch.prepare(bchPending(textOf(tx)), ownOf(tx), {})
  }
  const started = performance.now()
  expect(ofInputs(708)().requests).toHaveLength(708)
  expect(performance.now() - started).toBeLessThan(1_000)
  expect(faultOf(ofInputs(709))).toEqual([
    'transaction-refused',
    'the signed transaction would have 100015 bytes, the most is 100000',
  ])
})

function paying(amount: bigint): BchTx {
  return { ...good, ...onlyPaying(amount) }
}

function onlyPaying(amount: bigint): Pick<BchTx, 'outputs'> {
  return { outputs: [{ amount, script: '6a' }] }
}

function changed(i: number, change: Partial<BchTx['inputs'][number]>): BchTx {
  return {
    ...good,
    inputs: good.inputs.map((input, at) => (at === i ? { ...input, ...change } : input)),
    outputs: [...good.outputs],
  }
}
