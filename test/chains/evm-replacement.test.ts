import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { parseTransaction, recoverTransactionAddress, serializeTransaction } from 'viem'
import type { Own } from '../../src/chains/chain.ts'
import { chains } from '../../src/chains/index.ts'
import {
  type FamilyMember,
  family,
  key,
  noReads,
  ownOf,
  pendingOf,
  publicKeyOf,
  readsFrom,
  signAll,
  thrownBy,
  to,
} from '../support/evm.ts'

fc.configureGlobal({ numRuns: Number(process.env['FC_NUM_RUNS'] ?? 100) })

const own = ownOf(key)
const otherKey = new Uint8Array(32).fill(8)
const gwei = 10n ** 9n

type Asked = Readonly<Record<string, unknown>>

describe.each(family)('$id', member => {
  const { chain, chainId, feeCap } = member
  const address = chain.address(publicKeyOf(key), 'mainnet')

  test('the sender and the number of signed bytes are those that viem reads', async () => {
    for (const fees of [{ gasPrice: '7' }, { maxFeePerGas: '7', maxPriorityFeePerGas: '3' }]) {
      const txData = signedBy(member, { nonce: 41, ...fees })
      const serializedTransaction = txData as `0x02${string}`
      const recovered = await recoverTransactionAddress({ serializedTransaction })
      const { sender, number } = numbering(member).numberOf(txData)
      expect(sender).toBe(address)
      expect(sender.slice(-40)).toBe(recovered.slice(2).toLowerCase())
      expect(number).toBe(41n)
    }
  })

  test('a replacement pays nobody, keeps number and type, and bids an eighth more', async () => {
    const price = fc.bigInt({ min: 1n, max: 2_000n * gwei })
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('legacy', 'eip2930', 'eip1559'),
        fc.nat({ max: 1_000_000 }),
        price,
        price,
        price,
        async (type, nonce, first, second, now) => {
          const [tip, most] = first < second ? [first, second] : [second, first]
          const txData = signedBy(member, { nonce, ...feesOf(type, most, tip) })
          const prepared = numbering(member).replace(txData, own, now)
          expect(prepared.claims).toEqual([`nonce/${address}/${nonce}`])
          expect(prepared.intent).toMatchObject({ kind: 'transfer', from: [address] })
          const { txData: sent } = prepared.seal(signAll(prepared, key))
          const tx = parseTransaction(sent as `0x${string}`)
          expect(tx).toMatchObject({ type, chainId: chainId.mainnet, gas: 21_000n })
          expect(tx.to?.slice(2).toLowerCase()).toBe(address.slice(-40))
          expect({ nonce: tx.nonce ?? 0, value: tx.value ?? 0n, data: tx.data ?? '0x' }).toEqual({
            nonce,
            value: 0n,
            data: '0x',
          })
          const offered = tx.maxFeePerGas ?? tx.gasPrice ?? 0n
          expect(8n * offered).toBeGreaterThanOrEqual(9n * most)
          expect(offered).toBeGreaterThanOrEqual(now)
          expect(offered * 21_000n).toBeLessThanOrEqual(feeCap * 10n ** 18n)
          if (type !== 'eip1559') return
          expect(8n * (tx.maxPriorityFeePerGas ?? 0n)).toBeGreaterThanOrEqual(9n * tip)
          expect(tx.maxPriorityFeePerGas).toBeLessThanOrEqual(offered)
        },
      ),
    )
  })

  test('the price of the day is met, but not beyond the fee cap', () => {
    const txData = signedBy(member, { nonce: 1, gasPrice: '10' })
    const most = (feeCap * 10n ** 18n) / 21_000n
    for (const [now, offered] of [
      [1n, 12n],
      [500n, 500n],
      [most, most],
      [most + 1n, most],
      [10n ** 18n, most],
    ] as const) {
      expect(parseTransaction(replaced(member, txData, now)).gasPrice).toBe(offered)
    }
  })

  test('of what cost the cap itself there is no replacement within it', () => {
    const most = (feeCap * 10n ** 18n) / 21_000n
    const atCap = { nonce: 1, gasLimit: '21000', gasPrice: `${most}`, data: '0x' }
    const txData = signedBy(member, atCap)
    const { code, message } = thrownBy(() => numbering(member).replace(txData, own, 1n))
    expect(code).toBe('policy-denied')
    expect(message).toContain('more than the limit')
  })

  test('bytes of another key or network are not replaced', () => {
    const txData = signedBy(member, { nonce: 1, gasPrice: '10' })
    const { replace } = numbering(member)
    const others: readonly Own[] = [ownOf(otherKey), { ...own, network: 'testnet' }]
    for (const other of others) {
      expect(thrownBy(() => replace(txData, other, 1n)).code).toBe('unexpected')
    }
  })

  test('a replacement can be replaced, and goes out without the id of a payment', () => {
    const { replace, broadcast } = numbering(member)
    const first = replaced(member, signedBy(member, { nonce: 1, gasPrice: '10' }), 1n)
    expect(thrownBy(() => replace(first, ownOf(otherKey), 1n)).code).toBe('unexpected')
    expect(parseTransaction(replaced(member, first, 1n)).gasPrice).toBe(14n)
    expect(broadcast(first)).toEqual({
      path: `/v3/${member.slug}/broadcast`,
      body: { txData: first },
    })
  })

  test('counts what is in blocks, of the address without its own prefix', async () => {
    const asked: unknown[] = []
    const rpc = async (path: string, method: string, params: readonly unknown[]) => {
      asked.push([path, method, ...params])
      return '0x2a'
    }
    expect(await numbering(member).count(address, { ...noReads, rpc })).toBe(42n)
    expect(asked).toEqual([
      [
        `/v3/${member.slug}/web3/{apiKey}`,
        'eth_getTransactionCount',
        `0x${address.slice(-40)}`,
        'latest',
      ],
    ])
    for (const answer of [null, -1, '0x', 'many', 2 ** 60, {}]) {
      const reads = readsFrom({ eth_getTransactionCount: answer })
      const fault = await numbering(member)
        .count(address, reads)
        .catch((thrown: unknown) => thrown)
      expect(fault).toMatchObject({ code: 'network' })
    }
  })
})

describe('whatever stands for signed bytes', () => {
  const [member] = family
  const good = member && signedBy(member, { nonce: 1, gasPrice: '10' })

  test('is bytes of ours or is refused with a reason', () => {
    if (member === undefined || good === undefined) throw new Error('there is no chain')
    const { replace, numberOf } = numbering(member)
    const changed = fc
      .tuple(fc.nat({ max: good.length - 1 }), fc.constantFrom(...'0123456789abcdefgx'))
      .map(([at, digit]) => `${good.slice(0, at)}${digit}${good.slice(at + 1)}`)
    fc.assert(
      fc.property(fc.oneof(fc.string(), changed, fc.constant(good.slice(0, -2))), txData => {
        if (txData === good) return
        expect(thrownBy(() => replace(txData, own, 1n)).code).toBe('unexpected')
        try {
          numberOf(txData)
        } catch (thrown) {
          expect(thrown).toMatchObject({ name: 'KmsError', code: 'unexpected' })
        }
      }),
    )
  })

  test('without a signature is refused', () => {
    const gas = { gas: 21_000n, gasPrice: 9n } as const
    const bare = serializeTransaction({ type: 'legacy', chainId: 1, nonce: 7, ...gas, to })
    if (member === undefined) throw new Error('there is no chain')
    expect(thrownBy(() => numbering(member).replace(bare, own, 1n)).code).toBe('unexpected')
  })
})

test('chains whose senders do not number their payments cannot take a signed one back', () => {
  const numbered = [...family.map(({ id }) => id), 'CELO', 'KLAY', 'EGLD']
  const others = chains.filter(({ numbering: has }) => has === undefined).map(({ id }) => id)
  expect(others).toEqual(expect.arrayContaining(['BTC', 'BNB', 'XRP']))
  expect([...others, ...numbered].toSorted()).toEqual(chains.map(({ id }) => id).toSorted())
})

function numbering({ chain }: FamilyMember) {
  if (chain.numbering === undefined) throw new Error('it has no numbering')
  return chain.numbering
}

function signedBy({ chain }: FamilyMember, tx: Asked): string {
  const asked = { to, value: '5', data: '0xaabb', gasLimit: '50000', ...tx }
  const prepared = chain.prepare(pendingOf(chain, asked), own, {})
  return prepared.seal(signAll(prepared, key)).txData
}

function replaced(member: FamilyMember, txData: string, now: bigint): `0x${string}` {
  const prepared = numbering(member).replace(txData, own, now)
  return prepared.seal(signAll(prepared, key)).txData as `0x${string}`
}

function feesOf(type: 'legacy' | 'eip2930' | 'eip1559', most: bigint, tip: bigint): Asked {
  if (type === 'legacy') return { gasPrice: `${most}` }
  if (type === 'eip2930')
    return { gasPrice: `${most}`, accessList: [{ address: to, storageKeys: [] }] }
  return { maxFeePerGas: `${most}`, maxPriorityFeePerGas: `${tip}` }
}
