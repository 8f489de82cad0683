import { describe, expect, test } from 'bun:test'
import { NETWORK, TEST_NETWORK, WIF } from '@scure/btc-signer'
import fc from 'fast-check'
import { base58Checksum } from '../../../src/base/base58.ts'
import type { Network } from '../../../src/base/model.ts'
import {
  base58Check,
  bytesOf,
  complaintAbout,
  formatted,
  secp256k1Key as key,
  order as n,
  parsed,
  schemes,
} from '../../support/key-text.ts'

const numRuns = Number(process.env['FC_NUM_RUNS'] ?? 100)
const { wif } = schemes
const facts = { curve: 'secp256k1', compressed: true } as const
const networks = ['mainnet', 'testnet'] as const
const last = n.replace(/1$/, '0')
const zero = '00'.repeat(32)
const one = `${'00'.repeat(31)}01`

/** Bitcoin Core, src/test/data/key_io_valid.json */
const wifVectors: readonly (readonly [Network, boolean, string, string])[] = [
  [
    'mainnet',
    false,
    '5JuW2AMDYu4xVwRG9DZW18VbzQrGcd5RCgb99sS6ehJsNQXu5b9',
    '8f8943bf956de595665c38ffff23827e17c10cdc1c27a028caae6c9810626198',
  ],
  [
    'mainnet',
    true,
    'L5nJeqKmpHp4P7F8ZYyjwc5a7P4d8EabuGAzfGJk7yC1BJyzNaEd',
    'ff778740f88ddcf102aeb81daee289c044c4a4571c4b6f287400f4b8e0b843f8',
  ],
  [
    'testnet',
    false,
    '92ZdE5HoLafywnTBbzPxbvRmp75pSfzvdU3XaZGh1cToipgdHVh',
    '80c32d81e91bdea04cd7a3819b32275fc3298af4c7ec87eb0099527d041ced5c',
  ],
  [
    'testnet',
    true,
    'cV83kKisF3RQSvXbUCm9ox3kaz5JjEUBWcx8tNydfGJcyeUxuH47',
    'e0fcd4ce4e3d0e3de091f21415bb7cd011fac288c42020a879f28c2a4387df9b',
  ],
  [
    'mainnet',
    false,
    '5HsL2nZuEebU5nM3RxNVQD9GcAnvNMahqQskf4fkqHe54zwd14e',
    '06e8649790a90615a46d22dd762e0c42615336745356c2e16147c0f3d46b40d5',
  ],
  [
    'testnet',
    true,
    'cNEnbfF2fcxmmCLWqMAaq6fxJvVkwMbyU3kCbpQznz4Z1j6TZDGb',
    '1397b0d4a03e1ab2c54dd9af99ce1ecbfb90c80a58886da95e1181a55703d96b',
  ],
]

describe('wallet import format', () => {
  test.each(wifVectors)('%s, compressed %p: %s', async (network, compressed, text, expected) => {
    expect(await parsed(wif, network, text)).toEqual({ ...facts, key: expected, compressed })
    if (compressed) expect(await formatted(wif, network, expected)).toBe(text)
  })

  test('is written and read as scure does', async () => {
    const check = async (key: string, network: Network) => {
      const coder = WIF(network === 'mainnet' ? NETWORK : TEST_NETWORK)
      const text = await formatted(wif, network, key)
      expect(text).toBe(coder.encode(bytesOf(key)))
      expect(await parsed(wif, network, text)).toEqual({ ...facts, key })
    }
    const network = fc.constantFrom(...networks)
    await fc.assert(fc.asyncProperty(key, network, check), { numRuns })
  })

  test.each(wifVectors)(
    'a key of %s is refused on the other network: %#',
    async (network, _, text) => {
      const other = network === 'mainnet' ? 'testnet' : 'mainnet'
      expect(await complaintAbout(wif, other, text)).toBe(
        `the private key is not a ${other} key of this chain`,
      )
    },
  )

  test.each([
    ['zero', zero],
    ['the order', n],
    ['above the order', 'ff'.repeat(32)],
  ])('%s is no key', async (_, key) => {
    for (const tail of ['', '01']) {
      const text = base58Check(`80${key}${tail}`)
      expect(await complaintAbout(wif, 'mainnet', text)).toContain('range')
    }
  })

  test.each([one, last])('%s is a key', async key => {
    const text = await formatted(wif, 'mainnet', key)
    expect(await parsed(wif, 'mainnet', text)).toEqual({ ...facts, key })
    const uncompressed = { ...facts, key, compressed: false }
    expect(await parsed(wif, 'mainnet', base58Check(`80${key}`))).toEqual(uncompressed)
  })

  test('an uncompressed key is not taken for a compressed one when its check sum begins with 01', async () => {
    const payload = Array.from(
      { length: 5000 },
      (_, i) => `80${(i + 1).toString(16).padStart(64, '0')}`,
    )
    const found = payload.find(text => base58Checksum(bytesOf(text))[0] === 1) ?? ''
    const text = base58Check(found)
    const expected = { ...facts, key: found.slice(2), compressed: false }
    expect(await parsed(wif, 'mainnet', text)).toEqual(expected)
  })

  test.each([
    ['another byte where 01 stands', base58Check(`80${last}02`)],
    ['a byte too few', base58Check(`80${last.slice(2)}`)],
    ['two bytes too many', base58Check(`80${last}0101`)],
    ['only a version', base58Check('80')],
    ['only zeros', '1'.repeat(38)],
    ['many zeros', '1'.repeat(60)],
    ['nothing', ''],
    ['a megabyte', 'L'.repeat(1 << 20)],
    ['hex', last],
  ])('%s is refused', async (_, text) => {
    expect(await complaintAbout(wif, 'mainnet', text)).toContain('wallet import format')
  })

  test('with any letter changed is refused', async () => {
    const letters = Array.from('123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz0OIl +')
    const place = fc.tuple(fc.nat(50), fc.constantFrom(...letters))
    const check = async (network: Network, [at, letter]: readonly [number, string]) => {
      for (const [, , text] of wifVectors) {
        const changed = text.slice(0, at) + letter + text.slice(at + 1)
        if (changed !== text) await complaintAbout(wif, network, changed)
      }
    }
    await fc.assert(fc.asyncProperty(fc.constantFrom(...networks), place, check), { numRuns })
  })
})
