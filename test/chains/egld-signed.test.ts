import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { KmsError } from '../../src/base/errors.ts'
import type { Network } from '../../src/base/model.ts'
import { decodeEgld, egldTxId } from '../../src/chains/family/egld-signed.ts'
import { addressOf, completion, from, good, prepareEgld, signEgld, to } from '../support/egld.ts'
import { type Json, thrownBy } from '../support/evm.ts'
import { denominated, egldHashOf, readEgld } from '../support/multiversx.ts'

fc.configureGlobal({ numRuns: Number(process.env['FC_NUM_RUNS'] ?? 100) })

test('the id is that of the official libraries', () => {
  // mx-sdk-js-core, transaction.spec.ts, "should compute hash"
  const alice = 'erd1qyu5wthldzr8wx5c9ucg8kjagg0jfs53s8nr3zpz3hypefsdd8ssycr6th'
  const signature =
    'eaa9e4dfbd21695d9511e9754bde13e90c5cfb21748a339a79be11f744c71872e9fe8e73c6035c413f5f08eef09e5458e9ea6fc315ff4da0ab6d000b450b2a07'
  const tx = {
    sender: alice,
    receiver: alice,
    value: 1_000_000_000_000n,
    data: 'testtx',
    added: { nonce: 17_243n, gasPrice: 10n ** 9n, gasLimit: 100_000n, chainId: 'D', version: 2 },
  }
  expect(egldTxId(tx, Uint8Array.from(Buffer.from(signature, 'hex')))).toBe(
    '169b76b752b220a76a93aeebc462a1192db1dc2ec9d17e6b4d7b0dcc91792f03',
  )
})

const payment = fc.record(
  {
    to: fc.uint8Array({ minLength: 32, maxLength: 32 }).map(addressOf),
    value: fc
      .tuple(fc.nat(10 ** 8), fc.stringMatching(/^\d{0,18}$/))
      .map(([whole, fraction]) => (fraction === '' ? `${whole}` : `${whole}.${fraction}`)),
    data: fc.string({ unit: 'grapheme', maxLength: 60 }),
  },
  { requiredKeys: ['to'] },
)
const fields = fc.record({
  nonce: fc.nat().map(String),
  gasPrice: fc.integer({ min: 10 ** 9, max: 10 ** 10 }).map(String),
  gasLimit: fc.integer({ min: 10 ** 6, max: 10 ** 7 }).map(String),
  version: fc.constantFrom('1', '2'),
})
const network = fc.constantFrom<Network>('mainnet', 'testnet')

describe('a signed transaction', () => {
  test('says to an independent reader what was asked for', () => {
    const check = (asked: Json, { version, ...added }: Json, on: Network) => {
      const { txData, txId } = signEgld(asked, { ...added, version: `${version}` }, on)
      const { signature: _, data, ...tx } = readEgld(txData)
      expect<unknown>(tx).toEqual({
        sender: from,
        receiver: asked['to'],
        value: denominated(asked['value']),
        nonce: Number(added['nonce']),
        gasPrice: Number(added['gasPrice']),
        gasLimit: Number(added['gasLimit']),
        chainID: on === 'mainnet' ? '1' : 'T',
        version: Number(version),
      })
      expect(Buffer.from(data ?? '', 'base64').toString()).toBe(String(asked['data'] ?? ''))
      expect(txId).toBe(egldHashOf(readEgld(txData)))
    }
    fc.assert(fc.property(payment, fields, network, check))
  })

  test('with one member changed, is another or refused', () => {
    const before = meaning(good)
    const check = (other: Json, member: 'to' | 'value' | 'data') => {
      if (other[member] === undefined || other[member] === '') return
      if (member === 'value' && denominated(other['value']) === denominated(good['value'])) return
      expect(meaning({ ...good, [member]: other[member] })).not.toEqual(before)
    }
    fc.assert(fc.property(payment, fc.constantFrom('to', 'value', 'data'), check))
    expect(meaning({ ...good, value: undefined })).not.toEqual(before)
  })

  test('with another field of the completion, is another', () => {
    const before = meaning(good)
    const changes = { nonce: '8', gasPrice: '1000000001', gasLimit: '500001', version: '2' }
    for (const [name, value] of Object.entries(changes)) {
      expect(meaning(good, { [name]: value })).not.toEqual(before)
    }
  })

  test('read back from text that was changed, is another or none', () => {
    const position = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })
    const letter = fc.constantFrom(...'0123456789abcdefz{}[]",: \\')
    const check = (asked: Json, where: number, other: string) => {
      const { txData } = signEgld(asked, { gasLimit: '1000000' })
      // Without the signature, which is no part of what is compared.
      const at = Math.floor(where * (txData.length - 130))
      if (txData[at] === other) return
      const changed = `${txData.slice(0, at)}${other}${txData.slice(at + 1)}`
      let after: unknown
      try {
        after = decodeEgld(changed)
      } catch (thrown) {
        expect(thrown).toBeInstanceOf(KmsError)
      }
      expect(after).not.toEqual(decodeEgld(txData))
    }
    fc.assert(fc.property(payment, position, letter, check))
  })

  const { txData } = signEgld({ from, to, value: '1', data: 'hi' })
  test.each([
    ['nothing', ''],
    ['a list', '[]'],
    ['an empty object', '{}'],
    ['text with spaces', txData.replace(',', ', ')],
    ['members in another order', JSON.stringify({ signature: 'x', ...JSON.parse(txData) })],
    ['one with an unknown member', txData.replace('{', '{"options":1,')],
    ['one with a member twice', txData.replace('{', '{"nonce":7,')],
    ['one without its signature', txData.replace(/,"signature":"\w+"/, '')],
    ['one with a short signature', txData.replace(/"signature":"\w\w/, '"signature":"')],
    [
      'one with a signature in capitals',
      txData.replace(/"(\w{128})"/, digits => digits.toUpperCase()),
    ],
    [
      'a number with a zero before it',
      txData.replace('"1000000000000000000"', '"01000000000000000000"'),
    ],
    ['a negative amount', txData.replace('"1000000000000000000"', '"-1"')],
    ['data that is no base64', txData.replace('"aGk="', '"a?Gk="')],
    ['data without its end', txData.replace('"aGk="', '"aGk"')],
    ['data that is no text', txData.replace('"aGk="', '"/w=="')],
    ['empty data', txData.replace('"aGk="', '""')],
    ['lists in lists', '['.repeat(500_000)],
  ])('is not %s', (_name, text) => {
    expect(thrownBy(() => decodeEgld(text)).code).toBe('unexpected')
  })
})

/** What people see, the ledger books and the key signs, or the refusal. */
function meaning(json: Json, added: Json = {}): unknown {
  try {
    const all = { ...completion, gasLimit: '1000000', ...added } as Record<string, string>
    const { intent, claims, requests } = prepareEgld(json, all)
    return { intent, claims, requests }
  } catch (thrown) {
    expect(thrown).toBeInstanceOf(KmsError)
    return 'refused'
  }
}
