import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { KmsError } from '../../src/base/errors.ts'
import { eth } from '../../src/chains/eth.ts'
import { type Json, own, pendingOf, plain, slot, thrownBy, to, token } from '../support/evm.ts'

fc.configureGlobal({ numRuns: Number(process.env['FC_NUM_RUNS'] ?? 100) })

const mixedCase = '0x687422eEA2cB73B5d3e242bA5456b782919AFc85'

describe('a transaction that is not signed, and what its sender is told', () => {
  const { gasPrice: _, ...unpriced } = plain
  const { to: __, ...unaddressed } = plain
  test.each([
    ['{', 'transaction is not a JSON object'],
    ['null', 'transaction is not a JSON object'],
    [[plain], 'transaction is not a JSON object'],
    [{ ...plain, common: {} }, "transaction has an unknown member 'common'"],
    [{ ...plain, [`0x${'5'.repeat(64)}`]: 1 }, 'transaction has an unknown member'],
    [
      JSON.stringify(plain).replace('{', '{"value":"1",'),
      'transaction is malformed: a member is given twice',
    ],
    ['{"__proto__":{}}', "transaction has an unknown member '__proto__'"],
    [
      { ...plain, chainId: 11_155_111 },
      "chainId is 11155111, but this wallet's network has chain id 1",
    ],
    [{ ...plain, to: null }, 'to is not 0x and 40 hex digits'],
    [{ ...plain, to: '' }, 'to is not 0x and 40 hex digits'],
    [{ ...plain, to: to.slice(2) }, 'to is not 0x and 40 hex digits'],
    [
      { ...plain, to: 'one1ntqtzz0kj5k4e5uxm0kj5k4e5uxm0kj5k4e5ux' },
      'to is not 0x and 40 hex digits',
    ],
    [
      { ...plain, to: mixedCase.replace('eEA', 'EEA') },
      'to has a wrong checksum: check its capital letters (EIP-55)',
    ],
    [unaddressed, 'transaction has neither a recipient nor the code of a contract'],
    [
      { ...unaddressed, data: '00'.repeat(49_153) },
      'the code of the new contract is longer than 49152 bytes',
    ],
    [{ ...plain, data: '00'.repeat(131_073) }, 'data and accessList hold more than 131072 bytes'],
    [{ ...plain, data: '0x0' }, 'data is not bytes in hex'],
    [{ ...plain, data: 7 }, 'data is not bytes in hex'],
    [{ ...plain, input: 'xx' }, 'input is not bytes in hex'],
    [{ ...plain, data: '0x', input: '0x' }, 'both data and input are given'],
    ...['-1', -1, 1.5, '1.5', '1e18', 1e18, '0x', '0xg', '', ' 1', true, null, {}, [1]].map(
      value =>
        [
          { ...plain, value },
          'value is not a whole number: a JSON integer below 2^53, decimal or 0x hex',
        ] as const,
    ),
    [
      { ...plain, value: (2n ** 256n).toString() },
      'value is not a whole number: a JSON integer below 2^53, decimal or 0x hex',
    ],
    [{ ...plain, nonce: '9007199254740992' }, 'nonce is above 9007199254740991'],
    [{ ...plain, gas: `0x1${'0'.repeat(16)}` }, 'gas is above 18446744073709551615'],
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
    [{ ...plain, accessList: [7] }, 'accessList[0] is not a JSON object'],
    [{ ...plain, accessList: [{ address: token }] }, 'accessList[0].storageKeys is not a list'],
    [
      { ...plain, accessList: [{ address: 'x', storageKeys: [] }] },
      'accessList[0].address is not 0x and 40 hex digits',
    ],
    [
      { ...plain, accessList: [{ address: token, storageKeys: [slot, '0x07'] }] },
      'accessList[0].storageKeys[1] is not 0x and 64 hex digits',
    ],
  ] as readonly (readonly [unknown, string])[])('%j: %s', (json, message) => {
    const refusal = thrownBy(() => eth.review(pendingOf(eth, json), own))
    expect(refusal.message).toBe(message)
    expect(refusal.code).toMatch(/^transaction-(malformed|refused)$/)
  })

  test.each([
    [{ gas: 20_999 }, 'gas is 20999, but this transaction needs at least 21000'],
    [{ data: '0001', gas: 21_049 }, 'gas is 21049, but this transaction needs at least 21050'],
    [
      { to: undefined, data: '01'.repeat(33), gas: 1 },
      'gas is 1, but this transaction needs at least 53532',
    ],
    [
      { accessList: [{ address: token, storageKeys: [slot, slot] }], gas: 27_199 },
      'gas is 27199, but this transaction needs at least 27200',
    ],
  ] as readonly (readonly [Json, string])[])('%j is too little: %s', (changes, message) => {
    const pending = pendingOf(eth, { ...plain, ...changes })
    expect(thrownBy(() => eth.prepare(pending, own, {})).message).toBe(message)
  })

  test('a fee above one coin is not paid without a policy that says so', () => {
    const pending = pendingOf(eth, { ...plain, gasPrice: '47619047619048' })
    expect(thrownBy(() => eth.prepare(pending, own, {}))).toMatchObject({
      code: 'policy-denied',
      message:
        'fee of 1000000000000008000 ETH base units is above the limit of 1000000000000000000',
    })
  })
})

describe('the spellings of one transaction', () => {
  test.each([
    ['numbers', { value: 5, gas: 21_000, nonce: '7', gasPrice: 20_000_000_000 }],
    ['hex', { value: '0x5', gas: '0x5208', nonce: '0x7', gasPrice: '0x4A817C800' }],
    ['the chain id and the type', { chainId: '0x1', type: 0 }],
    ['gasLimit instead of gas', { gas: undefined, gasLimit: '21000' }],
    ['gasLimit over gas', { gas: '99999', gasLimit: '0x5208' }],
    ['a checksummed recipient', { to: mixedCase }],
    ['a recipient in capitals', { to: `0x${to.slice(2).toUpperCase()}` }],
    ['empty data', { data: '0x' }],
    ['empty input', { input: '' }],
    ['a sender', { from: 0 }],
  ] as readonly (readonly [string, Json])[])('%s', (_name, changes) => {
    const { intent, claims, requests } = eth.prepare(pendingOf(eth, plain), own, {})
    const same = eth.prepare(pendingOf(eth, { ...plain, ...changes }), own, {})
    expect([same.intent, same.claims, same.requests]).toEqual([intent, claims, requests])
  })
})

describe('any text', () => {
  const member = fc.constantFrom(
    ...Object.keys(plain),
    'data',
    'input',
    'gasLimit',
    'accessList',
    'type',
  )
  const text = fc.oneof(
    fc.string(),
    fc.json(),
    fc.object().map(value => JSON.stringify(value)),
    fc.dictionary(member, fc.jsonValue()).map(json => JSON.stringify({ ...plain, ...json })),
    fc.constantFrom(
      '['.repeat(200_000),
      `{"to":`.repeat(100_000),
      '"'.repeat(99),
      '9'.repeat(99_999),
    ),
  )

  test('is a transaction or a reasoned refusal, never a crash', () => {
    const check = (serialized: string) => {
      const pending = pendingOf(eth, serialized)
      const attempt = () => eth.prepare(pending, own, {})
      try {
        attempt()
      } catch (thrown) {
        expect(thrown).toBeInstanceOf(KmsError)
      }
    }
    fc.assert(fc.property(text, check), { numRuns: 5 * (fc.readConfigureGlobal().numRuns ?? 100) })
  })
})
