import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { celo } from '../../src/chains/celo.ts'
import { from, type Json, own, pendingOf, thrownBy, to } from '../support/evm.ts'
import { expectReasoned, hostileTexts, largeTexts } from '../support/hostile-text.ts'

fc.configureGlobal({ numRuns: Number(process.env['FC_NUM_RUNS'] ?? 100) })

const cusd = '0x765de816845861e75a25fca122bb6898b8b1282a'
const good = { to, value: '5', gasLimit: '0x5208', nonce: 7, gasPrice: '0x12a05f200' }
const whole = 'is not a whole number: a JSON integer below 2^53, decimal or 0x hex'

describe('a transaction that is not signed, and what its sender is told', () => {
  const { to: _, ...unaddressed } = good
  test.each([
    ['{', 'transaction is not a JSON object'],
    ['null', 'transaction is not a JSON object'],
    [[good], 'transaction is not a JSON object'],
    ['{"__proto__":{}}', "transaction has an unknown member '__proto__'"],
    [
      JSON.stringify(good).replace('{', '{"value":"1",'),
      'transaction is malformed: a member is given twice',
    ],
    ...['gas', 'type', 'input', 'maxFeePerGas', 'gatewayFee', 'gatewayFeeRecipient'].map(
      name => [{ ...good, [name]: '0x1' }, `transaction has an unknown member '${name}'`] as const,
    ),
    [
      { ...good, chainId: 44_787 },
      "chainId is 44787, but this wallet's network has chain id 42220",
    ],
    [{ ...good, chainId: '1' }, "chainId is 1, but this wallet's network has chain id 42220"],
    [{ ...good, chainId: null }, `chainId ${whole}`],
    [{ ...good, from: to }, 'from is not the address of the wallet that is to sign'],
    [{ ...good, from: 0 }, 'from is not 0x and 40 hex digits'],
    [{ ...good, to: null }, 'to is not 0x and 40 hex digits'],
    [{ ...good, to: to.slice(2) }, 'to is not 0x and 40 hex digits'],
    [
      { ...good, to: to.replace('eea', 'Eea') },
      'to has a wrong checksum: check its capital letters (EIP-55)',
    ],
    [{ ...good, feeCurrency: null }, 'feeCurrency is not 0x and 40 hex digits'],
    [{ ...good, feeCurrency: 'cUSD' }, 'feeCurrency is not 0x and 40 hex digits'],
    [{ ...good, feeCurrency: '0x' }, 'feeCurrency is not 0x and 40 hex digits'],
    [unaddressed, 'transaction has neither a recipient nor the code of a contract'],
    [{ ...good, data: '0x0' }, 'data is not bytes in hex'],
    [{ ...good, data: 7 }, 'data is not bytes in hex'],
    [{ ...good, data: '00'.repeat(131_073) }, 'data and accessList hold more than 131072 bytes'],
    ...['-1', -1, 1.5, '1.5', '1e18', 1e18, '0x', '', ' 1', true, null, {}, [1]].map(
      value => [{ ...good, value }, `value ${whole}`] as const,
    ),
    [{ ...good, nonce: '9007199254740992' }, 'nonce is above 9007199254740991'],
    [{ ...good, gasLimit: `0x1${'0'.repeat(16)}` }, 'gasLimit is above 18446744073709551615'],
    [{ ...good, gasPrice: -1 }, `gasPrice ${whole}`],
    [{ ...good, gasLimit: 20_999 }, 'gasLimit is 20999, but this transaction needs at least 21000'],
  ] as readonly (readonly [unknown, string])[])('%j: %s', (json, message) => {
    const refusal = thrownBy(() => celo.prepare(pendingOf(celo, json), own, {}))
    expect(refusal.message).toBe(message)
    expect(refusal.code).toMatch(/^transaction-(malformed|refused)$/)
  })

  test.each([
    [undefined, 'CELO'],
    [cusd, `CELO:${cusd}`],
  ])('a fee above 100 coins is not paid without a policy, of %p too', (feeCurrency, asset) => {
    const pending = pendingOf(celo, { ...good, feeCurrency, gasPrice: '4761904761904762' })
    expect(thrownBy(() => celo.prepare(pending, own, {}))).toMatchObject({
      code: 'policy-denied',
      message: `fee of 100000000000000002000 ${asset} base units is above the limit of 100000000000000000000`,
    })
  })
})

describe('the spellings of one transaction', () => {
  test.each([
    ['numbers', { value: 5, gasLimit: 21_000, nonce: '7', gasPrice: 5_000_000_000 }],
    ['decimal text', { gasLimit: '21000', gasPrice: '5000000000' }],
    ['hex', { value: '0x05', nonce: '0x7', gasPrice: '0x12A05F200' }],
    ['the chain id', { chainId: '0xa4ec' }],
    ['the wallet as sender', { from }],
    ['a recipient in capitals', { to: `0x${to.slice(2).toUpperCase()}` }],
    ['empty data', { data: '0x' }],
  ] as readonly (readonly [string, Json])[])('%s', (_name, changes) => {
    const { intent, claims, requests } = celo.prepare(pendingOf(celo, good), own, {})
    const same = celo.prepare(pendingOf(celo, { ...good, ...changes }), own, {})
    expect([same.intent, same.claims, same.requests]).toEqual([intent, claims, requests])
  })
})

describe('any text', () => {
  test('is a transaction or a reasoned refusal, never a crash', () => {
    const texts = hostileTexts({ ...good, feeCurrency: cusd }, ['from', 'chainId', 'data'])
    fc.assert(
      fc.property(texts, text => {
        expectReasoned(celo, own, text)
      }),
    )
  })

  test.each(largeTexts(good, 'data'))('of half a megabyte is refused at once', text => {
    expectReasoned(celo, own, text)
  })
})
