import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { KmsError } from '../../src/base/errors.ts'
import { unsign } from '../../src/chains/family/klay-signing.ts'
import { klay } from '../../src/chains/klay.ts'
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
  token,
} from '../support/evm.ts'
import { address, typedPayment } from '../support/klay.ts'
import { readKlay } from '../support/klay-raw.ts'

fc.configureGlobal({ numRuns: Number(process.env['FC_NUM_RUNS'] ?? 100) })

const { signal } = new AbortController()
const anyType = typedPayment([0, 1, 2])

describe('completion', () => {
  const answers = {
    klay_gasPrice: '0x5d21dba00',
    klay_getTransactionCount: '0x4',
    klay_estimateGas: '0xea60',
  }

  test.each([
    ['a legacy one', { to, value: '0x5' }, { to }, '60000'],
    ['a legacy call', { to, data: 'AA', gas: 0, gasPrice: '0x0' }, { to, data: '0xaa' }, '60000'],
    ['a typed one', { type: 'VALUE_TRANSFER', to, value: 5 }, { to }, '60000'],
    [
      'a delegated one',
      { type: 'FEE_DELEGATED_SMART_CONTRACT_EXECUTION', to, data: '0xaa' },
      { to, data: '0xaa' },
      '70000',
    ],
    ['a shared one', { type: 'FEE_DELEGATED_CANCEL_WITH_RATIO', feeRatio: 1 }, {}, '75000'],
  ] as readonly (readonly [string, Json, Json, string])[])(
    'of %s asks what the original asks; delegation costs gas that no estimate holds',
    async (_name, json, call, gas) => {
      const asked: unknown[] = []
      const rpc = async (path: string, method: keyof typeof answers, params: unknown) => {
        expect(path).toBe('/v3/blockchain/node/KLAY/{apiKey}')
        asked.push([method, params])
        return answers[method]
      }
      const reads = { ...readsFrom({}), rpc } as never
      const completion = await klay.complete(pendingOf(klay, json), own, reads, signal)
      expect(completion).toEqual({ gas, nonce: '4', gasPrice: '25000000000' })
      expect(asked).toContainEqual(['klay_gasPrice', []])
      expect(asked).toContainEqual(['klay_getTransactionCount', [from, 'pending']])
      expect(asked).toContainEqual(['klay_estimateGas', [{ from, ...call }]])
      expect(asked).toHaveLength(3)
    },
  )

  test('what is there is not asked for, a nonce of 0 neither', async () => {
    const json = { to, gas: 21_000, gasPrice: 1, nonce: 0 }
    expect(await klay.complete(pendingOf(klay, json), own, noReads, signal)).toEqual({})
  })

  test('whatever a server answers, it is used within bounds or not at all', async () => {
    const check = async (price: unknown, count: unknown, gas: unknown, type: string) => {
      const pending = pendingOf(klay, { type, to, value: 1 })
      const reads = readsFrom({
        klay_gasPrice: price,
        klay_getTransactionCount: count,
        klay_estimateGas: gas,
      })
      try {
        klay.prepare(pending, own, await klay.complete(pending, own, reads, signal))
      } catch (thrown) {
        expect(thrown).toBeInstanceOf(KmsError)
      }
    }
    const answer = fc.oneof(fc.jsonValue(), fc.nat(), fc.constantFrom('0x0', '0xffffffffffffffff'))
    const type = fc.constantFrom('LEGACY', 'VALUE_TRANSFER', 'FEE_DELEGATED_VALUE_TRANSFER')
    await fc.assert(fc.asyncProperty(answer, answer, answer, type, check))
  })

  test.each(['value', 'feeRatio', 'from'])('the signer takes no %s from it', name => {
    const json = { type: 'VALUE_TRANSFER', to, value: 1 }
    const completion = { gas: '21000', nonce: '1', gasPrice: '1', [name]: '1' }
    expect(thrownBy(() => klay.prepare(pendingOf(klay, json), own, completion)).message).toBe(
      'completion sets a field that the transaction does not lack',
    )
  })
})

describe('any transaction of a type of Kaia', () => {
  test('is signed as the specification reads it, by the key it was to be signed with', () => {
    fc.assert(
      fc.property(anyType, fc.boolean(), ({ json, ...expected }, testnet) => {
        const { txData } = sign(json, testnet ? 'testnet' : 'mainnet')
        const { sent: _, ...tx } = readKlay(txData, testnet ? 1_001 : 8_217)
        const isDelegated = expected.type % 8 > 0
        expect<unknown>(tx).toEqual({
          ...expected,
          from,
          senders: [from],
          feePayer: isDelegated ? `0x${'00'.repeat(20)}` : '0x',
          payers: [],
        })
      }),
    )
  })

  test('read back from bytes that were changed, is another or none', () => {
    const position = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })
    const check = ({ json, type }: { json: Json; type: number }, where: number, bit: number) => {
      const { txData } = sign(json)
      const bytes = Buffer.from(txData.slice(2), 'hex')
      // The signature at the end is no part of what is compared; behind it the fee payer is to be.
      const end = bytes.length - 67 - (type % 8 > 0 ? 26 : 0)
      const at = Math.floor(where * end)
      bytes[at] = (bytes[at] ?? 0) ^ (1 << bit)
      const tx = { kind: 'sender', chainId: 8_217 } as never
      const before = unsign(txData, tx, 8_217)
      let after: unknown
      try {
        after = unsign(`0x${bytes.toString('hex')}`, tx, 8_217)
      } catch (thrown) {
        expect(thrown).toMatchObject({ name: 'KmsError', code: 'unexpected' })
      }
      expect(after).not.toEqual(before)
    }
    fc.assert(fc.property(anyType, position, fc.nat(7), check))
  })

  test('with one member changed, says so or is refused', () => {
    const other = fc.oneof(fc.jsonValue(), fc.nat(), address, fc.bigInt({ min: 0n }).map(String))
    const check = ({ json }: { json: Json }, where: number, value: unknown) => {
      const members = Object.keys(json)
      const member = members[where % members.length] ?? ''
      if (isSameMember(json[member], value)) return
      expect(meaning({ ...json, [member]: value })).not.toEqual(meaning(json))
    }
    fc.assert(fc.property(anyType, fc.nat(), other, check))
  })
})

describe('what people see', () => {
  const call = `0xa9059cbb${to.slice(2).padStart(64, '0')}${'9'.padStart(64, '0')}`
  const common = { gas: 100_000, nonce: 7, gasPrice: '10' }
  const native = { to, amount: 5n, asset: 'KLAY', own: false }
  test.each([
    ['VALUE_TRANSFER', { to, value: 5 }, { kind: 'transfer', outputs: [native] }, 1_000_000n],
    [
      'VALUE_TRANSFER_MEMO',
      { to, value: 5, data: 'for you & me' },
      {
        kind: 'transfer',
        outputs: [{ ...native, to: `${to}?memo=for%20you%20%26%20me` }],
      },
      1_000_000n,
    ],
    [
      'VALUE_TRANSFER_MEMO',
      { to: from, value: 5, data: '0xff00' },
      { kind: 'transfer', outputs: [{ ...native, to: `${from}?memo=hex:ff00`, own: true }] },
      1_000_000n,
    ],
    [
      'VALUE_TRANSFER_MEMO',
      { to, value: 5, data: '0x' },
      { kind: 'transfer', outputs: [native] },
      1_000_000n,
    ],
    [
      'SMART_CONTRACT_EXECUTION',
      { to: token, data: call },
      {
        kind: 'token-transfer',
        outputs: [{ to, amount: 9n, asset: `KLAY:${token}`, own: false }],
      },
      1_000_000n,
    ],
    [
      'SMART_CONTRACT_DEPLOY',
      { value: 5, data: call },
      { kind: 'contract-creation', outputs: [{ ...native, to: 'new contract' }], unread: true },
      1_000_000n,
    ],
    ['CANCEL', {}, { kind: 'cancel', outputs: [] }, 1_000_000n],
    ['FEE_DELEGATED_CANCEL', {}, { kind: 'cancel', outputs: [] }, 0n],
    [
      'FEE_DELEGATED_VALUE_TRANSFER_WITH_RATIO',
      { to, value: 5, feeRatio: 30 },
      { kind: 'transfer', outputs: [native] },
      700_000n,
    ],
  ] as readonly (readonly [string, Json, Json, bigint])[])(
    'of a %s of ours',
    (type, members, seen, amount) => {
      const pending = pendingOf(klay, { ...common, ...members, type })
      const { intent, claims } = klay.prepare(pending, own, {})
      expect<unknown>(intent).toEqual({ ...seen, from: [from], fee: { amount, asset: 'KLAY' } })
      expect(claims).toEqual([`nonce/${from}/7`])
    },
  )
})

function sign(json: Json, network: 'mainnet' | 'testnet' = 'mainnet') {
  const prepared = klay.prepare(pendingOf(klay, json), ownOf(key, network), {})
  return prepared.seal(signAll(prepared, key))
}

/** What people see, the ledger books and the key signs, or the refusal. */
function meaning(json: Json): unknown {
  try {
    const { intent, claims, requests } = klay.prepare(pendingOf(klay, json), own, {})
    return { intent, claims, requests }
  } catch (thrown) {
    expect(thrown).toBeInstanceOf(KmsError)
    return 'refused'
  }
}

function isSameMember(one: unknown, other: unknown): boolean {
  const [a, b] = [one, other].map(value => (typeof value === 'object' ? '' : String(value)))
  const isNumber = [a, b].every(text => /^(\d+|0x[0-9a-f]+)$/i.test(text ?? ''))
  return isNumber ? BigInt(a ?? 0) === BigInt(b ?? 0) : a === b
}
