import { describe, expect, test } from 'bun:test'
import { isDeepStrictEqual } from 'node:util'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import fc from 'fast-check'
import { KmsError } from '../../src/base/errors.ts'
import type { Completion } from '../../src/base/model.ts'
import { flow } from '../../src/chains/flow.ts'
import { type Json, noReads, pendingOf } from '../support/evm.ts'
import {
  account,
  completion,
  ownOf,
  prepare,
  publicKey,
  signaturesOf,
  to,
} from '../support/flow.ts'
import { accounts, flowAddress } from '../support/flow-address.ts'
import { payloadDigest, readFlow } from '../support/flow-chain.ts'
import { type Item, readRlp } from '../support/rlp.ts'
import { verifyEcdsa } from '../support/secp256k1.ts'

fc.configureGlobal({ numRuns: Number(process.env['FC_NUM_RUNS'] ?? 100) })

type Payment = { readonly type: number; readonly body: Json }

const hex = (bytes: number) =>
  fc
    .uint8Array({ minLength: bytes, maxLength: bytes })
    .map(data => Buffer.from(data).toString('hex'))
const address = fc.oneof(
  fc.integer({ min: 1, max: accounts - 1 }).map(number => flowAddress(number, 'testnet')),
  fc.constantFrom(account, to),
)
const units = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })
const amount = units.map(value => {
  const digits = value.toString().padStart(9, '0')
  return `${digits.slice(0, -8)}.${digits.slice(-8)}`
})
const argument = fc.oneof(
  fc.record({ type: fc.constant('UInt64'), value: units.map(String) }),
  fc.record({ type: fc.constant('UFix64'), value: amount }),
  fc.record({ type: fc.constant('Address'), value: address }),
  fc.record({ type: fc.constant('String'), value: fc.string({ unit: 'grapheme' }) }),
  fc.record({ type: fc.constant('Bool'), value: fc.boolean() }),
)

const transfer = fc
  .record({ account: address, to: address, amount, currency: fc.constantFrom('FLOW', 'FUSD') })
  .map(body => ({ type: 2, body }))
const key = fc
  .record({ account: address, publicKey: fc.oneof(hex(64), fc.constant(publicKey)) })
  .chain(body => fc.constantFrom(0, 1).map(type => ({ type, body })))
const nft = fc
  .record({ account: address, to: address, tokenId: units.map(String) })
  .map(body => ({ type: 7, body }))
const custom = fc
  .record({
    account: address,
    transaction: fc.string({ minLength: 1, unit: 'grapheme' }),
    args: fc.array(argument, { maxLength: 4 }),
  })
  .map(body => ({ type: 8, body }))
const anyPayment: fc.Arbitrary<Payment> = fc.oneof(transfer, key, nft, custom)

const number = (max: number) => fc.nat({ max }).map(String)
const anyCompletion: fc.Arbitrary<Completion> = fc.record({
  referenceBlock: hex(32),
  proposer: address,
  proposerKeyId: number(2 ** 31 - 1),
  sequenceNumber: number(Number.MAX_SAFE_INTEGER),
  payer: address,
  payerKeyId: number(300),
})

const own = ownOf('original')

/** The account that pays may neither propose nor bear the fee: those are refused. */
const isLent = ({ body }: Payment, { proposer, payer }: Completion) =>
  body['account'] !== proposer && body['account'] !== payer

describe('any payment', () => {
  test('is read back by the documentation as what was asked for, with our signature', () => {
    fc.assert(
      fc.property(anyPayment, anyCompletion, (payment, added) => {
        fc.pre(isLent(payment, added))
        const prepared = prepare(payment, own, added)
        const { txData } = prepared.seal(signaturesOf(prepared))
        const tx = readFlow(txData)
        const { type, body } = payment
        expect(tx.authorizers.map(name => `0x${name}`)).toEqual([String(body['account'])])
        expect(tx.referenceBlock).toBe(added['referenceBlock'] ?? '')
        expect(`0x${tx.proposer.address}`).toBe(added['proposer'] ?? '')
        expect(`${tx.proposer.keyIndex}`).toBe(added['proposerKeyId'] ?? '')
        expect(`${tx.proposer.sequenceNumber}`).toBe(added['sequenceNumber'] ?? '')
        expect(`0x${tx.payer}`).toBe(added['payer'] ?? '')
        expect(`${tx.envelopeSignatures[0]?.keyIndex}`).toBe(added['payerKeyId'] ?? '')
        if (type === 8) {
          expect(tx.script).toBe(String(body['transaction']))
          expect(tx.args).toEqual(body['args'] as never)
        }
        const signature = tx.payloadSignatures.at(-1)?.signature ?? ''
        expect(verifies(signature, payloadDigest(tx))).toBe(true)
      }),
    )
  })

  test('with one member changed does something else, or is refused', () => {
    const changed = fc.tuple(
      anyPayment,
      fc.nat(),
      fc.oneof(fc.jsonValue(), amount, address, units.map(String)),
    )
    fc.assert(
      fc.property(changed, ([payment, at, value]) => {
        const { type, body } = payment
        const names = [...Object.keys(body), 'weight', 'privateKey']
        const name = names[at % names.length] ?? ''
        if (isDeepStrictEqual(body[name], value)) return
        const other = { type, body: { ...body, [name]: value } }
        const [before, after] = [meaning(payment), meaning(other)]
        if (before === 'refused') throw new Error('it is a good one')
        if (isSpelledOtherwise(payment, name, value)) return
        expect(after).not.toEqual(before)
      }),
    )
  })

  test('of a built-in type with one member changed looks different to people', () => {
    const pairs = fc.oneof(fc.tuple(transfer, transfer), fc.tuple(key, key), fc.tuple(nft, nft))
    fc.assert(
      fc.property(pairs, fc.nat(), ([payment, { body: other }], at) => {
        const body: Json = payment.body
        const names = Object.keys(body)
        const name = names[at % names.length] ?? ''
        const value = (other as Json)[name]
        if (body[name] === value) return
        const changed = { type: payment.type, body: { ...body, [name]: value } }
        expect(prepare(changed, own, lent).intent).not.toEqual(prepare(payment, own, lent).intent)
      }),
    )
  })
})

describe('any bytes', () => {
  test('are not taken for a transaction that was signed here, in whatever way they come', async () => {
    const prepared = prepare(good, own)
    const { txData } = prepared.seal(signaturesOf(prepared))
    const flipped = fc
      .tuple(fc.nat(txData.length - 1), fc.constantFrom(...'0123456789abcdefX'))
      .map(([at, digit]) => txData.slice(0, at) + digit + txData.slice(at + 1))
    const cut = fc.nat(txData.length - 1).map(length => txData.slice(0, length))
    const random = fc
      .uint8Array({ maxLength: 300 })
      .map(data => `0x${Buffer.from(data).toString('hex')}`)
    const texts = fc.oneof(flipped, cut, random, fc.string())
    await fc.assert(
      fc.asyncProperty(texts, async text => {
        const asked: string[] = []
        const reads = {
          ...noReads,
          async post(_path: string, body: unknown) {
            asked.push(String((body as Json)['data']))
            return { signature: 'ab'.repeat(64) }
          },
        }
        const start = performance.now()
        try {
          const final = await flow.finish?.(text, own, reads, new AbortController().signal)
          // Another transaction of the same form: nobody but us could have made its signature.
          expect(payloadIn(final?.txData ?? '')).toEqual(payloadIn(text))
        } catch (thrown) {
          expect(thrown).toBeInstanceOf(KmsError)
          expect(asked).toEqual([])
        }
        expect(performance.now() - start).toBeLessThan(1_000)
      }),
    )
  })

  test.each(['c0', 'f8', 'ff', '80', '00'])(
    'of half a megabyte of %s are refused at once',
    async byte => {
      const start = performance.now()
      const finishing = flow.finish?.(
        `0x${byte.repeat(250_000)}`,
        own,
        noReads,
        new AbortController().signal,
      )
      expect(finishing).rejects.toBeInstanceOf(KmsError)
      expect(performance.now() - start).toBeLessThan(1_000)
    },
  )
})

const good = { type: 2, body: { account, to, amount: '1.5', currency: 'FLOW' } }
/** By accounts that no generated payment is of. */
const lent = { ...completion, proposer: '0x00000000000000f1', payer: '0x00000000000000f2' }

function meaning(payment: Payment): unknown {
  try {
    const { intent, requests } = flow.prepare(pendingOf(flow, payment), own, lent)
    return { intent, messages: requests.map(({ message }) => Buffer.from(message).toString('hex')) }
  } catch (thrown) {
    expect(thrown).toBeInstanceOf(KmsError)
    return 'refused'
  }
}

function payloadIn(txData: string): Item | undefined {
  const whole = readRlp(Buffer.from(txData.slice(2), 'hex'))
  return whole instanceof Uint8Array ? undefined : whole[0]
}

/** The same number or address in other digits, or no weight at all. */
function isSpelledOtherwise({ body }: Payment, name: string, value: unknown): boolean {
  if (name === 'weight') return value === 0
  if (name === 'args')
    return isDeepStrictEqual(
      meaning({ type: 8, body }),
      meaning({ type: 8, body: { ...body, args: value } }),
    )
  const [before, after] = [body[name], value].map(text => `${text}`.toLowerCase())
  if (before === after) return true
  const isNumber = name === 'amount' || name === 'tokenId'
  return isNumber && /^\d+(\.\d+)?$/.test(after ?? '') && sameNumber(before ?? '', after ?? '')
}

function sameNumber(...texts: readonly string[]): boolean {
  const plain = texts.map(text => {
    const [whole = '', fraction = ''] = text.split('.')
    return `${BigInt(whole)}.${fraction.padEnd(8, '0')}`
  })
  return new Set(plain).size === 1
}

function verifies(signature: string, digest: Uint8Array): boolean {
  const [r, s] = [signature.slice(0, 64), signature.slice(64)].map(part => BigInt(`0x${part}`))
  const [ownKey] = own.keys
  if (r === undefined || s === undefined || ownKey === undefined) return false
  const isValid = verifyEcdsa({ r, s }, digest, ownKey.bytes)
  const bytes = Buffer.from(signature, 'hex')
  // Two libraries that had no part in it agree.
  const options = { prehash: false, lowS: false }
  expect(secp256k1.verify(bytes, digest, ownKey.bytes, options)).toBe(isValid)
  return isValid
}
