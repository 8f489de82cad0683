import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { getAddress } from 'viem/utils'
import { KmsError } from '../../src/base/errors.ts'
import type { ChainReads, PendingTx } from '../../src/base/model.ts'
import { eth } from '../../src/chains/eth.ts'
import {
  from,
  type Json,
  own,
  pendingOf,
  plain,
  readsFrom,
  slot,
  thrownBy,
  to,
  token,
} from '../support/evm.ts'

fc.configureGlobal({ numRuns: Number(process.env['FC_NUM_RUNS'] ?? 100) })

const countPath = `/v3/ethereum/transaction/count/${getAddress(from)}`
const feePath = '/v3/blockchain/fee/ETH'

describe('completion', () => {
  const bare = { to, value: '0x5' }

  test('what is there is not asked for', async () => {
    expect(await complete(plain, readsFrom({}))).toEqual({})
  })

  test('everything that is missing is asked for, and nothing else', async () => {
    const reads = readsFrom({
      eth_estimateGas: '0xcf08',
      [countPath]: 9,
      [feePath]: { medium: 31 },
    })
    expect(await complete({ ...bare, gasPrice: 0 }, reads)).toEqual({
      gas: '53000',
      nonce: '9',
      gasPrice: '31',
    })
  })

  test.each([
    [undefined, 9, '9'],
    [12n, 9, '12'],
    [4n, 9, '9'],
    [0n, 0, '0'],
  ])('next by our own record %p, by the chain %p: nonce %p', async (next, count, nonce) => {
    const { nonce: _, ...rest } = plain
    expect(await complete(rest, readsFrom({ [countPath]: count }, next))).toEqual({ nonce })
  })

  test('a node is asked to estimate exactly this transaction', async () => {
    const accessList = [{ address: token, storageKeys: [slot] }]
    const fees = { maxFeePerGas: 16, maxPriorityFeePerGas: 1 }
    const calls: unknown[] = []
    const reads: ChainReads = {
      ...readsFrom({}),
      rpc: async (path, method, params) => {
        calls.push([path, method, params])
        return 60_000
      },
    }
    await complete({ to, data: 'AA', nonce: 0, accessList, ...fees }, reads)
    await complete({ data: '0xaa', nonce: 1, gasPrice: 9 }, reads)
    const hex = { maxFeePerGas: '0x10', maxPriorityFeePerGas: '0x1' }
    expect(calls).toEqual(
      [
        [{ from, to, data: '0xaa', nonce: '0x0', ...hex, accessList }],
        [{ from, data: '0xaa', nonce: '0x1', gasPrice: '0x9' }],
      ].map(params => ['/v3/ethereum/web3/{apiKey}', 'eth_estimateGas', params]),
    )
  })

  test('the gas of an off-chain payment is estimated whatever came with it', async () => {
    const pending = pendingOf(eth, plain, { withdrawalId: 'd745bf453f6a8b650f0dd2fa' })
    expect(eth.review(pending, own).fee).toBeUndefined()
    const completion = await complete(pending, readsFrom({ eth_estimateGas: '0xcf08' }))
    expect(completion).toEqual({ gas: '53000' })
    expect(eth.prepare(pending, own, completion).intent.fee?.amount).toBe(53_000n * 20_000_000_000n)
  })

  const gasRange = 'a whole number from 1 to 100000000'
  test.each([
    ['eth_estimateGas', '0x5f5e101', `the answer for eth_estimateGas is not ${gasRange}`],
    ['eth_estimateGas', '0x0', `the answer for eth_estimateGas is not ${gasRange}`],
    ['eth_estimateGas', null, `the answer for eth_estimateGas is not ${gasRange}`],
    [
      countPath,
      -1,
      'the answer for the transaction count is not a whole number from 0 to 9007199254740991',
    ],
    [
      countPath,
      { count: 1 },
      'the answer for the transaction count is not a whole number from 0 to 9007199254740991',
    ],
    [
      feePath,
      31,
      'the answer for the medium fee is not a whole number from 1 to 10000000000000000',
    ],
    [
      feePath,
      { medium: 1.5 },
      'the answer for the medium fee is not a whole number from 1 to 10000000000000000',
    ],
    [
      feePath,
      { medium: '10000000000000001' },
      'the answer for the medium fee is not a whole number from 1 to 10000000000000000',
    ],
  ])('an answer of %s that is %j is not believed', async (name, answer, message) => {
    const honest = { eth_estimateGas: '0xcf08', [countPath]: 9, [feePath]: { medium: 31 } }
    const thrown = await complete(bare, readsFrom({ ...honest, [name]: answer })).catch(e => e)
    expect(thrown).toMatchObject({ code: 'network', message })
  })

  test('whatever a server answers, it is used within bounds or not at all', async () => {
    const check = async (gas: unknown, count: unknown, fee: unknown) => {
      const reads = readsFrom({ eth_estimateGas: gas, [countPath]: count, [feePath]: fee })
      try {
        eth.prepare(pendingOf(eth, bare), own, await complete(bare, reads))
      } catch (thrown) {
        expect(thrown).toBeInstanceOf(KmsError)
      }
    }
    const answer = fc.oneof(fc.jsonValue(), fc.record({ medium: fc.jsonValue() }), fc.nat())
    await fc.assert(fc.asyncProperty(answer, answer, answer, check))
  })

  test.each([
    [{}, 'the transaction has no gas and completion adds none'],
    [{ gas: '21000', gasPrice: '1' }, 'the transaction has no nonce and completion adds none'],
    [
      { gas: '20999', nonce: '1', gasPrice: '1' },
      'gas is 20999, but this transaction needs at least 21000',
    ],
    ...['0x5208', '', ' 1', '1.0', '01', '-1', '1e5', '100000001', '0', '9'.repeat(400)].map(
      gas => [{ gas }, `completion sets gas to something that is not ${gasRange}`] as const,
    ),
    [{ value: '7' }, 'completion sets a field that the transaction does not lack'],
    [{ price: '7' }, 'completion sets a field that the transaction does not lack'],
    [JSON.parse('{"__proto__":"7"}'), 'completion sets a field that the transaction does not lack'],
  ] as readonly (readonly [Readonly<Record<string, string>>, string])[])(
    'the signer does not take %j',
    (completion, message) => {
      expect(thrownBy(() => eth.prepare(pendingOf(eth, bare), own, completion))).toMatchObject({
        code: 'transaction-refused',
        message,
      })
    },
  )

  test.each(['gas', 'nonce', 'gasPrice'])('the signer lets nobody replace a given %s', field => {
    const refusal = thrownBy(() => eth.prepare(pendingOf(eth, plain), own, { [field]: '50000' }))
    expect(refusal.message).toBe('completion sets a field that the transaction does not lack')
  })

  function complete(json: PendingTx | Json, reads: ChainReads) {
    const pending = isPending(json) ? json : pendingOf(eth, json)
    return eth.complete(pending, own, reads, new AbortController().signal)
  }
})

function isPending(json: PendingTx | Json): json is PendingTx {
  return 'serializedTransaction' in json
}
