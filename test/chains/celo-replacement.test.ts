import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { celo } from '../../src/chains/celo.ts'
import {
  from,
  type Json,
  key,
  noReads,
  own,
  ownOf,
  pendingOf,
  readsFrom,
  signAll,
  thrownBy,
  to,
} from '../support/evm.ts'
import { readCelo } from '../support/fake-chains/celo.ts'

fc.configureGlobal({ numRuns: Number(process.env['FC_NUM_RUNS'] ?? 100) })

const cusd = '0x765de816845861e75a25fca122bb6898b8b1282a'
const { numbering } = celo
if (numbering === undefined) throw new Error('it has no numbering')

describe.each([
  ['a legacy transaction', {}, 21_000n],
  ['one that pays gas with a token', { feeCurrency: cusd }, 121_000n],
])('%s', (_, currency: Json, gas) => {
  const cap = (100n * 10n ** 18n) / gas

  test('is replaced by nothing in the same envelope, for an eighth more at the least', () => {
    const price = fc.bigInt({ min: 1n, max: 10n ** 12n })
    fc.assert(
      fc.property(price, price, fc.nat(), (before, now, nonce) => {
        const txData = signed({ ...currency, gasPrice: `${before}`, nonce })
        expect(numbering.numberOf(txData)).toEqual({ sender: from, number: BigInt(nonce) })
        const prepared = numbering.replace(txData, own, now)
        expect(prepared.claims).toEqual([`nonce/${from}/${nonce}`])
        const offered = prepared.intent.fee?.amount ?? 0n
        const { txData: sent } = prepared.seal(signAll(prepared, key))
        const least = (9n * before + 7n) / 8n
        const bid = now > least ? now : least
        const tx: Json = readCelo(sent)
        expect(tx).toMatchObject({ ...currency, chainId: 42_220, nonce, from, to: from, gas })
        expect(tx['value'] ?? 0n).toBe(0n)
        expect(tx['data'] ?? '0x').toBe('0x')
        expect(tx['gasPrice'] ?? tx['maxFeePerGas']).toBe(bid)
        expect(tx['maxPriorityFeePerGas'] ?? bid).toBe(bid)
        expect(offered).toBe(gas * bid)
      }),
    )
  })

  test('is replaced at the fee cap and not above it', () => {
    const txData = signed({ ...currency, gasPrice: '7', nonce: 1 })
    const fee = (now: bigint) => numbering.replace(txData, own, now).intent.fee?.amount
    expect(fee(cap)).toBe(gas * cap)
    expect(fee(cap + 1n)).toBe(gas * cap)
    const dear = signed({ ...currency, gasPrice: `${cap}`, gasLimit: `${gas}`, nonce: 1 })
    expect(thrownBy(() => numbering.replace(dear, own, 1n)).code).toBe('policy-denied')
  })

  test('of another key or network is not', () => {
    const txData = signed({ ...currency, gasPrice: '7', nonce: 1 })
    const others = [ownOf(new Uint8Array(32).fill(8)), ownOf(key, 'testnet')]
    for (const other of others) {
      expect(thrownBy(() => numbering.replace(txData, other, 1n)).code).toBe('unexpected')
    }
  })

  test('costs at the moment what gas costs in what it is paid with', async () => {
    const asked: unknown[] = []
    const rpc = async (path: string, method: string, params: readonly unknown[]) => {
      asked.push([path, method, ...params])
      return '0x77359400'
    }
    const txData = signed({ ...currency, gasPrice: '7', nonce: 1 })
    expect(await numbering.price(txData, { ...noReads, rpc })).toBe(2_000_000_000n)
    expect(asked).toEqual([
      ['/v3/blockchain/node/CELO/{apiKey}', 'eth_gasPrice', ...Object.values(currency)],
    ])
  })
})

test('what takes a number of the second testnet claims it there', () => {
  const testnet = ownOf(key, 'testnet')
  const json = { to, value: 5, gasLimit: 21_000, gasPrice: 7, nonce: 3, chainId: 11_142_220 }
  const prepared = celo.prepare(pendingOf(celo, json), testnet, {})
  const { txData } = prepared.seal(signAll(prepared, key))
  expect(numbering.replace(txData, testnet, 1n).claims).toEqual([`nonce/${from}_11142220/3`])
})

test('counts what is in blocks', async () => {
  const reads = readsFrom({ eth_getTransactionCount: '0x2a' })
  expect(await numbering.count(from, reads)).toBe(42n)
})

test('bytes that are none of ours are refused', () => {
  const good = signed({ feeCurrency: cusd, gasPrice: '7', nonce: 1 })
  const changed = fc
    .tuple(fc.nat({ max: good.length - 1 }), fc.constantFrom(...'0123456789abcdefgx'))
    .map(([at, digit]) => `${good.slice(0, at)}${digit}${good.slice(at + 1)}`)
  fc.assert(
    fc.property(fc.oneof(fc.string(), changed, fc.constant(good.slice(0, -2))), txData => {
      if (txData === good) return
      expect(thrownBy(() => numbering.replace(txData, own, 1n)).code).toBe('unexpected')
    }),
  )
})

function signed(json: Json): string {
  const asked = { to, value: '5', gasLimit: '200000', data: '0xaabb', ...json }
  const plain = asked.gasLimit === '21000' || asked.gasLimit === '121000'
  const { data: _, ...withoutData } = asked
  const prepared = celo.prepare(pendingOf(celo, plain ? withoutData : asked), own, {})
  return prepared.seal(signAll(prepared, key)).txData
}
