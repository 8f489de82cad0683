import { describe, expect, test } from 'bun:test'
import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { KmsError } from '../../src/base/errors.ts'
import type { Network } from '../../src/base/model.ts'
import { algo } from '../../src/chains/algo.ts'
import { decodeSignedAlgo } from '../../src/chains/family/algo-decoding.ts'
import { encodeSignedAlgo } from '../../src/chains/family/algo-encoding.ts'
import {
  account,
  creation,
  destruction,
  indexed,
  otherKey,
  ownKey,
  payment,
  prepareAlgo,
  signAlgo,
  transfer,
} from '../support/algo.ts'
import { algoAddressOf, readAlgo } from '../support/algorand.ts'
import { type Json, thrownBy } from '../support/evm.ts'

fc.configureGlobal({ numRuns: Number(process.env['FC_NUM_RUNS'] ?? 100) })

const from = algoAddressOf(ownKey)
const to = algoAddressOf(otherKey)
const fee = { amount: 1_000n, asset: 'ALGO' }

// https://github.com/algorand/js-algorand-sdk/blob/develop/tests/5.Transaction.ts
const goldenCreation =
  'gqNzaWfEQEDd1OMRoQI/rzNlU4iiF50XQXmup3k5czI9hEsNqHT7K4KsfmA/0DUVkbzOwtJdRsHS8trm3Arjpy9r7AXlbAujdHhuh6RhcGFyiaJhbcQgZkFDUE80blJnTzU1ajFuZEFLM1c2U2djNEFQa2N5RmiiYW6odGVzdGNvaW6iYXWnd2Vic2l0ZaFjxCAJ+9J2LAj4bFrmv23Xp6kB3mZ111Dgfoxcdphkfbbh/aFmxCAJ+9J2LAj4bFrmv23Xp6kB3mZ111Dgfoxcdphkfbbh/aFtxCAJ+9J2LAj4bFrmv23Xp6kB3mZ111Dgfoxcdphkfbbh/aFyxCAJ+9J2LAj4bFrmv23Xp6kB3mZ111Dgfoxcdphkfbbh/aF0ZKJ1bqN0c3SjZmVlzQ+0omZ2zgAE7A+iZ2jEIEhjtRiks8hOyBDyLU8QgcsPcfBZp6wg3sYvf3DlCToiomx2zgAE7/ejc25kxCAJ+9J2LAj4bFrmv23Xp6kB3mZ111Dgfoxcdphkfbbh/aR0eXBlpGFjZmc='

test('a transaction of the official libraries is read, and written as they write it', () => {
  const bytes = Uint8Array.from(Buffer.from(goldenCreation, 'base64'))
  const tx = decodeSignedAlgo(bytes)
  expect(tx).toMatchObject({
    type: 'create-asset',
    fee: 4_020n,
    firstRound: 322_575n,
    asset: { total: 100n, unitName: 'tst', name: 'testcoin', url: 'website', decimals: 0n },
  })
  // `sig` stands behind the head of the map and its own name and length.
  expect(encodeSignedAlgo(tx, bytes.subarray(7, 71))).toEqual(bytes)
  expect(readAlgo(Buffer.from(bytes).toString('hex')).txn['fv']).toBe(322_575n)
})

describe('what people see', () => {
  const note = { note: indexed(Buffer.from('hi')) }

  test('a payment, and its note with the recipient', () => {
    const { intent, claims } = prepareAlgo(payment)
    const outputs = [{ to, amount: 5n, asset: 'ALGO', own: false }]
    expect(intent).toEqual({ kind: 'transfer', from: [from], outputs, fee })
    expect(claims).toEqual([`tx/${signAlgo(payment).txId}`])
    const noted = prepareAlgo({ ...payment, ...note }).intent.outputs
    expect(noted).toEqual([{ ...outputs[0], to: `${to}?note=6869` } as never])
  })

  test('a payment to oneself', () => {
    const [output] = prepareAlgo({ ...payment, to: account(ownKey) }).intent.outputs
    expect(output).toEqual({ to: from, amount: 5n, asset: 'ALGO', own: true })
  })

  test('an asset, and that one may be received', () => {
    const { kind, outputs } = prepareAlgo(transfer).intent
    expect(kind).toBe('token-transfer')
    expect(outputs).toEqual([{ to, amount: 5n, asset: 'ALGO:10458941', own: false }])
    const optIn = prepareAlgo({ ...transfer, amount: 0, to: account(ownKey) })
    expect(optIn.intent.kind).toBe('token-opt-in')
  })

  test('an asset that is made', () => {
    const { intent } = prepareAlgo({
      ...creation,
      ...note,
      assetDecimals: 6,
      assetDefaultFrozen: true,
      assetUnitName: 'U"',
      assetName: 'Name',
      assetURL: 'https://example.org',
      assetMetadataHash: indexed(otherKey),
      assetManager: account(ownKey),
      assetClawback: account(otherKey),
    })
    const remark = [
      'decimals=6',
      'frozen',
      'unit="U\\""',
      'name="Name"',
      'url="https://example.org"',
      `metadata=${Buffer.from(otherKey).toString('hex')}`,
      `manager=${from}`,
      `clawback=${to}`,
      'note=6869',
    ].join(' ')
    expect(intent).toEqual({
      kind: 'token-create',
      from: [from],
      outputs: [
        { to: from, amount: 1_000_000n, asset: 'ALGO:new asset', own: true },
        { to: remark, amount: 0n, asset: 'ALGO', own: false },
      ],
      fee,
    })
  })

  test('an asset that is destroyed', () => {
    const destroyed = { to: 'nobody', amount: 0n, asset: 'ALGO:10458941', own: false }
    expect(prepareAlgo(destruction).intent).toEqual({
      kind: 'token-destroy',
      from: [from],
      outputs: [destroyed],
      fee,
    })
    const remark = { to: 'note=6869', amount: 0n, asset: 'ALGO', own: false }
    expect(prepareAlgo({ ...destruction, ...note }).intent.outputs).toEqual([destroyed, remark])
  })
})

const amount = fc.nat(2 ** 31)
const publicKey = fc
  .uint8Array({ minLength: 32, maxLength: 32 })
  .filter(key => key.some(byte => byte !== 0))
const common = fc.record(
  {
    note: fc.uint8Array({ maxLength: 1_024 }),
    fee: fc.nat(100_000),
    firstRound: fc.integer({ min: 1, max: 2 ** 45 }),
  },
  { requiredKeys: ['firstRound'] },
)
const moved = fc.record({ to: publicKey, amount })
const body = fc.oneof(
  moved.map(fields => ({ type: 'pay', ...fields })),
  fc
    .tuple(moved, fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }))
    .map(([fields, assetIndex]) => ({ type: 'axfer', ...fields, assetIndex })),
  fc.integer({ min: 1 }).map(assetIndex => ({ type: 'acfg', assetIndex })),
  fc
    .record(
      {
        assetTotal: amount,
        assetDecimals: fc.nat(19),
        assetDefaultFrozen: fc.boolean(),
        assetUnitName: fc.string({ maxLength: 8 }),
        assetName: fc.string({ maxLength: 32 }),
        assetURL: fc.string({ maxLength: 96 }),
        assetMetadataHash: publicKey,
        assetManager: publicKey,
        assetReserve: publicKey,
        assetFreeze: publicKey,
        assetClawback: publicKey,
      },
      { requiredKeys: ['assetTotal'] },
    )
    .map(params => ({ type: 'acfg', ...params })),
)
const anyTx = fc.tuple(common, body).map(([shared, fields]) => ({ ...shared, ...fields }) as Json)
const network = fc.constantFrom<Network>('mainnet', 'testnet')

describe('a signed transaction', () => {
  test('says to an independent reader what was asked for', () => {
    const check = (asked: Json, on: Network) => {
      const { txData, txId } = signAlgo(spell(asked), on)
      const read = readAlgo(txData)
      expect(read.txId).toBe(txId)
      const { snd, gen, gh, lv, ...txn } = read.txn
      expect(snd).toEqual(Buffer.from(ownKey))
      expect(gen).toBe(`${on}-v1.0`)
      expect(lv).toBe(BigInt(Number(asked['firstRound'])) + 7n)
      expect<unknown>(txn).toEqual(written(asked))
    }
    fc.assert(fc.property(anyTx, network, check))
  })

  test('of two that differ, each says something else', () => {
    const check = (one: Json, another: Json) => {
      const [a, b] = [spell(one), spell(another)]
      for (const name of Object.keys(b)) {
        if (isDeepStrictEqual(written({ ...one, [name]: another[name] }), written(one))) continue
        expect(meaning({ ...a, [name]: b[name] })).not.toEqual(meaning(a))
      }
    }
    fc.assert(fc.property(anyTx, anyTx, check))
  })

  test('read back from bytes that were changed, is another or none', () => {
    const position = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })
    const check = (asked: Json, where: number, bit: number) => {
      const bytes = Uint8Array.from(Buffer.from(signAlgo(spell(asked)).txData, 'hex'))
      const before = decodeSignedAlgo(bytes)
      // Behind the signature, which is no part of what is compared.
      const at = 71 + Math.floor(where * (bytes.length - 71))
      bytes[at] = (bytes[at] ?? 0) ^ (1 << bit)
      let after: unknown
      try {
        after = decodeSignedAlgo(bytes)
      } catch (thrown) {
        expect(thrown).toBeInstanceOf(KmsError)
      }
      expect(after).not.toEqual(before)
    }
    fc.assert(fc.property(anyTx, position, fc.nat(7), check))
  })

  test.each([
    ['nothing', ''],
    ['a number', '01'],
    ['an empty map', '80'],
    ['no signature', '81a374786e80'],
    ['a signature that is too short', '82a3736967c40101a374786e80'],
    ['something else in it', `83a16101a3736967c440${'00'.repeat(64)}a374786e80`],
    ['maps in maps', '81a161'.repeat(100_000)],
  ])('is not one with %s', (_name, hex) => {
    const bytes = Uint8Array.from(Buffer.from(hex, 'hex'))
    expect(thrownBy(() => decodeSignedAlgo(bytes)).code).toBe('unexpected')
  })
})

test('keys of another kind have no address', () => {
  const bytes = new Uint8Array(33).fill(2)
  expect(thrownBy(() => algo.address({ curve: 'secp256k1', bytes }, 'mainnet')).code).toBe(
    'unexpected',
  )
})

/** As algosdk's classes come out of JSON. */
function spell({ firstRound, ...fields }: Json): Json {
  const first = Number(firstRound)
  const spelled = Object.entries(fields).map(([name, value]) => {
    if (!(value instanceof Uint8Array)) return [name, value] as const
    const isBytes = name === 'note' || name === 'assetMetadataHash'
    return [name, isBytes ? indexed(value) : account(value)] as const
  })
  return { ...Object.fromEntries(spelled), firstRound: first, lastRound: first + 7 }
}

/** What of it stands in the bytes, by the names of the specification. */
function written(asked: Json): Json {
  const { type, note, fee: paid = 1_000, firstRound: fv, to: rcv, amount: amt, assetIndex } = asked
  const own = { type, note, fee: paid, fv }
  if (type === 'pay') return present({ ...own, rcv, amt })
  if (type === 'axfer') return present({ ...own, arcv: rcv, aamt: amt, xaid: assetIndex })
  const apar = present({
    t: asked['assetTotal'],
    dc: asked['assetDecimals'],
    df: asked['assetDefaultFrozen'],
    un: asked['assetUnitName'],
    an: asked['assetName'],
    au: asked['assetURL'],
    am: asked['assetMetadataHash'],
    m: asked['assetManager'],
    r: asked['assetReserve'],
    f: asked['assetFreeze'],
    c: asked['assetClawback'],
  })
  return present({ ...own, caid: assetIndex, ...(Object.keys(apar).length > 0 && { apar }) })
}

function present(fields: Json): Json {
  const entries = Object.entries(fields)
    .filter(([, value]) => value !== undefined && value !== 0 && value !== '' && value !== false)
    .filter(([, value]) => !(value instanceof Uint8Array && value.length === 0))
    .map(([name, value]) => {
      if (typeof value === 'number') return [name, BigInt(value)] as const
      return [name, value instanceof Uint8Array ? Buffer.from(value) : value] as const
    })
  return Object.fromEntries(entries)
}

/** What people see, the ledger books and the key signs, or the refusal. */
function meaning(json: Json): unknown {
  try {
    const { intent, claims, requests } = prepareAlgo(json)
    return { intent, claims, requests }
  } catch (thrown) {
    expect(thrown).toBeInstanceOf(KmsError)
    return 'refused'
  }
}
