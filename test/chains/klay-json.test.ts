import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { klay } from '../../src/chains/klay.ts'
import { type Json, own, pendingOf, slot, thrownBy, to, token } from '../support/evm.ts'
import { expectReasoned, hostileTexts, largeTexts } from '../support/hostile-text.ts'

fc.configureGlobal({ numRuns: Number(process.env['FC_NUM_RUNS'] ?? 100) })

const whole = 'is not a whole number: a JSON integer below 2^53, decimal or 0x hex'
const plain = { to, value: '5', gas: '21000', nonce: 7, gasPrice: '20000000000' }
const typed = { ...plain, type: 'VALUE_TRANSFER', gas: 50_000 }
const execution = { ...typed, type: 'SMART_CONTRACT_EXECUTION', data: '0xaa' }
const memo = { ...typed, type: 'VALUE_TRANSFER_MEMO', data: '0xaa' }
const ratio = { ...typed, type: 'FEE_DELEGATED_VALUE_TRANSFER_WITH_RATIO', feeRatio: 30 }
const { to: _, ...unaddressed } = execution
const deploy = { ...unaddressed, type: 'SMART_CONTRACT_DEPLOY', gas: 100_000 }
const { value: __, ...cancelled } = unaddressed
const { data: ___, ...cancel } = { ...cancelled, type: 'CANCEL' }

describe('a transaction that is not signed, and what its sender is told', () => {
  const { value: _, ...unvalued } = typed
  const { data: __, ...uncalled } = execution
  const { data: ___, ...empty } = deploy
  test.each([
    ['{', 'transaction is not a JSON object'],
    [[plain], 'transaction is not a JSON object'],
    ['{"__proto__":{}}', "transaction has an unknown member '__proto__'"],
    [{ ...plain, feePayer: to }, "transaction has an unknown member 'feePayer'"],
    [{ ...plain, chainId: 1001 }, "chainId is 1001, but this wallet's network has chain id 8217"],
    [
      { ...plain, accessList: [{ address: token, storageKeys: [slot] }] },
      'KLAY takes no accessList and no maxFeePerGas',
    ],
    [{ ...plain, type: '0x2' }, 'type is 2, but the other members make a transaction of type 0'],
    [{ ...plain, type: 'value_transfer' }, `type ${whole}`],
    [{ ...plain, type: 'LEGACY', to: 'x' }, 'to is not 0x and 40 hex digits'],
    ...['ACCOUNT_CREATION', 'CHAIN_DATA_ANCHORING', 'VALUE_TRANSFER_WITH_RATIO', 'TRANSFER'].map(
      type => [{ ...typed, type }, 'type is none of a payment, a call or a cancellation'] as const,
    ),
    [{ ...typed, data: '0x' }, "transaction of type VALUE_TRANSFER has an unknown member 'data'"],
    [
      { ...typed, feeRatio: 30 },
      "transaction of type VALUE_TRANSFER has an unknown member 'feeRatio'",
    ],
    [{ ...cancel, to }, "transaction of type CANCEL has an unknown member 'to'"],
    [{ ...cancel, value: 1 }, "transaction of type CANCEL has an unknown member 'value'"],
    [{ ...typed, to: null }, 'to is not 0x and 40 hex digits'],
    [unaddressed, 'to is not 0x and 40 hex digits'],
    [unvalued, 'value is missing'],
    [uncalled, 'data is missing'],
    [{ ...uncalled, type: 'VALUE_TRANSFER_MEMO' }, 'data is missing'],
    [empty, 'data is missing'],
    [{ ...deploy, data: '0x' }, 'transaction has neither a recipient nor the code of a contract'],
    [{ ...deploy, to }, 'a transaction that creates a contract has a recipient'],
    [{ ...deploy, humanReadable: true }, 'humanReadable is not false'],
    [{ ...deploy, codeFormat: 1 }, 'codeFormat is not EVM'],
    [{ ...execution, input: '0x' }, 'both data and input are given'],
    [{ ...execution, data: 'hello' }, 'data is not bytes in hex'],
    [{ ...memo, data: 7 }, 'data is not bytes in hex'],
    [{ ...memo, data: '0xhello' }, 'data is not bytes in hex'],
    [{ ...memo, data: 'cafe' }, 'data may be hex or text: begin hex with 0x'],
    [{ ...memo, data: '0'.repeat(99) }, 'data may be hex or text: begin hex with 0x'],
    [
      { ...execution, data: '00'.repeat(131_073) },
      'data and accessList hold more than 131072 bytes',
    ],
    ...[0, 100, -1, 1.5, '', null, '0x64', 2 ** 53]
      .map(feeRatio => [{ ...ratio, feeRatio }] as const)
      .map(([json]) => [json, expect.stringMatching(/^feeRatio is not a whole number/)] as const),
    [{ ...ratio, feeRatio: undefined }, 'feeRatio is not a whole number from 1 to 99'],
    ...['-1', -1, 1.5, '1e18', 1e18, '0x', true, {}, [1]].map(
      value => [{ ...typed, value }, `value ${whole}`] as const,
    ),
    [{ ...typed, nonce: '9007199254740992' }, 'nonce is above 9007199254740991'],
    [{ ...typed, gas: `0x1${'0'.repeat(16)}` }, 'gas is above 18446744073709551615'],
    [{ ...typed, gas: 20_999 }, 'gas is 20999, but this transaction needs at least 21000'],
    [{ ...ratio, gas: 35_999 }, 'gas is 35999, but this transaction needs at least 36000'],
    [{ ...cancel, gas: 20_999 }, 'gas is 20999, but this transaction needs at least 21000'],
    [{ ...deploy, gas: 53_015 }, 'gas is 53015, but this transaction needs at least 53016'],
  ] as readonly (readonly [unknown, string])[])('%j: %s', (json, message) => {
    const refusal = thrownBy(() => klay.prepare(pendingOf(klay, json), own, {}))
    expect(refusal.message).toEqual(message)
    expect(refusal.code).toMatch(/^transaction-(malformed|refused)$/)
  })

  test.each([
    'ACCOUNT_UPDATE',
    'FEE_DELEGATED_ACCOUNT_UPDATE',
    'FEE_DELEGATED_ACCOUNT_UPDATE_WITH_RATIO',
  ])('%s is denied, whatever it says', type => {
    const json = { ...typed, type, publicKey: '0x' }
    expect(thrownBy(() => klay.prepare(pendingOf(klay, json), own, {}))).toMatchObject({
      code: 'policy-denied',
      message:
        'an account update replaces the keys of an account: denied unless a policy lifts KLAY.AccountUpdate',
    })
  })

  test.each([
    [{ ...plain, gas: 100_000 }, 0n],
    [{ ...typed, gas: 100_000 }, 0n],
    // The fee payer bears 30 of 100.
    [{ ...ratio, gas: 100_000 }, 30n],
  ])('%j with a fee above 100 coins of ours', (json, share) => {
    const most = (100n * 10n ** 18n * 100n) / (100n - share) / 100_000n
    const prepare = (gasPrice: bigint) =>
      klay.prepare(pendingOf(klay, { ...json, gasPrice: `${gasPrice}` }), own, {})
    expect(prepare(most).intent.fee?.amount).toBeLessThanOrEqual(100n * 10n ** 18n)
    expect(thrownBy(() => prepare(most + 1n))).toMatchObject({ code: 'policy-denied' })
  })
})

describe('the spellings of one transaction', () => {
  test.each([
    ['a legacy one by name', plain, { type: 'LEGACY' }],
    ['a legacy one by number', plain, { type: 0 }],
    ['hex', typed, { value: '0x5', gas: '0xc350', nonce: '0x7', gasPrice: '0x4A817C800' }],
    ['gasLimit for gas', typed, { gas: undefined, gasLimit: '50000' }],
    ['the chain id', typed, { chainId: '0x2019' }],
    ['any sender', typed, { from: to }],
    ['a recipient in capitals', typed, { to: `0x${to.slice(2).toUpperCase()}` }],
    ['input for data', execution, { data: undefined, input: '0xAA' }],
    ['text for data', { ...memo, data: '0x68c3a91f' }, { data: 'h\u00e9\u001f' }],
    ['the only code format', deploy, { to: '0x', humanReadable: false, codeFormat: 'EVM' }],
    ['its number', deploy, { codeFormat: 0 }],
    ['a ratio in hex', ratio, { feeRatio: '0x1e' }],
  ] as readonly (readonly [string, Json, Json])[])('%s', (_name, json, changes) => {
    const { intent, claims, requests } = klay.prepare(pendingOf(klay, json), own, {})
    const same = klay.prepare(pendingOf(klay, { ...json, ...changes }), own, {})
    expect([same.intent, same.claims, same.requests]).toEqual([intent, claims, requests])
  })
})

describe('any text', () => {
  const members = ['type', 'feeRatio', 'senderRawTransaction', 'feePayer', 'codeFormat', 'input']
  test.each([plain, memo, deploy, ratio, cancel])(
    'made of %j is a transaction or a reasoned refusal',
    good => {
      fc.assert(
        fc.property(hostileTexts(good, members), text => {
          expectReasoned(klay, own, text)
        }),
      )
    },
  )

  test.each(largeTexts(memo, 'data'))('of half a megabyte is refused at once', text => {
    expectReasoned(klay, own, text)
  })
})
