import { describe, expect, test } from 'bun:test'
import { ed25519 } from '@noble/curves/ed25519.js'
import fc from 'fast-check'
import { decodeBase32, encodeBase32 } from '../../../src/base/base32.ts'
import { encodeBase58 } from '../../../src/base/base58.ts'
import { concat, hex, utf8 } from '../../../src/base/bytes.ts'
import { complaintAbout, formatted, parsed, schemes } from '../../support/key-text.ts'
import { randomWallets } from '../../support/random-wallets.ts'
import samples from '../../vectors/wallets-random-samples.json'

const numRuns = Number(process.env['FC_NUM_RUNS'] ?? 100)
const { base58Pair, base32Pair } = schemes
const facts = { curve: 'ed25519', compressed: true } as const
const seed = fc.oneof(
  fc.uint8Array({ minLength: 32, maxLength: 32 }),
  // Base58 writes leading zeros in a way of its own.
  fc.nat(32).map(zeros => new Uint8Array(32).fill(7).fill(0, 0, zeros)),
)
const pairOf = (seed: Uint8Array) => concat(seed, ed25519.getPublicKey(seed))
const good = pairOf(new Uint8Array(32).fill(7))

describe('a pair in base58', () => {
  test.each([...randomWallets('SOL'), ...samples.solanaFromMnemonic])(
    'of the original has the address $address',
    async ({ address, privateKey = '' }) => {
      const { key, publicKey } = await parsed(base58Pair, 'mainnet', privateKey)
      expect(base58(publicKey ?? new Uint8Array())).toBe(address)
      expect(await formatted(base58Pair, 'testnet', key)).toBe(privateKey)
    },
  )

  test('is written in base58, read in hex too, and its second half is handed on', async () => {
    const check = async (seed: Uint8Array) => {
      const pair = pairOf(seed)
      const text = base58(pair)
      expect(await formatted(base58Pair, 'mainnet', hex(seed))).toBe(text)
      const expected = { ...facts, key: hex(seed), publicKey: pair.subarray(32) }
      for (const form of [text, hex(pair), hex(pair).toUpperCase()]) {
        expect(await parsed(base58Pair, 'mainnet', form)).toEqual(expected)
      }
    }
    await fc.assert(fc.asyncProperty(seed, check), { numRuns })
  })

  test('whose halves do not belong together is not judged here', async () => {
    const text = base58(new Uint8Array(64).fill(9))
    const { publicKey } = await parsed(base58Pair, 'mainnet', text)
    expect(publicKey).toEqual(new Uint8Array(32).fill(9))
  })

  test.each([
    ['nothing', ''],
    ['a seed alone', base58(good.subarray(0, 32))],
    ['a seed alone in hex', hex(good.subarray(0, 32))],
    ['a byte too few', base58(good.subarray(1))],
    ['a byte too many', base58(concat(good, Uint8Array.of(1)))],
    ['a zero too many', `1${base58(good)}`],
    ['more than 64 bytes hold', 'z'.repeat(88)],
    ['a letter outside the alphabet', `0${base58(good).slice(1)}`],
    ['a space behind it', `${base58(good)} `],
    ['g among hex digits', `g${hex(good).slice(1)}`],
    ['128 letters of base58', 'z'.repeat(128)],
    ['hex with a prefix', `0x${hex(good)}`],
    ['hex with a digit too few', hex(good).slice(1)],
    ['a list of bytes', `[${good.join(',')}]`],
    ['a megabyte', '1'.repeat(1 << 20)],
  ])('is not %s', async (_, text) => {
    expect(await complaintAbout(base58Pair, 'mainnet', text)).toContain('hex')
  })
})

describe('a pair in base32', () => {
  test.each(randomWallets('ALGO'))('of the original has the address $address', async wallet => {
    const { address, secret = '' } = wallet
    const { key, publicKey } = await parsed(base32Pair, 'mainnet', secret)
    expect(publicKey).toEqual(ownerOf(address))
    expect(await formatted(base32Pair, 'testnet', key)).toBe(secret)
  })

  test('is written in base32, and its second half is handed on', async () => {
    const check = async (seed: Uint8Array) => {
      const pair = pairOf(seed)
      const text = base32(pair)
      expect(text).toHaveLength(103)
      expect(await formatted(base32Pair, 'mainnet', hex(seed))).toBe(text)
      const expected = { ...facts, key: hex(seed), publicKey: pair.subarray(32) }
      expect(await parsed(base32Pair, 'mainnet', text)).toEqual(expected)
    }
    await fc.assert(fc.asyncProperty(seed, check), { numRuns })
  })

  const text = base32(good)
  const lastDigit = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(text.slice(-1))

  test('whose last letter has one of its three spare bits set is refused', async () => {
    for (let spare = 1; spare < 8; spare++) {
      const letter = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.charAt(lastDigit + spare)
      await complaintAbout(base32Pair, 'mainnet', text.slice(0, -1) + letter)
    }
  })

  test.each([
    ['nothing', ''],
    ['an address', 'JXAXYSQIVLBKBYZWHJMTGFJWZ3HW5JTP6LXQUVYB54FOHQTNLLZ7PADKPQ'],
    ['a seed alone', base32(good.subarray(0, 32))],
    ['a letter too few', text.slice(0, -1)],
    ['a letter too many', `${text}A`],
    ['padding behind it', `${text}=`],
    ['small letters', text.toLowerCase()],
    ['a letter outside the alphabet', `1${text.slice(1)}`],
    ['hex', hex(good)],
    ['25 words', `${'abandon '.repeat(24)}invest`],
    ['a megabyte', 'A'.repeat(1 << 20)],
  ])('is not %s', async (_, text) => {
    expect(await complaintAbout(base32Pair, 'mainnet', text)).toContain('base32')
  })
})

function base58(bytes: Uint8Array): string {
  const out = new Uint8Array(200)
  return Buffer.from(out.subarray(0, encodeBase58(bytes, out))).toString()
}

function base32(bytes: Uint8Array): string {
  const out = new Uint8Array(200)
  return Buffer.from(out.subarray(0, encodeBase32(bytes, out))).toString()
}

/** An address of Algorand is the public key and four bytes of checksum. */
function ownerOf(address: string): Uint8Array {
  const out = new Uint8Array(36)
  expect(decodeBase32(utf8(address), out)).toBe(36)
  return out.subarray(0, 32)
}
