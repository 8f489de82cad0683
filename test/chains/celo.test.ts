import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { keccak256 } from 'viem'
import { serializeTransaction } from 'viem/celo'
import { KmsError } from '../../src/base/errors.ts'
import type { Network } from '../../src/base/model.ts'
import { celo } from '../../src/chains/celo.ts'
import { decodeCelo } from '../../src/chains/family/celo-envelope.ts'
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
const otherToken = '0xd8763cba276a3738e6de85b4b3bf5fded6d6ca73'
const { signal } = new AbortController()

describe('completion', () => {
  const answers = {
    eth_gasPrice: '0x5d21dba00',
    eth_getTransactionCount: '0x4',
    eth_estimateGas: '0xea60',
  }

  test.each([
    ['no token', { to, value: '0x5', gasLimit: '0' }, [], { value: '0x5', gas: '0x0', to }],
    ['a token', { to, data: '0xAA', feeCurrency: cusd }, [cusd], { data: '0xaa', to }],
    ['a contract', { data: '0xaa', value: 0 }, [], { data: '0xaa', value: '0x0' }],
  ] as readonly (readonly [string, Json, readonly string[], Json])[])(
    'with %s asks what the original asks, and nothing else',
    async (_name, json, currency, call) => {
      const asked: unknown[] = []
      const reads = {
        ...readsFrom(answers),
        rpc: async (path: string, method: keyof typeof answers, params: unknown) => {
          expect(path).toBe('/v3/blockchain/node/CELO/{apiKey}')
          asked.push([method, params])
          return answers[method]
        },
      }
      const completion = await celo.complete(pendingOf(celo, json), own, reads as never, signal)
      expect(completion).toEqual({ gas: '160000', nonce: '4', gasPrice: '25000000000' })
      expect(asked).toContainEqual(['eth_gasPrice', currency])
      expect(asked).toContainEqual(['eth_getTransactionCount', [from, 'latest']])
      expect(asked).toContainEqual([
        'eth_estimateGas',
        [{ ...call, from, gasPrice: '0x5d21dba00' }],
      ])
      expect(asked).toHaveLength(3)
    },
  )

  test('what is there is not asked for', async () => {
    const json = { to, gasLimit: 21_000, nonce: 0, gasPrice: 1 }
    expect(await celo.complete(pendingOf(celo, json), own, noReads, signal)).toEqual({})
  })

  test.each([
    [cusd, '0x1dcd6500', '1000000000'],
    [cusd, '0x1dcd6501', '500000001'],
    [otherToken, '0x1dcd6500', '500000000'],
    [undefined, '0x1', '1'],
  ])('of the price in %p, which is %p: %p', async (feeCurrency, eth_gasPrice, gasPrice) => {
    const json = { to, gasLimit: 21_000, nonce: 0, feeCurrency }
    const reads = readsFrom({ eth_gasPrice })
    expect(await celo.complete(pendingOf(celo, json), own, reads, signal)).toEqual({ gasPrice })
  })

  test('the next nonce is the later of ours and theirs', async () => {
    const pending = pendingOf(celo, { to, gasLimit: 21_000, gasPrice: 1 })
    const reads = readsFrom(answers, 9n)
    expect(await celo.complete(pending, own, reads, signal)).toEqual({ nonce: '9' })
  })

  test('whatever a server answers, it is used within bounds or not at all', async () => {
    const check = async (price: unknown, count: unknown, gas: unknown) => {
      const pending = pendingOf(celo, { to, feeCurrency: cusd })
      const reads = readsFrom({
        eth_gasPrice: price,
        eth_getTransactionCount: count,
        eth_estimateGas: gas,
      })
      try {
        celo.prepare(pending, own, await celo.complete(pending, own, reads, signal))
      } catch (thrown) {
        expect(thrown).toBeInstanceOf(KmsError)
      }
    }
    const answer = fc.oneof(fc.jsonValue(), fc.nat(), fc.constantFrom('0x0', '0xffffffffffffffff'))
    await fc.assert(fc.asyncProperty(answer, answer, answer, check))
  })

  test.each(['value', 'feeCurrency', 'chainId', 'maxPriorityFeePerGas'])(
    'the signer takes no %s from it',
    name => {
      const completion = { gas: '21000', nonce: '1', gasPrice: '1', [name]: '1' }
      expect(thrownBy(() => celo.prepare(pendingOf(celo, { to }), own, completion)).message).toBe(
        'completion sets a field that the transaction does not lack',
      )
    },
  )
})

const hexBytes = (length: { readonly minLength?: number; readonly maxLength: number }) =>
  fc.uint8Array(length).map(bytes => `0x${Buffer.from(bytes).toString('hex')}` as const)
const address = hexBytes({ minLength: 20, maxLength: 20 })
const call = fc.oneof(
  fc.record({ to: address, data: hexBytes({ maxLength: 200 }) }),
  fc.record({ data: hexBytes({ minLength: 1, maxLength: 200 }) }),
)
const payment = fc.record({
  nonce: fc.oneof(fc.nat(300), fc.maxSafeNat()),
  gas: fc.bigInt({ min: 200_000n, max: 5_000_000n }),
  value: fc.bigInt({ min: 0n, max: 2n ** 256n - 1n }),
  // At most half a coin: what one of a random currency is worth nobody knows.
  price: fc.bigInt({ min: 1n, max: 10n ** 11n }),
})
const feeCurrency = fc.option(address, { nil: undefined })
const chain = fc.constantFrom(
  ['mainnet', 42_220] as const,
  ['testnet', 44_787] as const,
  ['testnet', 11_142_220] as const,
)

describe('any transaction', () => {
  test('is signed as viem reads it, by the key it was to be signed with', () => {
    const check = (
      { data, to: recipient }: { data: string; to?: string },
      { price, ...rest }: { price: bigint; gas: bigint; nonce: number; value: bigint },
      currency: string | undefined,
      [network, chainId]: readonly [Network, number],
    ) => {
      const asked = { ...rest, data, price, chainId, to: recipient, feeCurrency: currency }
      const { txData, txId } = sign(spell(asked), network)
      const envelope =
        currency === undefined
          ? { type: 'legacy', gasPrice: price }
          : {
              type: 'cip64',
              feeCurrency: currency,
              maxFeePerGas: price,
              maxPriorityFeePerGas: price,
            }
      const expected = { ...rest, ...envelope, chainId, data, from, to: recipient }
      expect<unknown>(readCelo(txData)).toEqual(
        recipient === undefined ? without(expected, 'to') : expected,
      )
      expect<string>(txId).toBe(keccak256(txData as `0x${string}`))
    }
    fc.assert(fc.property(call, payment, feeCurrency, chain, check))
  })

  test('with a fee currency is hashed as viem would hash it', () => {
    const check = (currency: `0x${string}`, price: bigint, nonce: number) => {
      const json = { to, value: 5, gasLimit: 90_000, nonce, gasPrice: `${price}` }
      const pending = pendingOf(celo, { ...json, feeCurrency: currency })
      const [request] = celo.prepare(pending, own, {}).requests
      const unsigned = serializeTransaction({
        type: 'cip64',
        chainId: 42_220,
        nonce,
        to,
        value: 5n,
        gas: 90_000n,
        maxFeePerGas: price,
        maxPriorityFeePerGas: price,
        feeCurrency: currency,
      })
      expect(`0x${Buffer.from(request?.message ?? []).toString('hex')}`).toBe(keccak256(unsigned))
    }
    fc.assert(fc.property(address, fc.bigInt({ min: 1n, max: 10n ** 12n }), fc.nat(), check))
  })

  test('read back from bytes that were changed, is another or none', () => {
    const position = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })
    const check = (json: Json, where: number, bit: number) => {
      const { txData } = sign(json)
      const bytes = Buffer.from(txData.slice(2), 'hex')
      // The signature at the end is no part of what is compared.
      const at = Math.floor(where * (bytes.length - 68))
      bytes[at] = (bytes[at] ?? 0) ^ (1 << bit)
      const before = decodeCelo(txData)
      let after: unknown
      try {
        after = decodeCelo(`0x${bytes.toString('hex')}`)
      } catch (thrown) {
        expect(thrown).toBeInstanceOf(KmsError)
      }
      expect(after).not.toEqual(before)
    }
    const json = fc
      .tuple(call, payment, feeCurrency)
      .map(([calls, paid, currency]) => spell({ ...calls, ...paid, feeCurrency: currency }))
    fc.assert(fc.property(json, position, fc.nat(7), check))
  })

  test('with one member changed, says so or is refused', () => {
    const honest = {
      to: cusd,
      value: '5',
      data: `0xa9059cbb${to.slice(2).padStart(64, '0')}${'9'.padStart(64, '0')}`,
      gasLimit: '99999',
      gasPrice: '7',
      nonce: '3',
      feeCurrency: cusd,
      chainId: '42220',
    }
    const before = meaning(honest)
    const value = fc.oneof(fc.jsonValue(), fc.nat(), address, fc.bigInt({ min: 0n }).map(String))
    const name = fc.constantFrom(...(Object.keys(honest) as (keyof typeof honest)[]))
    const check = (member: keyof typeof honest, other: unknown) => {
      if (isSameNumber(other, honest[member])) return
      expect(meaning({ ...honest, [member]: other })).not.toEqual(before)
    }
    fc.assert(fc.property(name, value, check))
    const { chainId: _, ...others } = honest
    for (const member of Object.keys(others)) {
      expect(meaning(without(honest, member))).not.toEqual(before)
    }
  })
})

describe('what people see', () => {
  const paid = { to, value: '5', gasLimit: 21_000, nonce: 7, gasPrice: '10' }

  test('a fee in a token is a fee in that token', () => {
    const { intent, claims } = celo.prepare(
      pendingOf(celo, { ...paid, feeCurrency: cusd }),
      own,
      {},
    )
    expect(intent).toEqual({
      kind: 'transfer',
      from: [from],
      outputs: [{ to, amount: 5n, asset: 'CELO', own: false }],
      fee: { amount: 210_000n, asset: `CELO:${cusd}` },
    })
    expect(claims).toEqual([`nonce/${from}/7`])
  })

  test('on the second testnet, addresses have numbers of their own', async () => {
    const testnet = ownOf(key, 'testnet')
    const asked = { to, gasLimit: 21_000, gasPrice: 1, chainId: 11_142_220 }
    const accounts: string[] = []
    const reads = {
      ...readsFrom({ eth_getTransactionCount: '0x4' }),
      nextNonce: async (account: string) => {
        accounts.push(account)
        return 9n
      },
    }
    const added = await celo.complete(pendingOf(celo, asked), testnet, reads, signal)
    expect(added).toEqual({ nonce: '9' })
    expect(accounts).toEqual([`${from}_11142220`])
    const claims = (json: Json) => celo.prepare(pendingOf(celo, json), testnet, added).claims
    expect(claims(asked)).toEqual([`nonce/${from}_11142220/9`])
    expect(claims({ ...asked, chainId: 44_787 })).toEqual([`nonce/${from}/9`])
  })

  test('a payment that lacks its price has no fee yet, and is not signed', () => {
    const pending = pendingOf(celo, { ...paid, gasPrice: '0' })
    expect(celo.review(pending, own).fee).toBeUndefined()
    expect(thrownBy(() => celo.prepare(pending, own, {})).message).toBe(
      'the transaction has no gasPrice and completion adds none',
    )
  })
})

function sign(json: Json, network: Network = 'mainnet') {
  const prepared = celo.prepare(pendingOf(celo, json), ownOf(key, network), {})
  return prepared.seal(signAll(prepared, key))
}

/** As the API writes it: hex. */
function spell({ gas, price, ...json }: Json): Json {
  const hex = (value: unknown) => (typeof value === 'bigint' ? `0x${value.toString(16)}` : value)
  const members = Object.entries({ ...json, gasLimit: gas, gasPrice: price })
  return Object.fromEntries(members.map(([name, value]) => [name, hex(value)]))
}

function without(json: Json, member: string): Json {
  return Object.fromEntries(Object.entries(json).filter(([name]) => name !== member))
}

/** What people see, the ledger books and the key signs, or the refusal. */
function meaning(json: Json): unknown {
  try {
    const { intent, claims, requests } = celo.prepare(pendingOf(celo, json), own, {})
    return { intent, claims, requests }
  } catch (thrown) {
    expect(thrown).toBeInstanceOf(KmsError)
    return 'refused'
  }
}

function isSameNumber(one: unknown, other: string): boolean {
  if (typeof one === 'object') return false
  return /^(\d+|0x[0-9a-f]+)$/.test(String(one)) && BigInt(String(one)) === BigInt(other)
}
