import { describe, expect, test } from 'bun:test'
import { NETWORK, TEST_NETWORK, WIF } from '@scure/btc-signer'
import fc from 'fast-check'
import { fromHex } from '../../src/base/bytes.ts'
import type { KeyScheme, Network } from '../../src/base/model.ts'
import { base58Checksum, encodeBase58 } from '../../src/secret/base58.ts'
import { formatKeyText, parseKeyText } from '../../src/secret/key-text.ts'
import { expectSilence, refusalOf, revealedHex, revealedText, secretOf } from '../support/secret.ts'

const numRuns = Number(process.env['FC_NUM_RUNS'] ?? 100)
const derivation: KeyScheme['derivation'] = {
  kind: 'bip32',
  path: { mainnet: 'm', testnet: 'm' },
  xpub: { mainnet: 0, testnet: 0 },
}
const wif: KeyScheme = {
  curve: 'secp256k1',
  derivation,
  text: { kind: 'wif', version: { mainnet: 0x80, testnet: 0xef } },
}
const plainHex: KeyScheme = { curve: 'secp256k1', derivation, text: { kind: 'hex', prefix: '' } }
const prefixedHex: KeyScheme = { ...plainHex, text: { kind: 'hex', prefix: '0x' } }

const n = 'fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141'
const last = n.replace(/1$/, '0')
const zero = '00'.repeat(32)
const one = `${'00'.repeat(31)}01`
const networks = ['mainnet', 'testnet'] as const

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

const key = fc
  .uint8Array({ minLength: 32, maxLength: 32 })
  .map(bytes => Buffer.from(bytes).toString('hex'))
  .filter(text => text < n && text !== zero)

describe('wallet import format', () => {
  test.each(wifVectors)('%s, compressed %p: %s', (network, compressed, text, expected) => {
    expect(parsed(wif, network, text)).toEqual({ key: expected, compressed })
    if (compressed) expect(formatted(wif, network, expected)).toBe(text)
  })

  test('is written and read as scure does', () => {
    const check = (key: string, network: Network) => {
      const coder = WIF(network === 'mainnet' ? NETWORK : TEST_NETWORK)
      const text = formatted(wif, network, key)
      expect(text).toBe(coder.encode(bytesOf(key)))
      expect(parsed(wif, network, text)).toEqual({ key, compressed: true })
    }
    fc.assert(fc.property(key, fc.constantFrom(...networks), check), { numRuns })
  })

  test.each(wifVectors)('a key of %s is refused on the other network: %#', (network, _, text) => {
    const other = network === 'mainnet' ? 'testnet' : 'mainnet'
    expect(complaintAbout(wif, other, text)).toBe(
      `the private key is not a ${other} key of this chain`,
    )
  })

  test.each([
    ['zero', zero],
    ['the order', n],
    ['above the order', 'ff'.repeat(32)],
  ])('%s is no key', (_, key) => {
    for (const tail of ['', '01']) {
      expect(complaintAbout(wif, 'mainnet', base58Check(`80${key}${tail}`))).toContain('range')
    }
  })

  test.each([one, last])('%s is a key', key => {
    const text = formatted(wif, 'mainnet', key)
    expect(parsed(wif, 'mainnet', text)).toEqual({ key, compressed: true })
    expect(parsed(wif, 'mainnet', base58Check(`80${key}`))).toEqual({ key, compressed: false })
  })

  test('an uncompressed key is not taken for a compressed one when its check sum begins with 01', () => {
    const payload = Array.from(
      { length: 5000 },
      (_, i) => `80${(i + 1).toString(16).padStart(64, '0')}`,
    )
    const found = payload.find(text => base58Checksum(bytesOf(text))[0] === 1) ?? ''
    const text = base58Check(found)
    expect(parsed(wif, 'mainnet', text)).toEqual({ key: found.slice(2), compressed: false })
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
  ])('%s is refused', (_, text) => {
    expect(complaintAbout(wif, 'mainnet', text)).toContain('wallet import format')
  })

  test('with any letter changed is refused', () => {
    const letters = Array.from('123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz0OIl +')
    const place = fc.tuple(fc.nat(50), fc.constantFrom(...letters))
    const check = (network: Network, [at, letter]: readonly [number, string]) => {
      for (const [, , text] of wifVectors) {
        const changed = text.slice(0, at) + letter + text.slice(at + 1)
        if (changed !== text) complaintAbout(wif, network, changed)
      }
    }
    fc.assert(fc.property(fc.constantFrom(...networks), place, check), { numRuns })
  })
})

describe('hex', () => {
  test('is written with the prefix of the chain and read with or without one', () => {
    const check = (key: string) => {
      expect(formatted(plainHex, 'mainnet', key)).toBe(key)
      expect(formatted(prefixedHex, 'testnet', key)).toBe(`0x${key}`)
      for (const scheme of [plainHex, prefixedHex]) {
        for (const text of [key, `0x${key}`, key.toUpperCase(), `0x${key.toUpperCase()}`]) {
          expect(parsed(scheme, 'mainnet', text)).toEqual({ key, compressed: true })
        }
      }
    }
    fc.assert(fc.property(key, check), { numRuns })
  })

  test.each([one, last])('%s is a key', key => {
    expect(parsed(plainHex, 'mainnet', key).key).toBe(key)
  })

  test.each([zero, n, n.replace(/1$/, '2'), 'ff'.repeat(32)])('%s is no key', key => {
    expect(complaintAbout(plainHex, 'mainnet', key)).toContain('range')
  })

  test('of any 32 bytes is an ed25519 key', () => {
    const scheme: KeyScheme = { ...plainHex, curve: 'ed25519' }
    for (const key of [zero, n, 'ff'.repeat(32)])
      expect(parsed(scheme, 'mainnet', key).key).toBe(key)
  })

  test.each([
    ['a digit too few', last.slice(1)],
    ['a digit too many', `${last}0`],
    ['a byte too few', last.slice(2)],
    ['nothing', ''],
    ['only the prefix', '0x'],
    ['two prefixes', `0x0x${last.slice(2)}`],
    ['a prefix in upper case', `0X${last}`],
    ['a prefix that eats two digits', `0x${last.slice(2)}`],
    ['a space before it', ` ${last}`],
    ['a space behind it', `${last} `],
    ['a line break in it', `${last.slice(0, 63)}\n`],
    ['g', `${last.slice(1)}g`],
    ['@ and `, next to A and a', `@\`${last.slice(2)}`],
    [': and /, next to 9 and 0', `:/${last.slice(2)}`],
    ['a zero byte', `\0${last.slice(1)}`],
    ['a megabyte', 'a'.repeat(1 << 20)],
    ['a key in wallet import format', wifVectors[1]?.[2] ?? ''],
  ])('with %s is refused', (_, text) => {
    expect(complaintAbout(plainHex, 'mainnet', text)).toContain('hex')
  })
})

describe('an error says nothing of the key', () => {
  const marked = 'deadbeefcafef00dfeedfacebaadc0de8badf00d1badb002c001d00d5eedba11'
  const markedWif = formatted(wif, 'mainnet', marked)
  const shapes: readonly (readonly [string, KeyScheme, Network, string])[] = [
    ['hex too long', plainHex, 'mainnet', `${marked}00`],
    ['hex too short', prefixedHex, 'mainnet', `0x${marked.slice(2)}`],
    ['hex with a wrong letter', plainHex, 'mainnet', `${marked.slice(0, -1)}z`],
    ['hex outside the range', plainHex, 'mainnet', n],
    ['of the wrong network', wif, 'testnet', markedWif],
    ['WIF with a wrong letter', wif, 'mainnet', markedWif.replace(/.$/, '0')],
    ['WIF with a wrong check sum', wif, 'mainnet', `${markedWif.slice(0, -1)}1`],
    ['WIF that is cut', wif, 'mainnet', markedWif.slice(0, -3)],
    ['WIF outside the range', wif, 'mainnet', base58Check(`80${n}01`)],
    ['hex for WIF', wif, 'mainnet', marked],
    ['WIF for hex', plainHex, 'mainnet', markedWif],
  ]

  test.each(shapes)('%s', (_, scheme, network, text) => {
    const refusal = refusalOf(() => parseKeyText(scheme, network, secretOf(text)))
    expectSilence(refusal, text)
    expectSilence(refusal, marked)
  })
})

test('any bytes are a key or refused, for every format', () => {
  const check = (bytes: Uint8Array) => {
    for (const scheme of [wif, plainHex]) {
      expect(refusalOf(() => parseKeyText(scheme, 'mainnet', secretOf(bytes))).code).toBe('usage')
    }
  }
  fc.assert(fc.property(fc.uint8Array({ maxLength: 63 }), check), { numRuns })
})

function parsed(scheme: KeyScheme, network: Network, text: string) {
  using given = secretOf(text)
  const { key, compressed } = parseKeyText(scheme, network, given)
  using secret = key
  return { key: revealedHex(secret), compressed }
}

function formatted(scheme: KeyScheme, network: Network, key: string): string {
  using secret = secretOf(bytesOf(key))
  using text = formatKeyText(scheme, network, secret)
  return revealedText(text)
}

function complaintAbout(scheme: KeyScheme, network: Network, text: string): string {
  const refusal = refusalOf(() => parseKeyText(scheme, network, secretOf(text)))
  expect(refusal.code).toBe('usage')
  return refusal.message
}

function base58Check(payload: string): string {
  const bytes = bytesOf(payload)
  const out = new Uint8Array(100)
  const length = encodeBase58(Buffer.concat([bytes, base58Checksum(bytes)]), out)
  return Buffer.from(out.subarray(0, length)).toString()
}

function bytesOf(text: string): Uint8Array {
  return fromHex(text) ?? new Uint8Array()
}
