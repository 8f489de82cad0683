import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { getAddress } from 'viem/utils'
import { KmsError } from '../../src/base/errors.ts'
import type { ChainReads, PendingTx } from '../../src/base/model.ts'
import type { Chain } from '../../src/chains/chain.ts'
import { eth } from '../../src/chains/eth.ts'
import { kcs } from '../../src/chains/kcs.ts'
import { matic } from '../../src/chains/matic.ts'
import { xdc } from '../../src/chains/xdc.ts'
import {
  type FamilyMember,
  family,
  from,
  type Json,
  noReads,
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

const account = getAddress(from)
const bare = { to, value: '0x5' }
const gwei = 10n ** 9n
const maxPrice = '10000000000000000'

/** Where each chain reads what (protocol 4.2): REST paths, or names of JSON-RPC methods. */
const sources: Readonly<Record<string, { readonly nonce: string; readonly price?: string }>> = {
  ETH: { nonce: countPath('ethereum'), price: '/v3/blockchain/fee/ETH' },
  BSC: { nonce: countPath('bsc') },
  MATIC: { nonce: 'eth_getTransactionCount', price: 'eth_gasPrice' },
  ONE: { nonce: 'eth_getTransactionCount', price: 'eth_gasPrice' },
  KCS: { nonce: 'eth_getTransactionCount' },
  XDC: { nonce: countPath('xdc'), price: 'eth_gasPrice' },
}
/** What is paid where no node is asked, in gwei. */
const constants: Readonly<Record<string, bigint>> = { BSC: 10n, KCS: 1n }

function countPath(slug: string): string {
  return `/v3/${slug}/transaction/count/${account}`
}

/** What an honest API answers: 53,000 gas, count 9, 31 gwei. */
function honest({ id }: FamilyMember): Readonly<Record<string, unknown>> {
  const { nonce = '', price } = sources[id] ?? {}
  const fee = Number(31n * gwei)
  return {
    eth_estimateGas: '0xcf08',
    [nonce]: 9,
    ...(price && { [price]: price.startsWith('/') ? { medium: fee } : fee }),
  }
}

describe.each(family)('a payment of $id', member => {
  const { chain, id, slug } = member
  const rpcPath = `/v3/${slug}/web3/{apiKey}`
  const asked = (json: Json, more?: Partial<PendingTx>) =>
    listen(chain, readsFrom(honest(member)), pendingOf(chain, json, more))

  test('that lacks nothing asks for nothing', async () => {
    expect(await complete(chain, plain, noReads)).toEqual({})
  })

  test('that lacks everything asks for it, and for nothing else', async () => {
    const gasPrice = ((constants[id] ?? 31n) * gwei).toString()
    const { completion, requests } = await asked({ ...bare, gasPrice: 0, gas: '0' })
    expect(completion).toEqual({ gas: '53000', nonce: '9', gasPrice })
    const { nonce = '', price } = sources[id] ?? {}
    const names = ['eth_estimateGas', nonce, ...(price ? [price] : [])]
    expect(requests.map(({ name }) => name).toSorted()).toEqual(names.toSorted())
    for (const { path, name, params } of requests) {
      expect(path).toBe(name.startsWith('/') ? name : rpcPath)
      if (name === 'eth_getTransactionCount') expect(params).toEqual([account, 'latest'])
      if (name === 'eth_gasPrice') expect(params).toEqual([])
    }
  })

  test('has a node estimate what came with it, and no more', async () => {
    const data = '0xaa'
    const accessList = [{ address: token, storageKeys: [slot] }]
    const json = { to, value: '0', data: 'AA', nonce: 0, gasPrice: '0x0', accessList }
    const { requests } = await asked(json)
    const told = ['MATIC', 'ONE', 'KCS'].includes(id)
      ? { from, to, data }
      : { from, to, value: '0x0', data, nonce: '0x0', gasPrice: '0x0', accessList }
    expect(requests).toContainEqual({ path: rpcPath, name: 'eth_estimateGas', params: [told] })
  })

  test('with a nonce of 0 keeps it', async () => {
    const { nonce: _, ...rest } = plain
    for (const nonce of [0, '0', '0x0']) {
      expect(await complete(chain, { ...rest, nonce }, noReads)).toEqual({})
    }
  })

  test('of a contract without data or recipient is estimated just so', async () => {
    const { requests } = await asked({ data: '0x6001', nonce: 1, gasPrice: 9 })
    const told = ['MATIC', 'ONE', 'KCS'].includes(id) ? {} : { nonce: '0x1', gasPrice: '0x9' }
    const params = [{ from, data: '0x6001', ...told }]
    expect(requests).toEqual([{ path: rpcPath, name: 'eth_estimateGas', params }])
  })

  test.each([
    [undefined, 9, '9'],
    [12n, 9, '12'],
    [4n, 9, '9'],
    [0n, 0, '0'],
  ])('next by our own record %p, by the chain %p: nonce %p', async (next, count, nonce) => {
    const { nonce: _, ...rest } = plain
    const accounts: string[] = []
    const reads: ChainReads = {
      ...readsFrom({ [sources[id]?.nonce ?? '']: count }),
      nextNonce: async address => {
        accounts.push(address)
        return next
      },
    }
    expect(await complete(chain, rest, reads)).toEqual({ nonce })
    // The claim that the ledger books is of the same account.
    const { claims, intent } = chain.prepare(pendingOf(chain, rest), own, { nonce })
    expect(claims).toEqual([`nonce/${accounts[0]}/${nonce}`])
    expect(intent.from).toEqual(accounts)
  })

  const gasRange = 'a whole number from 1 to 100000000'
  const countRange = 'a whole number from 0 to 9007199254740991'
  const priceRange = `a whole number from 1 to ${maxPrice}`
  const { nonce = '', price } = sources[id] ?? {}
  const feeName = price === 'eth_gasPrice' ? price : 'the medium fee'
  const lies: readonly (readonly [string, unknown, string])[] = [
    ...['0x5f5e101', '0x0', '1.5', -1, null, {}].map(
      answer => ['eth_estimateGas', answer, `eth_estimateGas is not ${gasRange}`] as const,
    ),
    ...[-1, 2 ** 53, '0x20000000000000', { count: 1 }, null].map(
      answer => [nonce, answer, `the transaction count is not ${countRange}`] as const,
    ),
    ...(price === undefined ? [] : [0, 1.5, '10000000000000001', `0x${'f'.repeat(65)}`, []]).map(
      lie =>
        [
          price ?? '',
          feeName === price ? lie : { medium: lie },
          `${feeName} is not ${priceRange}`,
        ] as const,
    ),
  ]
  test.each(lies)('does not believe an answer of %s that is %j', async (name, lie, sentence) => {
    const reads = readsFrom({ ...honest(member), [name]: lie })
    const thrown = await complete(chain, bare, reads).catch(reason => reason)
    expect(thrown).toMatchObject({ code: 'network', message: `the answer for ${sentence}` })
  })

  test('uses what a server answers within bounds or not at all', async () => {
    const check = async (gas: unknown, count: unknown, fee: unknown) => {
      const reads = readsFrom({ eth_estimateGas: gas, [nonce]: count, [price ?? '']: fee })
      try {
        chain.prepare(pendingOf(chain, bare), own, await complete(chain, bare, reads))
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
    ...['value', 'price', 'to', 'given', 'chainId'].map(
      name =>
        [{ [name]: '7' }, 'completion sets a field that the transaction does not lack'] as const,
    ),
    [JSON.parse('{"__proto__":"7"}'), 'completion sets a field that the transaction does not lack'],
  ] as readonly (readonly [Readonly<Record<string, string>>, string])[])(
    'is not completed with %j',
    (completion, message) => {
      expect(thrownBy(() => chain.prepare(pendingOf(chain, bare), own, completion))).toMatchObject({
        code: 'transaction-refused',
        message,
      })
    },
  )

  test.each(['gas', 'nonce', 'gasPrice'])('keeps its own %s', field => {
    const prepare = () => chain.prepare(pendingOf(chain, plain), own, { [field]: '50000' })
    expect(thrownBy(prepare).message).toBe(
      'completion sets a field that the transaction does not lack',
    )
  })
})

describe('gas that came with a payment', () => {
  const { gasLimit, ...rest } = plain
  const withGas = { ...rest, gas: gasLimit }
  const offchain = { withdrawalId: 'd745bf453f6a8b650f0dd2fa' }
  const cases = family.flatMap(({ id, chain }) => [
    { id, chain, where: 'on-chain', more: {}, isGuess: id === 'XDC' },
    { id, chain, where: 'off-chain', more: offchain, isGuess: id === 'XDC' || id === 'ETH' },
  ])

  test.each(cases)('$id $where: a guess? $isGuess', async ({ chain, more, isGuess }) => {
    const pending = pendingOf(chain, withGas, more)
    expect(chain.review(pending, own).fee === undefined).toBe(isGuess)
    const reads = readsFrom(isGuess ? { eth_estimateGas: '0xcf08' } : {})
    const { completion, requests } = await listen(chain, reads, pending)
    expect(completion).toEqual(isGuess ? { gas: '53000' } : {})
    const paid = isGuess ? 53_000n : 21_000n
    expect(chain.prepare(pending, own, completion).intent.fee?.amount).toBe(paid * 20n * gwei)
    if (isGuess) expect(requests).toMatchObject([{ params: [{ from, gas: '0x5208' }] }])
  })

  test.each(cases)('$id $where: gasLimit is meant', async ({ chain, more }) => {
    const pending = pendingOf(chain, { ...plain, gas: '99999' }, more)
    expect((await listen(chain, noReads, pending)).completion).toEqual({})
    expect(chain.prepare(pending, own, {}).intent.fee?.amount).toBe(21_000n * 20n * gwei)
  })
})

test('the two fees of EIP-1559 are told to a node that estimates', async () => {
  const { gasPrice: _, gasLimit: __, ...rest } = plain
  const json = { ...rest, maxFeePerGas: 16, maxPriorityFeePerGas: 1 }
  const { completion, requests } = await listen(
    xdc,
    readsFrom({ eth_estimateGas: 21_000 }),
    pendingOf(xdc, json),
  )
  expect(completion).toEqual({ gas: '21000' })
  const fees = { maxFeePerGas: '0x10', maxPriorityFeePerGas: '0x1' }
  expect(requests[0]?.params).toEqual([{ from, to, value: '0x5', nonce: '0x7', ...fees }])
})

describe('a gas price', () => {
  const { gasPrice: _, ...unpriced } = plain

  test.each([
    [1n, 30n * gwei],
    [30n * gwei - 1n, 30n * gwei],
    [30n * gwei + 1n, 30n * gwei + 1n],
    [500n * gwei, 500n * gwei],
  ])('of %p on Polygon is paid as %p', async (answer, paid) => {
    const reads = readsFrom({ eth_gasPrice: `0x${answer.toString(16)}` })
    expect(await complete(matic, unpriced, reads)).toEqual({ gasPrice: paid.toString() })
  })

  test('is not asked for where the two fees of EIP-1559 are given', async () => {
    const fees = { maxFeePerGas: '9', maxPriorityFeePerGas: '1' }
    for (const { chain } of family) {
      expect(await complete(chain, { ...unpriced, ...fees }, noReads)).toEqual({})
    }
  })

  test('is what every payment of the chain pays where it is a constant', async () => {
    expect(await complete(kcs, unpriced, noReads)).toEqual({ gasPrice: gwei.toString() })
  })

  test('that a server lies about is stopped by the limit of the fee', async () => {
    const reads = readsFrom({ '/v3/blockchain/fee/ETH': { medium: maxPrice } })
    const completion = await complete(eth, unpriced, reads)
    const prepare = () => eth.prepare(pendingOf(eth, unpriced), own, completion)
    expect(thrownBy(prepare).code).toBe('policy-denied')
  })
})

type Request = { readonly path: string; readonly name: string; readonly params?: unknown }

/** Completes, and tells what was asked: JSON-RPC by method, the rest by path. */
async function listen(chain: Chain, reads: ChainReads, pending: PendingTx) {
  const requests: Request[] = []
  const heard: ChainReads = {
    ...reads,
    get: path => {
      requests.push({ path, name: path })
      return reads.get(path)
    },
    rpc: (path, name, params) => {
      requests.push({ path, name, params })
      return reads.rpc(path, name, params)
    },
  }
  const completion = await chain.complete(pending, own, heard, new AbortController().signal)
  return { completion, requests }
}

function complete(chain: Chain, json: Json, reads: ChainReads) {
  return chain.complete(pendingOf(chain, json), own, reads, new AbortController().signal)
}
