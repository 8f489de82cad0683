import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { egld } from '../../src/chains/egld.ts'
import { contract, from, good, own, prepareEgld, to } from '../support/egld.ts'
import { type Json, thrownBy } from '../support/evm.ts'
import { expectReasoned, hostileTexts, largeTexts } from '../support/hostile-text.ts'

fc.configureGlobal({ numRuns: Number(process.env['FC_NUM_RUNS'] ?? 100) })

const notDecimal = 'value is not an amount of EGLD: a decimal number such as 0.5'
const notAddress = 'is not an address: erd1 and 58 more letters with a right checksum'
const whole = 'is not a whole number: a JSON integer below 2^53, decimal or 0x hex'

describe('a transaction that is not signed, and what its sender is told', () => {
  test.each([
    ['{', 'transaction is not a JSON object'],
    ['null', 'transaction is not a JSON object'],
    [[good], 'transaction is not a JSON object'],
    ['{"__proto__":{}}', "transaction has an unknown member '__proto__'"],
    [
      JSON.stringify(good).replace('{', '{"value":"1",'),
      'transaction is malformed: a member is given twice',
    ],
    ...['nonce', 'gas', 'chainID', 'version', 'options', 'guardian', 'relayer'].map(
      name => [{ ...good, [name]: 1 }, `transaction has an unknown member '${name}'`] as const,
    ),
    [{ ...good, from: to }, 'from is not the address of the wallet that is to sign'],
    [{ ...good, from: null }, `from ${notAddress}`],
    [{ ...good, from: '' }, `from ${notAddress}`],
    [{ ...good, to: undefined }, 'to is missing'],
    ...[null, 7, '', to.toUpperCase(), `${to} `, to.slice(0, -1), to.replace('erd', 'erb')].map(
      other => [{ ...good, to: other }, `to ${notAddress}`] as const,
    ),
    [{ ...good, to: `${to.slice(0, -1)}${to.endsWith('q') ? 'p' : 'q'}` }, `to ${notAddress}`],
    [{ ...good, to: '0x687422eea2cb73b5d3e242ba5456b782919afc85' }, `to ${notAddress}`],
    ...['', ' 1', '1 ', '1,5', '.5', '5.', '+1', '0x10', 'NaN', '1e', '1e1.5', 'Infinity'].map(
      value => [{ ...good, value }, notDecimal] as const,
    ),
    ...[null, true, {}, [1], '9'.repeat(41), `0.${'0'.repeat(41)}`, '1e1000'].map(
      value => [{ ...good, value }, notDecimal] as const,
    ),
    [JSON.stringify(good).replace('"0.5"', '1e999'), notDecimal],
    ...['-1', '-0.5', -1, -0.5].map(value => [{ ...good, value }, 'value is negative'] as const),
    ...['0.0000000000000000001', '1.0000000000000000001', '1e-19', 1e-19].map(
      value => [{ ...good, value }, 'value has more than 18 decimals'] as const,
    ),
    ...[0.1234567890123456, 1_234_567_890_123_456, 123_456_789_012.3456].map(
      value =>
        [
          { ...good, value },
          'value is a JSON number of more than 15 digits: send it as text',
        ] as const,
    ),
    ...['1000000000.000000000000000001', '1e30', 1e30, '9'.repeat(40), '1e999'].map(
      value => [{ ...good, value }, 'value is more EGLD than there is'] as const,
    ),
    [{ ...good, data: 7 }, 'data is not text'],
    [{ ...good, data: null }, 'data is not text'],
    [{ ...good, data: '\ud800' }, 'data is not text'],
    [{ ...good, data: 'x'.repeat(100_001) }, 'data holds more than 100000 bytes'],
    [{ ...good, gasPrice: '1.5' }, `gasPrice ${whole}`],
    [{ ...good, gasLimit: -1 }, `gasLimit ${whole}`],
  ] as readonly (readonly [unknown, string])[])('%j: %s', (json, message) => {
    const refusal = thrownBy(() => prepareEgld(json))
    expect(refusal.message).toBe(message)
    expect(refusal.code).toMatch(/^transaction-(malformed|refused)$/)
  })

  test.each(['ChangeOwnerAddress@aa', 'ChangeOwnerAddress'])('%s is denied', data => {
    expect(thrownBy(() => prepareEgld({ ...good, to: contract, data }))).toMatchObject({
      code: 'policy-denied',
      message:
        'ChangeOwnerAddress hands a contract over to another owner: denied unless a policy lifts EGLD.ChangeOwnerAddress',
    })
  })
})

describe('an amount is exact', () => {
  test.each([
    [undefined, 0n],
    ['0', 0n],
    [0, 0n],
    ['-0' as unknown, undefined],
    ['1', 10n ** 18n],
    ['0.5', 5n * 10n ** 17n],
    [0.05, 5n * 10n ** 16n],
    [0.1, 10n ** 17n],
    [0.3, 3n * 10n ** 17n],
    [1e-7, 10n ** 11n],
    [1e-18, 1n],
    [1e8, 10n ** 26n],
    ['1e-18', 1n],
    ['1.5E2', 150n * 10n ** 18n],
    ['0001.50', 15n * 10n ** 17n],
    ['0.000000000000000001', 1n],
    ['0.5000000000000000000', 5n * 10n ** 17n],
    [123_456_789.012_345, 123_456_789_012_345n * 10n ** 12n],
    ['1000000000', 10n ** 27n],
  ] as readonly (readonly [unknown, bigint | undefined])[])('%p', (value, amount) => {
    const read = () => prepareEgld({ ...good, value }).intent.outputs[0]?.amount
    if (amount === undefined) expect(read).toThrow('value is negative')
    else expect(read()).toBe(amount)
  })

  test('whatever it is, as text and as a number', () => {
    const digits = fc.integer({ min: 0, max: 10 ** 15 - 1 })
    fc.assert(
      fc.property(digits, fc.integer({ min: 0, max: 18 }), (amount, places) => {
        const padded = `${amount}`.padStart(places + 1, '0')
        const at = padded.length - places
        const text = places === 0 ? padded : `${padded.slice(0, at)}.${padded.slice(at)}`
        const wei = BigInt(amount) * 10n ** BigInt(18 - places)
        if (wei > 10n ** 27n) return
        for (const value of [text, Number(text)]) {
          expect(prepareEgld({ ...good, value }).intent.outputs[0]?.amount).toBe(wei)
        }
      }),
    )
  })
})

describe('the spellings of one transaction', () => {
  test.each([
    ['a number', { value: 0.5 }],
    ['zeros behind it', { value: '0.50' }],
    ['no sender', { from: 0 }],
    ['no sender at all', { from: undefined }],
    ['empty data', { data: '' }],
    ['other guesses', { gasPrice: '5', gasLimit: undefined }],
  ] as readonly (readonly [string, Json])[])('%s', (_name, changes) => {
    const { intent, claims, requests } = prepareEgld(good)
    const same = prepareEgld({ ...good, ...changes })
    expect([same.intent, same.claims, same.requests]).toEqual([intent, claims, requests])
  })
})

describe('any text', () => {
  test('is a transaction or a reasoned refusal, never a crash', () => {
    const members = ['data', 'value', 'to', 'from', 'gasPrice']
    fc.assert(
      fc.property(hostileTexts({ ...good, data: 'ESDTTransfer@aa@01' }, members), text => {
        expectReasoned(egld, own, text)
      }),
    )
  })

  test.each([
    ...largeTexts(good, 'data'),
    ...largeTexts(good, 'value').slice(4),
    ...largeTexts(good, 'to').slice(4),
    JSON.stringify({ from, to, data: '@'.repeat(90_000) }),
    JSON.stringify({ from, to: from, data: `MultiESDTNFTTransfer@${'00'.repeat(32)}@ffff@` }),
    JSON.stringify({
      from,
      to: from,
      data: `MultiESDTNFTTransfer@${'00'.repeat(32)}@64${'@aa@01@01'.repeat(9_000)}`,
    }),
  ])('of half a megabyte is refused at once', text => {
    expectReasoned(egld, own, text)
  })
})
