import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { KmsError } from '../../src/base/errors.ts'
import { ada } from '../../src/chains/ada.ts'
import { readUnsigned } from '../../src/chains/family/ada-body.ts'
import {
  type AdaKey,
  adaKeys,
  adaOwn,
  adaPending,
  gateway,
  operationsOf,
  prepareAda,
  sealAda,
  strangers,
} from '../support/ada.ts'
import { readBech32 } from '../support/bech32.ts'
import { cborOf, head, type Value } from '../support/cbor.ts'
import { bodyOf, envelopeOf, idOf, payloadsOf } from '../support/rosetta.ts'

fc.configureGlobal({ numRuns: Number(process.env['FC_NUM_RUNS'] ?? 100) })

// Whoever is between us and Cardano makes the transaction: this is what he cannot make of it.

const [first] = adaKeys as readonly [AdaKey]
const operations = operationsOf()
const text = JSON.stringify(operations)
const good = bodyOf(operations)
const stranger = readBech32(strangers.mainnet).bytes
const mine = readBech32(first.addresses.mainnet).bytes
const coin: Value = [Buffer.from('aa'.repeat(32), 'hex'), 0n]
const otherCoin: Value = [Buffer.from('bb'.repeat(32), 'hex'), 0n]

type Fields = Map<Value, Value>
const fieldsWith = (...changes: readonly (readonly [bigint, Value])[]): Fields =>
  new Map<Value, Value>([
    [0n, [coin]],
    [
      1n,
      [
        [stranger, 2_000_000n],
        [mine, 2_830_000n],
      ],
    ],
    [2n, 170_000n],
    [3n, 150_001_000n],
    ...changes,
  ])
const without = (field: bigint): Fields =>
  new Map([...fieldsWith()].filter(([key]) => key !== field))
const outputs = (...list: Value[]): Fields => fieldsWith([1n, list])

const unreadable = 'the gateway answered something that is not a transaction that can be read'
const otherInputs = 'the gateway made a transaction that spends other inputs than asked for'
const otherOutputs = 'the gateway made a transaction that pays otherwise than asked for'
const largerOutput = 'output 1 of the body holds more than an address and an amount'

describe('a body is refused', () => {
  const bodies: Readonly<Record<string, readonly (readonly [name: string, body: Value])[]>> = {
    [otherInputs]: [
      ['with another input', fieldsWith([0n, [otherCoin]])],
      ['with one input more', fieldsWith([0n, [coin, otherCoin]])],
      ['with an input twice', fieldsWith([0n, [coin, coin]])],
      ['without inputs', fieldsWith([0n, []])],
      ['with another index', fieldsWith([0n, [[Buffer.from('aa'.repeat(32), 'hex'), 1n]]])],
    ],
    [otherOutputs]: [
      ['with another amount', outputs([stranger, 2_000_001n], [mine, 2_830_000n])],
      ['with another recipient', outputs([mine, 2_000_000n], [mine, 2_830_000n])],
      ['with outputs the other way round', outputs([mine, 2_830_000n], [stranger, 2_000_000n])],
      ['without the change', outputs([stranger, 2_000_000n])],
      ['with one output more', outputs([stranger, 2_000_000n], [mine, 2_830_000n], [mine, 1n])],
    ],
    'the gateway made a transaction with a fee of 170001 instead of 170000': [
      ['with another fee', fieldsWith([2n, 170_001n])],
    ],
    'the body of the transaction has no ttl': [['that is valid for ever', without(3n)]],
    'the body of the transaction has no fee': [['without a fee', without(2n)]],
    'the transaction has no good ttl: 0': [['that was never valid', fieldsWith([3n, 0n])]],
    'the transaction has no good ttl: 18446744073709551615': [
      ['that is valid for longer than there are blocks', fieldsWith([3n, 2n ** 64n - 1n])],
    ],
    // Certificates, withdrawals, update, metadata, validity, mint, scripts, collateral, votes, donation.
    ...Object.fromEntries(
      [4n, 5n, 6n, 7n, 8n, 9n, 11n, 13n, 14n, 15n, 16n, 17n, 18n, 19n, 20n, 21n, 22n, -1n].map(
        field => [
          `the transaction does more than pay: its body has the field ${field}`,
          [[`with the field ${field}`, fieldsWith([field, []])] as const],
        ],
      ),
    ),
    [largerOutput]: [
      ['with native tokens', outputs([stranger, 2_000_000n], [mine, [2_830_000n, new Map()]])],
      ['with a datum', outputs([stranger, 2_000_000n], [mine, 2_830_000n, Buffer.alloc(32)])],
      [
        'with a script',
        outputs(
          [stranger, 2_000_000n],
          new Map<Value, Value>([
            [0n, mine],
            [1n, 2_830_000n],
            [3n, 0n],
          ]),
        ),
      ],
      ['with half an output', outputs([stranger, 2_000_000n], [mine])],
    ],
    'output 0 of the body has an address that is not of mainnet': [
      ['that pays on another network', outputs([readBech32(strangers.testnet).bytes, 2_000_000n])],
    ],
    'output 0 of the body has an address of a kind that is not paid to here': [
      ['that pays nowhere', outputs([Buffer.alloc(0), 2_000_000n])],
    ],
    [unreadable]: [
      ['that is a number', 1n],
      ['that is text', 'a0'],
      ['that is nothing', []],
      ['with a negative fee', fieldsWith([2n, -1n])],
      ['with a fee in bytes', fieldsWith([2n, Buffer.of(1)])],
      ['with names in the place of numbers', new Map<Value, Value>([['inputs', []]])],
      ['with inputs that are no list', fieldsWith([0n, new Map()])],
      ['with inputs in another tag', fieldsWith([0n, { tag: 259n, item: [coin] }])],
      [
        'with inputs in two tags',
        fieldsWith([0n, { tag: 258n, item: { tag: 258n, item: [coin] } }]),
      ],
      ['with a short id', fieldsWith([0n, [[Buffer.alloc(31), 0n]]])],
      ['with an input of three parts', fieldsWith([0n, [[Buffer.alloc(32), 0n, 0n]]])],
      ['with a negative index', fieldsWith([0n, [[Buffer.alloc(32), -1n]]])],
    ],
  }
  const cases = Object.entries(bodies).flatMap(([message, list]) =>
    list.map(([name, body]) => [name, message, cborOf(body)] as const),
  )
  test.each(cases)('%s', async (_, message, body) => {
    await expectMadeRefused(envelopeOf(body), message, body)
  })

  test.each([
    [
      'with a longer number than there is need for',
      good.replace('1a00029810', head(0, 170_000, 8)),
    ],
    ['with a list of no length', good.replace('0081', '009f').replace('0001', '00ff01')],
    ['with a field twice', good.replace(/^a4/, 'a5').replace(/$/, '0300')],
    ['that is cut off', good.slice(0, -2)],
    ['with bytes behind it', `${good}00`],
    ['in capitals that are no hex', good.replace('5820', '58zz')],
  ])('%s', async (_, body) => {
    expect(body).not.toBe(good)
    await expectMadeRefused(envelopeOf(body), unreadable, body)
  })
})

test('a body is signed in whatever form Cardano has had for it', async () => {
  const forms = [
    fieldsWith(),
    fieldsWith([0n, { tag: 258n, item: [coin] }]),
    outputs(
      new Map<Value, Value>([
        [0n, stranger],
        [1n, 2_000_000n],
      ]),
      [mine, 2_830_000n],
    ),
  ]
  for (const form of forms) {
    const body = cborOf(form)
    const prepared = await prepareAda(text, adaOwn(), making(envelopeOf(body), body))
    expect(sealAda(prepared, adaKeys).txId).toBe(idOf(body))
  }
})

describe('an envelope is refused', () => {
  const witness = cborOf(new Map([[0n, []]]))
  test.each([
    ['that is no hex', 'xyz', unreadable],
    ['that is empty', '', unreadable],
    ['that is the bare body', good, unreadable],
    ['with one part', cborOf([good]), unreadable],
    ['with three parts', cborOf([good, new Map(), new Map()]), unreadable],
    ['with the body in bytes', cborOf([Buffer.from(good, 'hex'), new Map()]), unreadable],
    ['with a body that is no hex', cborOf(['xyz', new Map()]), unreadable],
    [
      'with witnesses',
      envelopeOf(`84${good}${witness}f5f6`),
      'the unsigned transaction has witnesses',
    ],
    [
      'with metadata',
      envelopeOf(`84${good}a0f5a0`),
      'the transaction carries more than a body and witnesses',
    ],
    [
      'with scripts that fail',
      envelopeOf(`84${good}a0f4f6`),
      'the transaction carries more than a body and witnesses',
    ],
    [
      'with five parts',
      envelopeOf(`85${good}a0f5f6f6`),
      'the transaction carries more than a body and witnesses',
    ],
  ])('%s', async (_, envelope, message) => {
    await expectMadeRefused(envelope, message, good)
  })
})

test('one digit changed anywhere in a body is refused, or changes nothing but until when', () => {
  fc.assert(
    fc.property(fc.nat(good.length - 1), fc.nat(14), (at, by) => {
      const digit = (Number.parseInt(good.charAt(at), 16) + 1 + by) % 16
      const body = good.slice(0, at) + digit.toString(16) + good.slice(at + 1)
      const completion = { unsignedTransaction: envelopeOf(body), signers: first.addresses.mainnet }
      try {
        const { requests } = ada.prepare(adaPending(text), adaOwn(), completion)
        expect(Buffer.from(requests[0]?.message ?? []).toString('hex')).toBe(idOf(body))
        // The ttl is the last number of the body.
        expect(at).toBeGreaterThanOrEqual(good.length - 8)
      } catch (thrown) {
        expect(thrown).toBeInstanceOf(KmsError)
      }
    }),
  )
})

test('hostile bytes get a reason, at once', () => {
  const noise = fc.oneof(
    fc.string(),
    fc.uint8Array({ maxLength: 200 }).map(bytes => Buffer.from(bytes).toString('hex')),
    fc.uint8Array({ maxLength: 200 }).map(bytes => envelopeOf(Buffer.from(bytes).toString('hex'))),
    fc.nat(good.length).map(length => envelopeOf(good.slice(0, length))),
  )
  fc.assert(fc.property(noise, expectReasoned))
  for (const shape of ['81', '80', 'a0', '00', 'c1', '9f', '5f', 'a1']) {
    expectReasoned(shape.repeat(500_000))
    expectReasoned(envelopeOf(shape.repeat(100_000)))
    expectReasoned(envelopeOf(`a400${head(4, 30_000)}${shape.repeat(30_000)}`))
  }
})

function expectReasoned(envelope: string): void {
  const times = [1, 2, 3].map(() => {
    const start = performance.now()
    try {
      readUnsigned(envelope, 'mainnet')
    } catch (thrown) {
      expect(thrown).toBeInstanceOf(KmsError)
      expect((thrown as KmsError).message).toMatch(/^[ -~]{10,300}$/)
    }
    return performance.now() - start
  })
  expect(Math.min(...times)).toBeLessThan(1_000)
}

/** A gateway that makes this of everything. */
function making(unsigned_transaction: string, body: string) {
  return gateway('mainnet', (step, answer) =>
    step === 'payloads' ? { unsigned_transaction, payloads: payloadsOf(body, operations) } : answer,
  )
}

/** By the front, which reads it first, and by the signer, which believes no front. */
async function expectMadeRefused(envelope: string, message: string, body: string): Promise<void> {
  const completion = { unsignedTransaction: envelope, signers: first.addresses.mainnet }
  expect(() => ada.prepare(adaPending(text), adaOwn(), completion)).toThrow(message)
  expect(prepareAda(text, adaOwn(), making(envelope, body))).rejects.toThrow(message)
}
