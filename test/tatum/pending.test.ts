import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { KmsError } from '../../src/base/errors.ts'
import { parsePending, pendingId } from '../../src/tatum/pending.ts'
import btcCases from '../vectors/sign/BTC.json' with { type: 'json' }
import ethCases from '../vectors/sign/ETH.json' with { type: 'json' }

const numRuns = Number(process.env['FC_NUM_RUNS'] ?? 100)
const wallet = '63dde41a-ad9c-4b4b-a697-16af06cd976c'
const plain = {
  id: '85549f1ff3dd357c69b03e19',
  chain: 'ETH',
  serializedTransaction: '{}',
  hashes: [wallet],
}

function refusal(value: unknown): KmsError {
  try {
    parsePending(value)
  } catch (thrown) {
    if (thrown instanceof KmsError) return thrown
    throw thrown
  }
  throw new Error('it was accepted')
}

describe('recorded transactions', () => {
  const cases = [...btcCases, ...ethCases].map(({ chain, network, case: name, pending }) => ({
    name: `${chain} ${network} ${name}`,
    pending,
  }))

  test.each(cases)('$name is read as it is', ({ pending }) => {
    const { withdrawalResponses, ...rest } = { signatures: [], ...pending } as Record<
      string,
      unknown
    >
    expect(parsePending(pending)).toMatchObject(rest)
    expect(parsePending(pending).withdrawalResponses?.length).toBe(
      (withdrawalResponses as unknown[] | undefined)?.length,
    )
  })

  test('inputs of a virtual account keep what derivation needs', () => {
    const found = btcCases.find(({ case: name }) => name === 'offchain-3in-change-last')
    expect(parsePending(found?.pending).withdrawalResponses?.slice(2)).toEqual([
      {
        vIn: 'c94c02cb94444cac2a2ea0fb3c9152a0f4f84715a0566eacce7344eb9425ab55',
        vInIndex: 0,
        derivationKey: 1,
      },
      { vIn: '-1', vInIndex: -1 },
    ])
  })
})

describe('what is tolerated', () => {
  test('unknown members are dropped', () => {
    expect(parsePending({ ...plain, txId: 'x', extra: { deep: [] } })).toEqual({
      ...plain,
      signatures: [],
    })
  })

  test('null is how an optional member is absent', () => {
    const nulls = { signatures: null, index: null, withdrawalId: null, withdrawalResponses: null }
    expect(parsePending({ ...plain, ...nulls })).toEqual({ ...plain, signatures: [] })
  })

  test('wallet ids become lower case', () => {
    const upper = wallet.toUpperCase()
    const { hashes, signatures } = parsePending({
      ...plain,
      hashes: [upper],
      signatures: [{ id: upper, index: 3 }],
    })
    expect({ hashes, signatures }).toEqual({
      hashes: [wallet],
      signatures: [{ id: wallet, index: 3 }],
    })
  })

  test('__proto__ is a name like any other', () => {
    const text = `{"__proto__":{"index":7,"withdrawalId":"x"},"constructor":1,${JSON.stringify(plain).slice(1)}`
    expect(parsePending(JSON.parse(text))).toEqual({ ...plain, signatures: [] })
    expect(parsePending({ ...plain, id: '__proto__' }).id).toBe('__proto__')
    expect(pendingId(JSON.parse('{"__proto__":{"id":"a"}}'))).toBeUndefined()
    expect(({} as Record<string, unknown>)['index']).toBeUndefined()
  })

  test('the largest of everything', () => {
    const largest = {
      ...plain,
      id: 'a'.repeat(100),
      serializedTransaction: 'x'.repeat(1_000_000),
      hashes: Array.from({ length: 10_000 }, () => wallet),
      signatures: [{ id: wallet, index: 2 ** 31 - 1 }],
      index: 2 ** 31 - 1,
      withdrawalId: 'w'.repeat(100),
    }
    expect(parsePending(largest)).toEqual(largest)
  })
})

describe('what is refused', () => {
  const wrong: readonly (readonly [what: string, change: Record<string, unknown>])[] = [
    ['no id', { id: undefined }],
    ['null for an id', { id: null }],
    ['an empty id', { id: '' }],
    ['a number for an id', { id: 7 }],
    ['an id that climbs', { id: '../vault' }],
    ['an id with a line break', { id: 'a\n' }],
    ['an id of 101 characters', { id: 'a'.repeat(101) }],
    ['no chain', { chain: undefined }],
    ['a chain with a slash', { chain: 'ETH/x' }],
    ['no serialized transaction', { serializedTransaction: null }],
    ['an object for a serialized transaction', { serializedTransaction: {} }],
    ['a serialized transaction that is too long', { serializedTransaction: 'x'.repeat(1_000_001) }],
    ['no hashes', { hashes: null }],
    ['text for hashes', { hashes: wallet }],
    ['an object for hashes', { hashes: { 0: wallet, length: 1 } }],
    ['too many hashes', { hashes: Array.from({ length: 10_001 }, () => wallet) }],
    ['a hash that is no uuid', { hashes: [wallet, '__proto__'] }],
    ['a hash that is null', { hashes: [null] }],
    ['a hash with a line break', { hashes: [`${wallet}\n`] }],
    ['a list in place of signatures members', { signatures: [[wallet, 1]] }],
    ['a signature without an index', { signatures: [{ id: wallet }] }],
    ['a signature with a hardened index', { signatures: [{ id: wallet, index: 2 ** 31 }] }],
    ['a negative index', { index: -1 }],
    ['a hardened index', { index: 2 ** 31 }],
    ['an index that is not whole', { index: 0.5 }],
    ['an index that is not a number', { index: Number.NaN }],
    ['an index in text', { index: '1' }],
    ['an empty withdrawal id', { withdrawalId: '' }],
    ['a long withdrawal id', { withdrawalId: 'w'.repeat(101) }],
    ['a withdrawal input that is null', { withdrawalResponses: [null] }],
    ['a withdrawal input without vIn', { withdrawalResponses: [{ vInIndex: 0 }] }],
    ['a number for vIn', { withdrawalResponses: [{ vIn: -1 }] }],
    ['a vInIndex in text', { withdrawalResponses: [{ vIn: 'a', vInIndex: '0' }] }],
    ['text for an address', { withdrawalResponses: [{ vIn: 'a', address: 'b' }] }],
    [
      'a hardened derivation key',
      { withdrawalResponses: [{ vIn: 'a', address: { derivationKey: 2 ** 31 } }] },
    ],
  ]

  test.each(wrong)('%s', (_, change) => {
    const { code, message } = refusal({ ...plain, ...change })
    expect(code).toBe('transaction-malformed')
    expect(message).toStartWith('pending transaction is malformed: its member ')
  })

  test('anything but an object', () => {
    for (const value of [undefined, null, 0, '', 'text', [], [plain], true]) {
      expect(refusal(value).code).toBe('transaction-malformed')
      expect(pendingId(value)).toBeUndefined()
    }
  })

  test('whatever JSON holds is read or refused, never a crash', () => {
    const member = fc.constantFrom(
      ...Object.keys(plain),
      'signatures',
      'index',
      'withdrawalResponses',
    )
    const change = fc.dictionary(member, fc.jsonValue())
    fc.assert(
      fc.property(
        fc.oneof(
          fc.jsonValue(),
          change.map(some => ({ ...plain, ...some })),
        ),
        value => {
          try {
            parsePending(value)
          } catch (thrown) {
            expect(thrown).toMatchObject({ name: 'KmsError', code: 'transaction-malformed' })
          }
        },
      ),
      { numRuns },
    )
  })

  test('what was read is read again as the same', () => {
    const uuid = fc.uuid()
    const index = fc.nat({ max: 2 ** 31 - 1 })
    const read = fc.record(
      {
        id: fc.stringMatching(/^[\w-]{1,100}$/),
        chain: fc.constantFrom('BTC', 'ETH'),
        serializedTransaction: fc.string(),
        hashes: fc.array(uuid),
        signatures: fc.array(fc.record({ id: uuid, index })),
        index,
        withdrawalId: fc.string({ minLength: 1, maxLength: 100 }),
      },
      { requiredKeys: ['id', 'chain', 'serializedTransaction', 'hashes', 'signatures'] },
    )
    fc.assert(
      fc.property(read, tx => expect(parsePending(JSON.parse(JSON.stringify(tx)))).toEqual(tx)),
      { numRuns },
    )
  })
})

describe('a malformed transaction', () => {
  test('is still known by its id', () => {
    expect(pendingId({ id: plain.id, hashes: 7 })).toBe(plain.id)
  })

  test('is not when the id is what is wrong', () => {
    expect(pendingId({ ...plain, id: '../x' })).toBeUndefined()
  })

  test('is not quoted in the refusal', () => {
    const { message } = refusal({ ...plain, hashes: ['PAYLOAD'], serializedTransaction: 'PAYLOAD' })
    expect(message).toBe(
      'pending transaction is malformed: its member hashes is missing or of the wrong form',
    )
  })
})
