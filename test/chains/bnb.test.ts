import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { KmsError } from '../../src/base/errors.ts'
import { bnb } from '../../src/chains/bnb.ts'
import { parsePending } from '../../src/tatum/pending.ts'
import { bech32Of } from '../support/bech32.ts'
import {
  coins,
  completion,
  completions,
  jsonOf,
  own,
  owner,
  payment,
  prepare,
  sign,
  somebody,
  transfers,
} from '../support/bnb.ts'
import { readBnb } from '../support/bnb-reader.ts'
import { ownOf, pendingOf, privateKeyOf, readsFrom, signAll } from '../support/evm.ts'
import { settleBnb } from '../support/fake-chains/bnb.ts'
import { leavesOf, replaceAt } from '../support/json-tree.ts'
import { keysOf } from '../support/mnemonic-keys.ts'
import { recordedCases } from '../support/recorded-cases.ts'

fc.configureGlobal({ numRuns: Number(process.env['FC_NUM_RUNS'] ?? 100) })

const recorded = recordedCases('BNB')
const warnings: string[] = []
const path = `/v3/bnb/account/${owner}`
const signal = new AbortController().signal

function reads(answer: unknown, next?: bigint) {
  const answered = readsFrom({ [path]: answer }, next)
  return { ...answered, warn: (event: string) => void warnings.push(event) }
}

describe('every recorded payment', () => {
  test.each(recorded.map(found => [found.case, found] as const))(
    '%s is signed byte for byte, with the account number and sequence of the API',
    async (_, { pending: given, wallets, network, http, expected }) => {
      const pending = parsePending({ chain: 'BNB', ...given })
      const [wallet = { chain: 'BNB', testnet: false }] = Object.values(wallets)
      const key = privateKeyOf(bnb, wallet, network)
      const answers = http.map(({ request, response }) => [request.replace('GET ', ''), response])
      const api = { ...readsFrom(Object.fromEntries(answers)), warn: () => {} }
      const added = await bnb.complete(pending, ownOf(key, network), api, signal)
      const prepared = bnb.prepare(pending, ownOf(key, network), added)
      const { txData, txId } = prepared.seal(signAll(prepared, key))
      expect(txData).toBe(expected.txData ?? '')
      expect<unknown>(bnb.broadcast(pending, txData)).toEqual(expected.broadcast)
      const prefix = network === 'testnet' ? 'tbnb' : 'bnb'
      expect(settleBnb(readBnb(txData, prefix), pending, network).txId).toBe(txId)
    },
  )
})

test('a mnemonic has the addresses of wallet-core', async () => {
  // trustwallet/wallet-core, CoinAddressDerivationTests.kt
  const mnemonic =
    'shoot island position soft burden budget tooth cruel issue economy destroy above'
  const [first] = await keysOf(bnb, 'mainnet', mnemonic, [0])
  expect(first?.address).toBe('bnb12vtaxl9952zm6rwf7v8jerq74pvaf77fcmvzhw')
})

describe('an intent', () => {
  test('names the recipient with the memo that says whose money it is', () => {
    const { intent, claims } = prepare(jsonOf(payment))
    expect(intent).toEqual({
      kind: 'transfer',
      from: [owner],
      outputs: [{ to: `${somebody}?memo=12345`, amount: 150_000_000n, asset: 'BNB', own: false }],
      fee: { amount: 37_500n, asset: 'BNB' },
    })
    expect(claims).toEqual([`nonce/${owner}/5`])
  })

  test('has one output and one fee for each coin that somebody gets', () => {
    const busd = { denom: 'BUSD-BD1', amount: 7 }
    const { intent } = prepare(
      jsonOf({
        inputs: [{ address: owner, coins: [...coins, busd] }],
        outputs: [
          { address: somebody, coins },
          { address: owner, coins: [busd] },
        ],
        memo: 'a&b=c\u202e',
      }),
    )
    const memo = '?memo=a%26b%3Dc%E2%80%AE'
    expect(intent).toMatchObject({
      kind: 'token-transfer',
      outputs: [
        { to: `${somebody}${memo}`, amount: 150_000_000n, asset: 'BNB', own: false },
        { to: `${owner}${memo}`, amount: 7n, asset: 'BNB:BUSD-BD1', own: true },
      ],
      fee: { amount: 75_000n },
    })
  })
})

describe('account number and sequence', () => {
  const pending = pendingOf(bnb, jsonOf(payment))

  test.each<[unknown, bigint | undefined, typeof completion]>([
    [{ account_number: 12, sequence: 5 }, undefined, completion],
    [{ account_number: 0, sequence: 0 }, undefined, { account_number: '0', sequence: '0' }],
    [{ account_number: 12, sequence: 5 }, 4n, completion],
    [{ account_number: 12, sequence: 5 }, 9n, { account_number: '12', sequence: '9' }],
  ])('%j, of our own %p, is %j, with a warning', async (answer, next, added) => {
    warnings.length = 0
    expect(await bnb.complete(pending, own, reads(answer, next), signal)).toEqual(added)
    expect(warnings).toEqual(['chain is retired'])
  })

  test.each([
    null,
    [],
    {},
    'x',
    { account_number: 1 },
    { sequence: 1 },
    { account_number: '1', sequence: 1 },
    { account_number: 1, sequence: -1 },
    { account_number: 0.5, sequence: 1 },
    { account_number: 2 ** 53, sequence: 1 },
  ])('%j is no answer', async answer => {
    const asked = bnb.complete(pending, own, reads(answer), signal)
    await expect(asked).rejects.toMatchObject({ code: 'network' })
  })

  test.each<Readonly<Record<string, string>>>([
    {},
    { account_number: '12' },
    { sequence: '5' },
    { ...completion, memo: 'x' },
    { ...completion, sequence: '' },
    { ...completion, sequence: '-1' },
    { ...completion, sequence: '05' },
    { ...completion, sequence: '0x5' },
    { ...completion, sequence: '9007199254740992' },
    { ...completion, account_number: '1e3' },
  ])('%j is no completion', added => {
    expect(() => prepare(jsonOf(payment), added)).toThrow('completion')
  })
})

describe('any transfer', () => {
  test('says and proves what was asked, to a reader made from the specification', () => {
    fc.assert(
      fc.property(transfers, completions, (transfer, added) => {
        const json = jsonOf(transfer)
        const { txData, txId } = sign(json, added)
        const read = readBnb(txData, 'bnb')
        expect(`${read.accountNumber}`).toBe(added.account_number)
        const settled = settleBnb(read, { serializedTransaction: JSON.stringify(json) }, 'mainnet')
        const { intent, claims } = prepare(json, added)
        expect(settled).toEqual({
          txId,
          claims,
          from: intent.from,
          paid: intent.outputs.map(({ to, amount, asset }) => ({
            to: to.replace(/\?memo=.*/, ''),
            amount,
            asset,
          })),
        })
      }),
    )
  })

  test('is signed for one network, account and sequence', () => {
    fc.assert(
      fc.property(transfers, completions, completions, (transfer, one, other) => {
        const digest = (added: typeof one) => prepare(jsonOf(transfer), added).requests
        expect(Bun.deepEquals(digest(one), digest(other))).toBe(Bun.deepEquals(one, other))
      }),
    )
    const texts = JSON.stringify(jsonOf(payment))
      .replace(owner, bech32Of('tbnb', bytesOf(owner)))
      .replace(somebody, bech32Of('tbnb', bytesOf(somebody)))
    const there = bnb.prepare(pendingOf(bnb, texts), { ...own, network: 'testnet' }, completion)
    expect(there.requests).not.toEqual(prepare(jsonOf(payment)).requests)
  })

  test('with one value changed on one side is refused', () => {
    fc.assert(
      fc.property(transfers, fc.nat(), fc.jsonValue(), (transfer, at, value) => {
        const json = jsonOf(transfer)
        const sides = leavesOf(json).filter(([member]) => member !== 'memo')
        const changed = replaceAt(json, sides[at % sides.length] ?? [], value)
        if (JSON.stringify(changed) === JSON.stringify(json)) return
        expect(() => prepare(changed)).toThrow(KmsError)
      }),
    )
  })

  test('with another memo or recipient, on both sides, means something else', () => {
    fc.assert(
      fc.property(transfers, transfers, (one, other) => {
        const mixed = { ...one, memo: other.memo }
        const [before, after] = [prepare(jsonOf(one)), prepare(jsonOf(mixed))]
        expect(Bun.deepEquals(before.intent, after.intent)).toBe(one.memo === other.memo)
        expect(Bun.deepEquals(before.requests, after.requests)).toBe(one.memo === other.memo)
        const [foreign] = other.outputs
        if (foreign === undefined) return
        const outputs = one.outputs.map((output, i) =>
          i === 0 ? { ...output, address: foreign.address } : output,
        )
        const redirected = prepare(jsonOf({ ...one, outputs }))
        const isSame = foreign.address === one.outputs[0]?.address
        expect(Bun.deepEquals(before.intent, redirected.intent)).toBe(isSame)
        expect(Bun.deepEquals(before.requests, redirected.requests)).toBe(isSame)
      }),
    )
  })
})

function bytesOf(address: string): Uint8Array {
  const side = jsonOf({ ...payment, inputs: [{ address, coins }] }).msg.inputs[0]
  return Uint8Array.from(side?.address.data ?? [])
}
