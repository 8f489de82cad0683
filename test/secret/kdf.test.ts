import { describe, expect, test } from 'bun:test'
import { hkdf as nobleHkdf } from '@noble/hashes/hkdf.js'
import { hmac as nobleHmac } from '@noble/hashes/hmac.js'
import { pbkdf2 as noblePbkdf2 } from '@noble/hashes/pbkdf2.js'
import { scrypt as nobleScrypt } from '@noble/hashes/scrypt.js'
import { sha256, sha512 } from '@noble/hashes/sha2.js'
import fc from 'fast-check'
import { fromHex, hex, utf8 } from '../../src/base/bytes.ts'
import {
  defaultCost,
  hkdf,
  hmac,
  icarusSecret,
  mnemonicSeed,
  scrypt,
} from '../../src/secret/kdf.ts'
import { revealed, revealedHex, secretOf } from '../support/secret.ts'

const numRuns = Number(process.env['FC_NUM_RUNS'] ?? 100)
const anything = fc.uint8Array({ maxLength: 300 })

describe('scrypt', () => {
  // Our 32 bytes are the first half: the last step, PBKDF2-HMAC-SHA256, makes blocks of 32.
  test.each([
    ['', '', 4, 1, 1, '77d6576238657b203b19ca42c18a0497f16b4844e3074ae8dfdffa3fede21442'],
    [
      'password',
      'NaCl',
      10,
      8,
      16,
      'fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b373162',
    ],
    [
      'pleaseletmein',
      'SodiumChloride',
      14,
      8,
      1,
      '7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2',
    ],
  ])('RFC 7914 section 12: "%s", "%s"', (password, salt, log2N, r, p, expected) => {
    using key = scrypt(secretOf(password), utf8(salt), { log2N, r, p })
    expect(revealedHex(key)).toBe(expected)
  })

  test('is that of noble for any bytes and cost', () => {
    const cost = fc.record({
      log2N: fc.integer({ min: 1, max: 8 }),
      r: fc.integer({ min: 1, max: 9 }),
      p: fc.integer({ min: 1, max: 4 }),
    })
    const check = (
      password: Uint8Array,
      salt: Uint8Array,
      cost: { log2N: number; r: number; p: number },
    ) => {
      using key = scrypt(secretOf(password), salt, cost)
      const { log2N, ...rest } = cost
      expect(revealed(key)).toEqual(
        nobleScrypt(password, salt, { N: 2 ** log2N, ...rest, dkLen: 32 }),
      )
    }
    fc.assert(fc.property(anything, anything, cost, check), { numRuns: Math.min(numRuns, 200) })
  })

  test('runs at the cost vaults are made with', () => {
    using key = scrypt(secretOf('password'), utf8('salt'), defaultCost)
    const { log2N, r, p } = defaultCost
    const expected = nobleScrypt(utf8('password'), utf8('salt'), { N: 2 ** log2N, r, p, dkLen: 32 })
    expect(revealed(key)).toEqual(expected)
  })
})

describe('HKDF-SHA256', () => {
  // The first block of the RFC's 42 or 82 bytes.
  test.each([
    [
      'A.1',
      '0b'.repeat(22),
      '000102030405060708090a0b0c',
      'f0f1f2f3f4f5f6f7f8f9',
      '3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf',
    ],
    [
      'A.2',
      countingHex(0x00, 80),
      countingHex(0x60, 80),
      countingHex(0xb0, 80),
      'b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c',
    ],
    [
      'A.3',
      '0b'.repeat(22),
      '',
      '',
      '8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d',
    ],
  ])('RFC 5869 %s', (_, key, salt, info, expected) => {
    using derived = hkdf(secretOf(bytesOf(key)), bytesOf(salt), bytesOf(info))
    expect(revealedHex(derived)).toBe(expected)
  })

  test('is that of noble', () => {
    const check = (key: Uint8Array, salt: Uint8Array, info: Uint8Array) => {
      using derived = hkdf(secretOf(key), salt, info)
      expect(revealed(derived)).toEqual(nobleHkdf(sha256, key, salt, info, 32))
    }
    fc.assert(fc.property(anything, anything, anything, check), { numRuns })
  })
})

test('HMAC over parts is that of noble over the whole', () => {
  const check = (key: Uint8Array, parts: readonly Uint8Array[]) => {
    const whole = Buffer.concat(parts)
    using short = hmac('sha256', key, ...parts)
    using long = hmac('sha512', key, ...parts)
    expect(revealed(short)).toEqual(nobleHmac(sha256, key, whole))
    expect(revealed(long)).toEqual(nobleHmac(sha512, key, whole))
  }
  fc.assert(fc.property(anything, fc.array(anything, { maxLength: 4 }), check), { numRuns })
})

describe('the seed of a mnemonic', () => {
  test('has no passphrase', () => {
    using seed = mnemonicSeed(secretOf(`${'abandon '.repeat(11)}about`))
    expect(revealedHex(seed)).toBe(
      '5eb00bbddcf069084889a8ab9155568165f5c453ccb85e70811aaed6f6da5fc1' +
        '9a5ac40b389cd370d086206dec8aa6c43daea6690f20ad3d8d48b2d2ce9e38e4',
    )
  })

  test('is PBKDF2 over the bytes as they stand', () => {
    const check = (mnemonic: Uint8Array) => {
      using seed = mnemonicSeed(secretOf(mnemonic))
      const expected = noblePbkdf2(sha512, mnemonic, utf8('mnemonic'), { c: 2048, dkLen: 64 })
      expect(revealed(seed)).toEqual(expected)
    }
    fc.assert(fc.property(anything, check), { numRuns: Math.min(numRuns, 30) })
  })
})

test('the Icarus secret is PBKDF2 without a password, salted with the entropy', () => {
  const check = (entropy: Uint8Array) => {
    using secret = icarusSecret(secretOf(entropy))
    const expected = noblePbkdf2(sha512, new Uint8Array(), entropy, { c: 4096, dkLen: 96 })
    expect(revealed(secret)).toEqual(expected)
  }
  const entropy = fc.uint8Array({ minLength: 16, maxLength: 32 })
  fc.assert(fc.property(entropy, check), { numRuns: Math.min(numRuns, 20) })
})

test('secrets that went in are as they were', () => {
  using password = secretOf('correct horse')
  scrypt(password, utf8('salt'), { log2N: 4, r: 1, p: 1 }).wipe()
  hkdf(password, utf8('salt'), utf8('info')).wipe()
  mnemonicSeed(password).wipe()
  icarusSecret(password).wipe()
  expect(hex(revealed(password))).toBe(hex(utf8('correct horse')))
})

function bytesOf(text: string): Uint8Array {
  return fromHex(text) ?? new Uint8Array()
}

function countingHex(first: number, length: number): string {
  return hex(Uint8Array.from({ length }, (_, i) => first + i))
}
