import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { klay } from '../../src/chains/klay.ts'
import {
  from,
  type Json,
  key,
  noReads,
  own,
  ownOf,
  pendingOf,
  publicKeyOf,
  readsFrom,
  signAll,
  thrownBy,
  to,
} from '../support/evm.ts'
import { senderRaw, typedPayment } from '../support/klay.ts'
import { readKlay } from '../support/klay-raw.ts'

fc.configureGlobal({ numRuns: Number(process.env['FC_NUM_RUNS'] ?? 100) })

const { numbering } = klay
if (numbering === undefined) throw new Error('it has no numbering')

const legacy = fc
  .record({ nonce: fc.maxSafeNat(), gasPrice: fc.bigInt({ min: 1n, max: 10n ** 12n }) })
  .map(({ nonce, gasPrice }) => ({
    json: { to, value: 5, gas: 50_000, nonce, gasPrice: `${gasPrice}` },
    nonce: BigInt(nonce),
    gasPrice,
  }))

test('a payment of ours is replaced by a cancellation, for an eighth more at the least', () => {
  const price = fc.bigInt({ min: 1n, max: 10n ** 12n })
  fc.assert(
    fc.property(
      fc.oneof(legacy, typedPayment([0, 1, 2])),
      price,
      fc.boolean(),
      ({ json, nonce, gasPrice }, now, testnet) => {
        const network = testnet ? 'testnet' : 'mainnet'
        const txData = sign(json, network)
        expect(numbering.numberOf(txData)).toEqual({ sender: from, number: nonce })
        const prepared = numbering.replace(txData, ownOf(key, network), now)
        expect(prepared.claims).toEqual([`nonce/${from}/${nonce}`])
        const { txData: sent } = prepared.seal(signAll(prepared, key))
        const least = (9n * gasPrice + 7n) / 8n
        const bid = now > least ? now : least
        expect<unknown>(prepared.intent).toEqual({
          kind: 'cancel',
          from: [from],
          outputs: [],
          fee: { amount: 21_000n * bid, asset: 'KLAY' },
        })
        const { sent: _, ...tx } = readKlay(sent, testnet ? 1_001 : 8_217)
        const senders = [from]
        expect<unknown>(tx).toMatchObject({
          type: 0x38,
          nonce,
          gasPrice: bid,
          gas: 21_000n,
          senders,
        })
      },
    ),
  )
})

describe('a payment whose fee we bear', () => {
  const senderKey = new Uint8Array(32).fill(9)
  const sender = klay.address(publicKeyOf(senderKey), 'mainnet')
  const transfer = {
    json: {},
    type: 0x09,
    nonce: 7n,
    gasPrice: 25_000_000_000n,
    gas: 50_000n,
    to,
    value: 5n,
    data: '0x',
    feeRatio: 0n,
  }
  const senderRawTransaction = senderRaw(transfer, sender, senderKey, 8_217)
  const txData = sign({ senderRawTransaction, feePayer: from })

  test('is followed by the number of its sender', () => {
    expect(numbering.numberOf(txData)).toEqual({ sender, number: 7n })
  })

  test('cannot be taken back: the number is not ours', () => {
    expect(thrownBy(() => numbering.replace(txData, own, 1n))).toMatchObject({
      code: 'transaction-refused',
      message: "the number of this payment is its sender's: a fee payer cannot take it back",
    })
  })
})

test('the fee cap is a cap for replacements, too', () => {
  const most = (100n * 10n ** 18n) / 21_000n
  const paid = { to, value: 5, gas: 21_000, nonce: 1 }
  const dear = sign({ ...paid, gasPrice: `${most}` })
  expect(thrownBy(() => numbering.replace(dear, own, 1n)).code).toBe('policy-denied')
  const cheap = sign({ ...paid, gasPrice: '7' })
  expect(numbering.replace(cheap, own, most + 1n).intent.fee?.amount).toBe(most * 21_000n)
})

test('bytes of another key or network are not replaced', () => {
  for (const type of ['LEGACY', 'VALUE_TRANSFER']) {
    const txData = sign({ type, to, value: 5, gas: 50_000, nonce: 1, gasPrice: 7 })
    for (const other of [ownOf(new Uint8Array(32).fill(8)), ownOf(key, 'testnet')]) {
      expect(thrownBy(() => numbering.replace(txData, other, 1n)).code).toBe('unexpected')
    }
  }
})

test('counts what is in blocks, at the price of the day', async () => {
  const asked: unknown[] = []
  const rpc = async (_: string, method: string, params: readonly unknown[]) => {
    asked.push([method, ...params])
    return '0x2a'
  }
  expect(await numbering.count(from, { ...noReads, rpc })).toBe(42n)
  expect(asked).toEqual([['klay_getTransactionCount', from, 'latest']])
  expect(await numbering.price('', readsFrom({ klay_gasPrice: '0x7' }))).toBe(7n)
})

test('bytes that are none of ours are refused', () => {
  const good = sign({ type: 'VALUE_TRANSFER', to, value: 5, gas: 50_000, nonce: 1, gasPrice: 7 })
  const changed = fc
    .tuple(fc.nat({ max: good.length - 1 }), fc.constantFrom(...'0123456789abcdefgx'))
    .map(([at, digit]) => `${good.slice(0, at)}${digit}${good.slice(at + 1)}`)
  fc.assert(
    fc.property(fc.oneof(fc.string(), changed, fc.constant(good.slice(0, -2))), txData => {
      try {
        numbering.numberOf(txData)
        numbering.replace(txData, own, 1n)
      } catch (thrown) {
        expect(thrown).toMatchObject({ name: 'KmsError', code: 'unexpected' })
      }
    }),
  )
})

function sign(json: Json, network: 'mainnet' | 'testnet' = 'mainnet'): string {
  const prepared = klay.prepare(pendingOf(klay, json), ownOf(key, network), {})
  return prepared.seal(signAll(prepared, key)).txData
}
