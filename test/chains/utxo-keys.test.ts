import { describe, expect, test } from 'bun:test'
import type { KeyRef, PendingTx } from '../../src/base/model.ts'
import { faultOf, pendingOf, utxoChains } from '../support/utxo.ts'

const [a, b] = ['63dde41a-ad9c-4b4b-a697-16af06cd976c', '13d5017a-6627-45f8-a85d-181f4836bdcb']
const input = { vIn: 'aa'.repeat(32), vInIndex: 0 }
const change = { vIn: '-1', derivationKey: 9 }
const offchain = { hashes: [a], withdrawalId: 'de4229c9fca2088950347f28' }
const spends = [{ ...input, derivationKey: 5 }, input, input]

describe.each(utxoChains)('$id: the keys of', chain => {
  test.each<[string, Partial<PendingTx>, readonly KeyRef[]]>([
    ['repeated hashes are one', { hashes: [a, a] }, [{ signatureId: a }]],
    [
      'several hashes keep their order',
      { hashes: [b, a] },
      [{ signatureId: b }, { signatureId: a }],
    ],
    [
      'an id with an index are not used without it, and come after the others',
      {
        hashes: [b, a],
        signatures: [
          { id: b, index: 3 },
          { id: b, index: 0 },
          { id: b, index: 3 },
        ],
      },
      [{ signatureId: a }, { signatureId: b, index: 3 }, { signatureId: b, index: 0 }],
    ],
    ...[
      ['first', [change, ...spends]],
      ['between others', [...spends.slice(0, 1), change, ...spends.slice(1)]],
      ['last', [...spends, change]],
    ].map(([where, withdrawalResponses]): [string, Partial<PendingTx>, readonly KeyRef[]] => [
      `a withdrawal are of the first wallet, index 0 where none is given, none for change, ${where}`,
      { ...offchain, hashes: [a, b], withdrawalResponses: withdrawalResponses as typeof spends },
      [
        { signatureId: a, index: 5 },
        { signatureId: a, index: 0 },
      ],
    ]),
  ])('%s', (_, more, keys) => {
    expect(chain.keys(pendingOf(chain, '', more))).toEqual([...keys])
  })

  test.each<[string, Partial<PendingTx>]>([
    ['no hashes', {}],
    ['a withdrawal without responses', offchain],
    ['a withdrawal without wallet', { ...offchain, hashes: [], withdrawalResponses: [input] }],
    ['a withdrawal that spends nothing', { ...offchain, withdrawalResponses: [{ vIn: '-1' }] }],
  ])('%s are refused', (_, more) => {
    expect(faultOf(() => chain.keys(pendingOf(chain, '', more)))[0]).toBe('transaction-refused')
  })

  test('a withdrawal goes to the ledger of virtual accounts, any other payment to the chain', () => {
    const withdrawal = pendingOf(chain, '', offchain)
    const { id, withdrawalId } = withdrawal
    expect<unknown>(chain.broadcast(withdrawal, '00')).toEqual({
      path: '/v3/offchain/withdrawal/broadcast',
      body: { currency: chain.id, signatureId: id, withdrawalId, txData: '00' },
    })
    expect<unknown>(chain.broadcast(pendingOf(chain, ''), '00')).toEqual({
      path: `/v3/${chain.name.toLowerCase()}/broadcast`,
      body: { txData: '00', signatureId: id },
    })
  })
})
