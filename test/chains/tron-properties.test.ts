import { describe, expect, test } from 'bun:test'
import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { KmsError } from '../../src/base/errors.ts'
import { tronNetwork } from '../support/fake-chains/tron.ts'
import { leavesOf, replaceAt } from '../support/json-tree.ts'
import {
  anyTransaction,
  prepare,
  sealed,
  sign,
  signByLibrary,
  type TronJson,
  transactionsOf,
  valuesByType,
  withBytes,
} from '../support/tron.ts'

const numRuns = Number(process.env['FC_NUM_RUNS'] ?? 100)
fc.configureGlobal({ numRuns })

describe.each(Object.keys(valuesByType))('any %s', type => {
  test('is signed as TronWeb signs it, and verified by it', async () => {
    await fc.assert(
      fc.asyncProperty(transactionsOf(type), async json => {
        const { txData, txId } = sign(json)
        expect(txData).toBe(await signByLibrary(json))
        const pending = { id: '', chain: 'TRON', serializedTransaction: JSON.stringify(json) }
        const settled = await tronNetwork.verify(txData, pending, 'mainnet')
        const { intent, claims } = prepare(json)
        expect(settled).toMatchObject({ txId, claims })
        expect(settled.from[0]).toBe(intent.from[0] ?? '')
        for (const { to, amount, asset } of settled.paid) {
          expect(intent.outputs).toContainEqual(expect.objectContaining({ to, amount, asset }))
        }
      }),
      { numRuns: Math.ceil(numRuns / 4) },
    )
  })

  test('with one value of its JSON changed is refused, or signed as TronWeb signs it', async () => {
    await fc.assert(
      fc.asyncProperty(transactionsOf(type), fc.nat(), fc.jsonValue(), async (json, at, value) => {
        const leaves = leavesOf(json)
        const changed = replaceAt(json, leaves[at % leaves.length] ?? [], value) as TronJson
        const after = meaning(changed)
        if (after === 'refused') return
        // The same in other words.
        expect(after).toEqual(meaningOf(json))
        expect(sign(changed).txData).toBe(await signByLibrary(changed))
      }),
    )
  })

  test('with one value taken from another one, bytes and all, means something else', () => {
    fc.assert(
      fc.property(transactionsOf(type), transactionsOf(type), fc.nat(), (json, other, at) => {
        const [part, value] = [json.raw_data, other.raw_data].map(parts)
        const names = Object.keys({ ...part, ...value })
        const name = names[at % names.length] ?? ''
        if (isDeepStrictEqual(part?.[name], value?.[name])) return
        const changed = sealed(withPart(json, name, value?.[name]))
        if (changed.txID === json.txID) return
        const after = meaning(changed)
        if (after === 'refused') return
        expect(after.claims).not.toEqual(meaningOf(json).claims)
        expect(after.requests).not.toEqual(meaningOf(json).requests)
        if (/amount|to_address|frozen_balance|asset_name|expiration|fee_limit/.test(name)) {
          expect(after.intent).not.toEqual(meaningOf(json).intent)
        }
      }),
    )
  })
})

describe('any bytes', () => {
  test('other than those of its JSON are refused', () => {
    const spoil = fc.tuple(fc.nat(), fc.integer({ min: 1, max: 255 }))
    fc.assert(
      fc.property(anyTransaction, spoil, (json, [where, mask]) => {
        const bytes = Buffer.from(json.raw_data_hex, 'hex')
        const at = where % bytes.length
        bytes[at] = (bytes[at] ?? 0) ^ mask
        expect(meaning(withBytes(json, bytes))).toBe('refused')
      }),
      { numRuns: 3 * numRuns },
    )
  })

  test('more or fewer than those of its JSON are refused', () => {
    fc.assert(
      fc.property(anyTransaction, fc.nat(), fc.uint8Array({ minLength: 1 }), (json, at, added) => {
        const bytes = Buffer.from(json.raw_data_hex, 'hex')
        const cut = at % bytes.length
        expect(meaning(withBytes(json, bytes.subarray(0, cut)))).toBe('refused')
        const longer = Buffer.concat([bytes.subarray(0, cut), added, bytes.subarray(cut)])
        expect(meaning(withBytes(json, longer))).toBe('refused')
      }),
    )
  })
})

type Meaning = Pick<ReturnType<typeof prepare>, 'intent' | 'claims' | 'requests'>

function meaning(json: unknown): Meaning | 'refused' {
  try {
    return meaningOf(json)
  } catch (thrown) {
    expect(thrown).toBeInstanceOf(KmsError)
    return 'refused'
  }
}

function meaningOf(json: unknown): Meaning {
  const { intent, claims, requests } = prepare(json)
  return { intent, claims, requests }
}

/** Members of `raw_data` and of its contract. */
function parts({ contract: [contract], ...head }: TronJson['raw_data']) {
  return { ...head, ...contract?.parameter.value }
}

function withPart(json: TronJson, name: string, value: unknown): TronJson {
  const copy = structuredClone(json)
  const inner = copy.raw_data.contract[0]?.parameter.value ?? {}
  const holder = name in inner || !(name in copy.raw_data) ? inner : copy.raw_data
  if (value === undefined) Reflect.deleteProperty(holder, name)
  else Reflect.set(holder, name, value)
  return copy
}
