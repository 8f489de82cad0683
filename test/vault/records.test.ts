import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { KmsError } from '../../src/base/errors.ts'
import {
  appendRecords,
  emptyBody,
  indexBody,
  recordAad,
  recordAt,
  type WalletRecord,
  withoutRecord,
} from '../../src/vault/records.ts'
import { refusal } from '../support/refusal.ts'

const numRuns = Number(process.env['FC_NUM_RUNS'] ?? 100)

const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 })
const sealed = fc.uint8Array({ maxLength: 100 })
const anyRecord: fc.Arbitrary<WalletRecord> = fc.record(
  {
    info: fc.record(
      {
        id: fc.uuid(),
        chain: text,
        network: fc.constantFrom('mainnet', 'testnet'),
        kind: fc.constantFrom('mnemonic', 'key'),
        createdAt: fc.nat({ max: Number.MAX_SAFE_INTEGER }),
        path: text,
        xpub: text,
        address: text,
        publicKey: sealed,
      },
      { requiredKeys: ['id', 'chain', 'network', 'kind', 'createdAt'] },
    ),
    sealedSecret: sealed,
    sealedNode: sealed,
  },
  { requiredKeys: ['info', 'sealedSecret'] },
)
const anyRecords = fc.uniqueArray(anyRecord, { maxLength: 6, selector: ({ info }) => info.id })

function recordsOf(body: Uint8Array): readonly WalletRecord[] {
  return [...indexBody(body).values()].map(start => recordAt(body, start))
}

describe('a body', () => {
  test('gives back the records put in, oldest first', () => {
    fc.assert(
      fc.property(anyRecords, anyRecords, (older, newer) => {
        const known = new Set(older.map(({ info }) => info.id))
        const all = [...older, ...newer.filter(({ info }) => !known.has(info.id))]
        const body = appendRecords(appendRecords(emptyBody, older), all.slice(older.length))
        expect(recordsOf(body)).toEqual(all)
        expect([...indexBody(body).keys()]).toEqual(all.map(({ info }) => info.id))
      }),
      { numRuns },
    )
  })

  test('without one record has all the others', () => {
    fc.assert(
      fc.property(anyRecords, fc.nat(), (records, pick) => {
        fc.pre(records.length > 0)
        const body = appendRecords(emptyBody, records)
        const gone = records[pick % records.length]
        const start = indexBody(body).get(gone?.info.id ?? '')
        const rest = withoutRecord(body, start ?? -1)
        expect(recordsOf(rest)).toEqual(records.filter(record => record !== gone))
        expect(rest).toEqual(
          appendRecords(
            emptyBody,
            records.filter(record => record !== gone),
          ),
        )
      }),
      { numRuns },
    )
  })

  test('works as a part of a larger buffer', () => {
    const [record] = fc.sample(anyRecord, 1)
    const body = appendRecords(emptyBody, record ? [record] : [])
    const around = Buffer.concat([Buffer.alloc(7, 1), body, Buffer.alloc(7, 1)])
    const view = around.subarray(7, 7 + body.length)
    expect(recordsOf(view)).toEqual(recordsOf(body))
    const [start = -1] = indexBody(view).values()
    expect(withoutRecord(view, start)).toEqual(emptyBody)
  })
})

const id = '00010203-0405-4607-8809-0a0b0c0d0e0f'
const content = Buffer.concat([
  Buffer.from(id.replaceAll('-', ''), 'hex'),
  Buffer.alloc(8),
  Buffer.from('010003425443' + '02000100' + '03000101' + '0800021234', 'hex'),
])

function bodyOf(count: number, ...contents: readonly Uint8Array[]): Buffer {
  const numbers = Buffer.alloc(8)
  numbers.writeUInt32BE(count, 4)
  const records = contents.map(bytes => {
    const length = Buffer.alloc(4)
    length.writeUInt32BE(bytes.length)
    return Buffer.concat([length, bytes])
  })
  return Buffer.concat([numbers, ...records])
}

function readAll(body: Uint8Array): void {
  recordsOf(body)
}

describe('a body by hand', () => {
  // docs/format.md, section 1.3
  test('is read as the format says', () => {
    expect(recordsOf(bodyOf(1, content))).toEqual([
      {
        info: { id, chain: 'BTC', network: 'mainnet', kind: 'key', createdAt: 0 },
        sealedSecret: Buffer.from('1234', 'hex'),
      },
    ])
  })

  const withField = (hex: string) => Buffer.concat([content, Buffer.from(hex, 'hex')])
  const without = (hex: string) => Buffer.from(content.toString('hex').replace(hex, ''), 'hex')
  const refused: readonly (readonly [string, Uint8Array])[] = [
    ['two wallets of one id', bodyOf(2, content, content)],
    ['a field twice', bodyOf(1, withField('01000142'))],
    ['an unknown field twice', bodyOf(1, withField('c80000' + 'c80000'))],
    ['bytes behind the last wallet', Buffer.concat([bodyOf(1, content), Buffer.of(0)])],
    ['more wallets than there are', bodyOf(2, content)],
    ['fewer wallets than there are', bodyOf(1, content, content)],
    ['four billion wallets', bodyOf(0xffffffff, content)],
    ['a wallet too short for its id', bodyOf(1, content.subarray(0, 23))],
    ['a field cut off', bodyOf(1, withField('c80005ff'))],
    ['no chain', bodyOf(1, without('010003425443'))],
    [
      'an empty chain',
      bodyOf(1, Buffer.concat([without('010003425443'), Buffer.from('010000', 'hex')])),
    ],
    ['no network', bodyOf(1, without('02000100'))],
    [
      'an unknown network',
      bodyOf(1, Buffer.from(content.toString('hex').replace('02000100', '02000102'), 'hex')),
    ],
    [
      'an empty kind',
      bodyOf(1, Buffer.from(content.toString('hex').replace('03000101', '030000'), 'hex')),
    ],
    ['no secret', bodyOf(1, without('0800021234'))],
    ['attributes past its end', Buffer.from('ffffffff00000000', 'hex')],
    ['nothing at all', Buffer.alloc(0)],
  ]
  test.each(refused)('is refused with %s', (_, body) => {
    expect(() => readAll(body)).toThrow(refusal('vault-damaged'))
  })

  test('is refused when it ends anywhere', () => {
    const body = bodyOf(1, content)
    for (let length = 0; length < body.length; length++) {
      expect(() => readAll(body.subarray(0, length))).toThrow(refusal('vault-damaged'))
    }
  })

  test('of random bytes is read or refused, never a crash', () => {
    fc.assert(
      fc.property(fc.nat({ max: 3 }), fc.uint8Array({ maxLength: 80 }), (count, tail) => {
        try {
          readAll(Buffer.concat([bodyOf(count), tail]))
        } catch (fault) {
          expect(fault).toBeInstanceOf(KmsError)
          expect(fault).toEqual(refusal('vault-damaged'))
        }
      }),
      { numRuns: numRuns * 10 },
    )
  })

  test('keeps attributes and unknown fields through every rewrite', () => {
    const attributes = Buffer.from('c80005' + '6c61746572', 'hex')
    const strange = withField('c80003' + '77889a')
    const body = Buffer.concat([
      Buffer.of(0, 0, 0, attributes.length),
      attributes,
      bodyOf(1, strange).subarray(4),
    ])
    const added: WalletRecord = {
      info: {
        id: id.replace('0001', 'ffff'),
        chain: 'ETH',
        network: 'testnet',
        kind: 'key',
        createdAt: 1,
      },
      sealedSecret: Buffer.of(1),
    }
    const grown = appendRecords(body, [added])
    expect(Buffer.from(grown).includes(strange)).toBe(true)
    const again = withoutRecord(grown, indexBody(grown).get(added.info.id) ?? -1)
    expect(Buffer.from(again)).toEqual(body)
  })
})

// docs/format.md, section 1.3: each part as length (2) and UTF-8, so that no two wallets share one.
test('what a secret is bound to differs whenever wallet, vault or part does', () => {
  const info = { id, chain: 'BTC', network: 'mainnet', kind: 'key' } as const
  const vaultId = Buffer.alloc(16, 1)
  const aads = [
    recordAad(vaultId, info, 'secret'),
    recordAad(vaultId, info, 'node'),
    recordAad(Buffer.alloc(16, 2), info, 'secret'),
    recordAad(vaultId, { ...info, id: id.replace('0001', '0002') }, 'secret'),
    recordAad(vaultId, { ...info, chain: 'BTCmainnet' }, 'secret'),
    recordAad(vaultId, { ...info, network: 'testnet' }, 'secret'),
    recordAad(vaultId, { ...info, kind: 'mnemonic' }, 'secret'),
  ].map(aad => Buffer.from(aad).toString('hex'))
  expect(new Set(aads).size).toBe(aads.length)
  expect(Buffer.from(recordAad(vaultId, info, 'node')).toString('latin1')).toBe(
    `tatum-kms record${'\x01'.repeat(16)}\0\x24${id}\0\x03BTC\0\x07mainnet\0\x03key\0\x04node`,
  )
})
