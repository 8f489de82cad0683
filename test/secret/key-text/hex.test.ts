import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import {
  complaintAbout,
  formatted,
  secp256k1Key as key,
  order as n,
  parsed,
  schemes,
} from '../../support/key-text.ts'
import shortKeys from '../../vectors/flow-short-keys.json'
import recorded from '../../vectors/wallets.json'

const numRuns = Number(process.env['FC_NUM_RUNS'] ?? 100)
const { hex: plainHex, prefixedHex, shortHex, extendedHex } = schemes
const facts = { curve: 'secp256k1', compressed: true } as const
const last = n.replace(/1$/, '0')
const zero = '00'.repeat(32)
const one = `${'00'.repeat(31)}01`

describe('hex', () => {
  test('is written with the prefix of the chain and read with or without one', async () => {
    const check = async (key: string) => {
      expect(await formatted(plainHex, 'mainnet', key)).toBe(key)
      expect(await formatted(prefixedHex, 'testnet', key)).toBe(`0x${key}`)
      for (const scheme of [plainHex, prefixedHex]) {
        for (const text of [key, `0x${key}`, key.toUpperCase(), `0x${key.toUpperCase()}`]) {
          expect(await parsed(scheme, 'mainnet', text)).toEqual({ ...facts, key })
        }
      }
    }
    await fc.assert(fc.asyncProperty(key, check), { numRuns })
  })

  test.each([one, last])('%s is a key', async key => {
    expect(await parsed(plainHex, 'mainnet', key)).toEqual({ ...facts, key })
  })

  test.each([zero, n, n.replace(/1$/, '2'), 'ff'.repeat(32)])('%s is no key', async key => {
    expect(await complaintAbout(plainHex, 'mainnet', key)).toContain('range')
  })

  test('of any 32 bytes is an ed25519 key', async () => {
    for (const key of [zero, n, 'ff'.repeat(32)]) {
      const expected = { curve: 'ed25519', compressed: true, key } as const
      expect(await parsed(schemes.ed25519Hex, 'mainnet', key)).toEqual(expected)
    }
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
    ['a key in wallet import format', 'L5nJeqKmpHp4P7F8ZYyjwc5a7P4d8EabuGAzfGJk7yC1BJyzNaEd'],
  ])('with %s is refused', async (_, text) => {
    expect(await complaintAbout(plainHex, 'mainnet', text)).toContain('hex')
  })
})

describe('hex whose leading zeros may be missing', () => {
  test.each(shortKeys)('of $length digits, as the original printed it', async entry => {
    const key = entry.privateKey.padStart(64, '0')
    for (const text of [entry.privateKey, `0x${entry.privateKey}`, key]) {
      expect(await parsed(shortHex, 'mainnet', text)).toEqual({ ...facts, key })
    }
    expect(await complaintAbout(plainHex, 'mainnet', entry.privateKey)).toContain('64 hex digits')
  })

  test('is the same number', async () => {
    const digits = fc.stringMatching(/^[1-9a-f][0-9a-f]{55,61}$/)
    const check = async (text: string) => {
      const key = text.padStart(64, '0')
      expect(await parsed(shortHex, 'mainnet', text)).toEqual({ ...facts, key })
      expect(await formatted(shortHex, 'mainnet', key)).toBe(key)
    }
    await fc.assert(fc.asyncProperty(digits, check), { numRuns })
  })

  test.each([
    ['nothing', ''],
    ['only a prefix', '0x'],
    ['so few digits that it must be cut off', last.slice(0, 55)],
    ['a digit too many', `0${last}`],
    ['only zeros', zero.slice(4)],
    ['g', `g${last.slice(2)}`],
    ['a megabyte', 'a'.repeat(1 << 20)],
  ])('with %s is refused', async (_, text) => {
    expect(await complaintAbout(shortHex, 'mainnet', text)).toMatch(/hex|range/)
  })
})

describe('hex of an extended key', () => {
  const keys = recorded
    .filter(({ chain }) => chain === 'ADA')
    .flatMap(({ derived }) => derived.map(({ privateKey }) => String(privateKey)))
  const [good = ''] = keys

  test.each(keys)('%s', async key => {
    const expected = { curve: 'ed25519-bip32', compressed: true, key } as const
    expect(await parsed(extendedHex, 'mainnet', key)).toEqual(expected)
    expect(await parsed(extendedHex, 'testnet', key.toUpperCase())).toEqual(expected)
    expect(await formatted(extendedHex, 'mainnet', key)).toBe(key)
  })

  test.each([
    ['one of the lowest three bits', 0, 0x01],
    ['another one', 0, 0x04],
    ['the highest bit', 31, 0x80],
  ])('with %s of its scalar set is refused', async (_, at, bit) => {
    const bytes = Buffer.from(good, 'hex')
    bytes[at] = (bytes[at] ?? 0) | bit
    expect(await complaintAbout(extendedHex, 'mainnet', bytes.toString('hex'))).toContain('range')
  })

  test.each([
    ['nothing', ''],
    ['the first half alone', good.slice(0, 64)],
    ['a prefix', `0x${good}`],
    ['a prefix that eats two digits', `0x${good.slice(2)}`],
    ['a digit too few', good.slice(1)],
    ['a digit too many', `${good}0`],
    ['public key and chain code behind it', good + good],
    ['g', `g${good.slice(1)}`],
    ['a megabyte', 'a'.repeat(1 << 20)],
  ])('with %s is refused', async (_, text) => {
    expect(await complaintAbout(extendedHex, 'mainnet', text)).toContain('hex')
  })
})
