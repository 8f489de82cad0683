import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { KmsError } from '../../src/base/errors.ts'
import {
  type FamilyMember,
  family,
  type Json,
  own,
  pendingOf,
  plain,
  slot,
  thrownBy,
  to,
  token,
} from '../support/evm.ts'

fc.configureGlobal({ numRuns: Number(process.env['FC_NUM_RUNS'] ?? 100) })

const mixedCase = '0x687422eEA2cB73B5d3e242bA5456b782919AFc85'

describe.each(family)('a transaction of $id', member => {
  const { chain, id, chainId, feeCap } = member

  describe('is refused, and its sender is told', () => {
    test.each(badInput(member).map(([json, message]) => [message, short(json), json] as const))(
      '%s: %s',
      (message, _text, json) => {
        const refusal = thrownBy(() => chain.review(pendingOf(chain, json), own))
        expect(refusal.message).toBe(message)
        expect(refusal.code).toMatch(/^transaction-(malformed|refused)$/)
      },
    )

    test('that it is for another network', () => {
      const pending = pendingOf(chain, { ...plain, chainId: chainId.testnet })
      expect(thrownBy(() => chain.review(pending, own)).message).toBe(
        `chainId is ${chainId.testnet}, but this wallet's network has chain id ${chainId.mainnet}`,
      )
    })

    test('that it is for another chain', () => {
      for (const other of family.filter(found => found.id !== id)) {
        const pending = pendingOf(chain, { ...plain, chainId: other.chainId.mainnet })
        expect(thrownBy(() => chain.review(pending, own)).code).toBe('transaction-refused')
      }
    })

    test('that its fee is above the limit', () => {
      const cap = feeCap * 10n ** 18n
      const price = cap / 21_000n + 1n
      const pending = pendingOf(chain, { ...plain, gasPrice: price.toString() })
      expect(thrownBy(() => chain.prepare(pending, own, {}))).toMatchObject({
        code: 'policy-denied',
        message: `fee of ${price * 21_000n} ${id} base units is above the limit of ${cap}`,
      })
      const most = pendingOf(chain, { ...plain, gasPrice: (cap / 21_000n).toString() })
      expect(chain.prepare(most, own, {}).intent.fee?.amount).toBeLessThanOrEqual(cap)
    })
  })

  test.each([
    ['numbers', { value: 5, gasLimit: 21_000, nonce: '7', gasPrice: 20_000_000_000 }],
    ['hex', { value: '0x5', gasLimit: '0x5208', nonce: '0x7', gasPrice: '0x4A817C800' }],
    ['the chain id and the type', { chainId: `0x${chainId.mainnet.toString(16)}`, type: 0 }],
    ['gas beside gasLimit', { gas: '99999' }],
    ['a checksummed recipient', { to: mixedCase }],
    ['a recipient in capitals', { to: `0x${to.slice(2).toUpperCase()}` }],
    ['empty data', { data: '0x' }],
    ['empty input', { input: '' }],
    ['a sender', { from: 0 }],
  ] as readonly (readonly [string, Json])[])('is the same with %s', (_name, changes) => {
    const { intent, claims, requests } = chain.prepare(pendingOf(chain, plain), own, {})
    const same = chain.prepare(pendingOf(chain, { ...plain, ...changes }), own, {})
    expect([same.intent, same.claims, same.requests]).toEqual([intent, claims, requests])
  })

  test('is a transaction or a reasoned refusal, whatever the text', () => {
    const check = (serialized: string) => {
      const started = performance.now()
      try {
        chain.prepare(pendingOf(chain, serialized), own, {})
      } catch (thrown) {
        expect(thrown).toBeInstanceOf(KmsError)
      }
      expect(performance.now() - started).toBeLessThan(1_000)
    }
    fc.assert(fc.property(anyText, check), {
      numRuns: 3 * (fc.readConfigureGlobal().numRuns ?? 100),
      examples: hostileTexts.map(text => [text]),
    })
  })
})

/** A transaction, and the sentence that says what is wrong with it. */
type Fault = readonly [json: unknown, message: string]

function badInput({ prefix }: FamilyMember): readonly Fault[] {
  const { gasPrice: _, ...unpriced } = plain
  const { to: __, ...unaddressed } = plain
  const notAnAddress = `is not ${prefix === '0x' ? '0x' : 'xdc or 0x'} and 40 hex digits`
  const wrongChecksum = 'has a wrong checksum: check its capital letters (EIP-55)'
  const accessOf = (entry: unknown) => ({ ...plain, accessList: [entry] })
  return [
    ['', 'transaction is not a JSON object'],
    ['{', 'transaction is not a JSON object'],
    ['null', 'transaction is not a JSON object'],
    [[plain], 'transaction is not a JSON object'],
    [{ ...plain, common: {} }, "transaction has an unknown member 'common'"],
    [{ ...plain, feeCurrency: token }, "transaction has an unknown member 'feeCurrency'"],
    [{ ...plain, [`0x${'5'.repeat(64)}`]: 1 }, 'transaction has an unknown member'],
    [
      JSON.stringify(plain).replace('{', '{"value":"1",'),
      'transaction is malformed: a member is given twice',
    ],
    ['{"__proto__":{}}', "transaction has an unknown member '__proto__'"],
    ...[null, '', 7, [], to.slice(2), `${to}0`, `0x${'g'.repeat(40)}`, `XDC${to.slice(2)}`].map(
      (recipient): Fault => [{ ...plain, to: recipient }, `to ${notAnAddress}`],
    ),
    [{ ...plain, to: 'one1ntqtzz0kj5k4e5uxm0kj5k4e5uxm0kj5k4e5ux' }, `to ${notAnAddress}`],
    [{ ...plain, to: mixedCase.replace('eEA', 'EEA') }, `to ${wrongChecksum}`],
    [unaddressed, 'transaction has neither a recipient nor the code of a contract'],
    [{ ...plain, data: '00'.repeat(131_073) }, 'data and accessList hold more than 131072 bytes'],
    ...['0x0', 'xx', '0xzz', ' 00', 7, null, ['00']].map(
      (data): Fault => [{ ...plain, data }, 'data is not bytes in hex'],
    ),
    [{ ...plain, input: 'xx' }, 'input is not bytes in hex'],
    [{ ...plain, data: '0x', input: '0x' }, 'both data and input are given'],
    ...['value', 'nonce', 'gas', 'gasLimit', 'gasPrice', 'chainId', 'type'].flatMap(badNumbers),
    [{ ...plain, nonce: '9007199254740992' }, 'nonce is above 9007199254740991'],
    [{ ...plain, gas: `0x1${'0'.repeat(16)}` }, 'gas is above 18446744073709551615'],
    [{ ...plain, gasLimit: `0x1${'0'.repeat(16)}` }, 'gasLimit is above 18446744073709551615'],
    [
      { ...plain, maxFeePerGas: 2, maxPriorityFeePerGas: 1 },
      'gasPrice cannot be combined with maxFeePerGas or maxPriorityFeePerGas',
    ],
    [{ ...unpriced, maxFeePerGas: 2 }, 'maxFeePerGas is given without maxPriorityFeePerGas'],
    [
      { ...unpriced, maxPriorityFeePerGas: 2 },
      'maxPriorityFeePerGas is given without maxFeePerGas',
    ],
    [{ ...unpriced, maxFeePerGas: 0, maxPriorityFeePerGas: 0 }, 'maxFeePerGas is 0'],
    [
      { ...unpriced, maxFeePerGas: 1, maxPriorityFeePerGas: 2 },
      'maxPriorityFeePerGas is above maxFeePerGas',
    ],
    [{ ...plain, type: '0x2' }, 'type is 2, but the other members make a transaction of type 0'],
    [
      { ...plain, type: 0, accessList: [] },
      'type is 0, but the other members make a transaction of type 1',
    ],
    [{ ...plain, accessList: {} }, 'accessList is not a list'],
    [accessOf(7), 'accessList[0] is not a JSON object'],
    [
      accessOf({ address: token, storageKeys: [], x: 1 }),
      "accessList[0] has an unknown member 'x'",
    ],
    [accessOf({ address: token }), 'accessList[0].storageKeys is not a list'],
    [accessOf({ address: 'x', storageKeys: [] }), `accessList[0].address ${notAnAddress}`],
    [
      accessOf({ address: token, storageKeys: [slot, '0x07'] }),
      'accessList[0].storageKeys[1] is not 0x and 64 hex digits',
    ],
  ]
}

function badNumbers(name: string): readonly Fault[] {
  const spoilt = ['-1', -1, 1.5, '1.5', '1e18', 1e18, '0x', '0xg', '', ' 1', true, null, {}, [1]]
  return [...spoilt, (2n ** 256n).toString(), '9'.repeat(100_000)].map(value => [
    { ...plain, [name]: value },
    `${name} is not a whole number: a JSON integer below 2^53, decimal or 0x hex`,
  ])
}

function short(json: unknown): string {
  const text = typeof json === 'string' ? json : JSON.stringify(json)
  return text.length > 200 ? `${text.slice(0, 200)}…` : text
}

const member = fc.constantFrom(...Object.keys(plain), 'data', 'input', 'gas', 'accessList', 'type')
const anyText = fc.oneof(
  fc.string(),
  fc.json(),
  fc.object().map(value => JSON.stringify(value)),
  fc.dictionary(member, fc.jsonValue()).map(json => JSON.stringify({ ...plain, ...json })),
  fc.nat(JSON.stringify(plain).length).map(length => JSON.stringify(plain).slice(0, length)),
)
const hostileTexts = [
  '['.repeat(200_000),
  '{"to":'.repeat(100_000),
  `{"accessList":${'['.repeat(50_000)}${']'.repeat(50_000)}}`,
  JSON.stringify({ ...plain, data: '0x'.padEnd(500_000, '0') }),
  JSON.stringify({ ...plain, accessList: Array(9_000).fill({ address: to, storageKeys: [] }) }),
  '"'.repeat(99),
  '9'.repeat(99_999),
  '{"__proto__":{"to":"x"},"constructor":1}',
]

describe('the least gas', () => {
  const shapes = {
    'a payment': {},
    'two bytes of data': { data: '0001' },
    'a new contract': { to: undefined, data: '01'.repeat(33) },
    'an access list': { accessList: [{ address: token, storageKeys: [slot, slot] }] },
  } as const
  type Least = Readonly<Record<keyof typeof shapes, number>>
  const before: Least = {
    'a payment': 21_000,
    'two bytes of data': 21_020,
    'a new contract': 53_528,
    'an access list': 27_200,
  }
  // EIP-7623: 10 for each of the 5 tokens in two bytes, not 4. EIP-3860: 2 for a word of code.
  const today = { ...before, 'two bytes of data': 21_050, 'a new contract': 53_532 }
  const leastOf: Readonly<Record<string, Least>> = { ETH: today, BSC: today, MATIC: today }
  const rows = family.flatMap(({ id, chain }) =>
    Object.entries(shapes).map(([name, changes]) => ({ id, chain, name, changes })),
  )

  test.each(rows)('of $name on $id', ({ id, chain, name, changes }) => {
    const least = (leastOf[id] ?? before)[name as keyof Least]
    const prepare = (gasLimit: number) =>
      chain.prepare(pendingOf(chain, { ...plain, ...changes, gasLimit }), own, {})
    expect(thrownBy(() => prepare(least - 1))).toMatchObject({
      code: 'transaction-refused',
      message: `gas is ${least - 1}, but this transaction needs at least ${least}`,
    })
    expect(prepare(least).requests).toHaveLength(1)
  })
})

describe('the code of a new contract', () => {
  // EIP-3860; Polygon takes more (PIP-30). Elsewhere nothing is refused that a network might take.
  const limits: Readonly<Record<string, number>> = { ETH: 49_152, BSC: 49_152, MATIC: 65_536 }

  test.each(family)('is not too long for $id', ({ id, chain }) => {
    const review = (bytes: number) => {
      const { to: _, ...rest } = plain
      return chain.review(pendingOf(chain, { ...rest, data: '00'.repeat(bytes) }), own)
    }
    const limit = limits[id]
    expect(review(limit ?? 131_072).kind).toBe('contract-creation')
    if (limit === undefined) return
    expect(thrownBy(() => review(limit + 1)).message).toBe(
      `the code of the new contract is longer than ${limit} bytes`,
    )
  })
})
