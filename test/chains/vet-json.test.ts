import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { vet } from '../../src/chains/vet.ts'
import { from, type Json, key, own, ownOf, pendingOf, thrownBy, to } from '../support/evm.ts'
import { expectReasoned, hostileTexts, largeTexts } from '../support/hostile-text.ts'

fc.configureGlobal({ numRuns: Number(process.env['FC_NUM_RUNS'] ?? 100) })

const good = { from, to, value: '5' }
const completion = { gas: '21000', blockRef: '0x00dd2a5f4a4f9a8b' }
const whole = 'is not a whole number: a JSON integer below 2^53, decimal or 0x hex'
const hash = `0x${'ab'.repeat(32)}`

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
    ...['gasPrice', 'gasLimit', 'clauses', 'chainId', 'input', 'delegator'].map(
      name => [{ ...good, [name]: '0x1' }, `transaction has an unknown member '${name}'`] as const,
    ),
    [{ ...good, 'a b': 1 }, 'transaction has an unknown member'],
    [{ ...good, from: to }, 'from is not the address of the wallet that is to sign'],
    [{ ...good, from: null }, 'from is not 0x and 40 hex digits'],
    [{ ...good, from: '' }, 'from is not 0x and 40 hex digits'],
    [{ ...good, to: null }, 'to is not 0x and 40 hex digits'],
    [{ ...good, to: to.slice(2) }, 'to is not 0x and 40 hex digits'],
    [
      { ...good, to: to.replace('eea', 'Eea') },
      'to has a wrong checksum: check its capital letters (EIP-55)',
    ],
    [unaddressed, 'transaction has neither a recipient nor the code of a contract'],
    [{ ...good, data: '0x0' }, 'data is not bytes in hex'],
    [{ ...good, data: 7 }, 'data is not bytes in hex'],
    [{ ...good, data: '00'.repeat(64_001) }, 'data holds more than 64000 bytes'],
    ...['-1', -1, 1.5, '1.5', '1e18', 1e18, '0x', '', ' 1', true, null, {}, [1], 2 ** 53].map(
      value => [{ ...good, value }, `value ${whole}`] as const,
    ),
    [{ ...good, value: `0x1${'0'.repeat(64)}` }, `value ${whole}`],
    [{ ...good, nonce: 2 ** 64 }, `nonce ${whole}`],
    [{ ...good, nonce: `0x1${'0'.repeat(16)}` }, 'nonce is above 18446744073709551615'],
    [{ ...good, gas: -1 }, `gas ${whole}`],
    [{ ...good, gas: '9007199254740992' }, 'gas is above 9007199254740991'],
    [{ ...good, gasPriceCoef: 256 }, 'gasPriceCoef is above 255'],
    [{ ...good, gasPriceCoef: -1 }, `gasPriceCoef ${whole}`],
    [{ ...good, expiration: 8_641 }, 'expiration is 8641 blocks, more than the 8640 of 24 hours'],
    [{ ...good, expiration: 0.5 }, `expiration ${whole}`],
    [{ ...good, chainTag: 0x27 }, "chainTag is 39, but this wallet's network has chain tag 74"],
    [{ ...good, chainTag: '0x27' }, "chainTag is 39, but this wallet's network has chain tag 74"],
    [{ ...good, chainTag: 256 }, 'chainTag is above 255'],
    [{ ...good, blockRef: '0x1' }, 'blockRef is not 0x and 16 hex digits'],
    [{ ...good, blockRef: hash }, 'blockRef is not 0x and 16 hex digits'],
    [{ ...good, blockRef: 7 }, 'blockRef is not 0x and 16 hex digits'],
    [{ ...good, dependsOn: hash.slice(2) }, 'dependsOn is not 0x and 64 hex digits'],
    [{ ...good, dependsOn: '' }, 'dependsOn is not 0x and 64 hex digits'],
  ] as readonly (readonly [unknown, string])[])('%j: %s', (json, message) => {
    const refusal = thrownBy(() => vet.prepare(pendingOf(vet, json), own, completion))
    expect(refusal.message).toBe(message)
    expect(refusal.code).toMatch(/^transaction-(malformed|refused)$/)
  })

  test('a chain tag is that of the network of the wallet', () => {
    const pending = pendingOf(vet, { ...good, chainTag: 0x27 })
    const prepared = vet.prepare(pending, ownOf(key, 'testnet'), completion)
    expect(prepared.requests).toHaveLength(1)
  })
})

describe('the spellings of one transaction', () => {
  test.each([
    ['numbers', { value: 5 }],
    ['hex', { value: '0x05' }],
    ['no sender', { from: 0 }],
    ['no sender at all', { from: undefined }],
    ['a recipient in capitals', { to: `0x${to.slice(2).toUpperCase()}` }],
    ['empty data', { data: '0x' }],
    ['the chain tag', { chainTag: '0x4a' }],
    ['zeros, which count as nothing', { gasPriceCoef: 0, expiration: 0, chainTag: 0, nonce: 0 }],
    ['nothing to depend on', { dependsOn: null, blockRef: null }],
    ['gas, which is asked for anew', { gas: 99_999 }],
  ] as readonly (readonly [string, Json])[])('%s', (_name, changes) => {
    const { intent, requests } = vet.prepare(pendingOf(vet, good), own, completion)
    const same = vet.prepare(pendingOf(vet, { ...good, ...changes }), own, completion)
    expect([same.intent, same.requests]).toEqual([intent, requests])
  })
})

describe('any text', () => {
  const members = ['data', 'nonce', 'gas', 'gasPriceCoef', 'expiration', 'dependsOn', 'blockRef']

  test('is a transaction or a reasoned refusal, never a crash', () => {
    fc.assert(
      fc.property(hostileTexts(good, members), text => {
        expectReasoned(vet, own, text)
      }),
    )
  })

  test.each(largeTexts(good, 'data'))('of half a megabyte is refused at once', text => {
    expectReasoned(vet, own, text)
  })
})
