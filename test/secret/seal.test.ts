import { describe, expect, test } from 'bun:test'
import { gcm } from '@noble/ciphers/aes.js'
import fc from 'fast-check'
import { concat, fromHex, hex, utf8 } from '../../src/base/bytes.ts'
import {
  nonceLength,
  seal,
  sealWithNonce,
  tagLength,
  unseal,
  unsealPublic,
} from '../../src/secret/seal.ts'
import type { Secret } from '../../src/secret/secret.ts'
import { revealed, secretOf } from '../support/secret.ts'

const numRuns = Number(process.env['FC_NUM_RUNS'] ?? 100)
const bytesOfLength = (length: number) => fc.uint8Array({ minLength: length, maxLength: length })
const anyKey = bytesOfLength(32)
const anyNonce = bytesOfLength(nonceLength)
const anything = fc.uint8Array({ maxLength: 200 })

describe('AES-256-GCM', () => {
  // McGrew and Viega, "The Galois/Counter Mode of Operation", test cases 13 to 16.
  const k16 = 'feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308'
  const p15 =
    'd9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72' +
    '1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b391aafd255'
  const c15 =
    '522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa' +
    '8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662898015ad'

  test.each([
    ['13', '00'.repeat(32), '00'.repeat(12), '', '', '', '530f8afbc74536b9a963b4f1c4cb738b'],
    [
      '14',
      '00'.repeat(32),
      '00'.repeat(12),
      '00'.repeat(16),
      '',
      'cea7403d4d606b6e074ec5d3baf39d18',
      'd0d1c8a799996bf0265b98b5d48ab919',
    ],
    ['15', k16, 'cafebabefacedbaddecaf888', p15, '', c15, 'b094dac5d93471bdec1a502270e3cc6c'],
    [
      '16',
      k16,
      'cafebabefacedbaddecaf888',
      p15.slice(0, 120),
      'feedfacedeadbeeffeedfacedeadbeefabaddad2',
      c15.slice(0, 120),
      '76fc6ece0f4e1768cddf8853bb2d551b',
    ],
  ])('test case %s', (_, key, nonce, plaintext, aad, ciphertext, tag) => {
    using secret = secretOf(bytesOf(key))
    const sealed = sealWithNonce(secret, bytesOf(nonce), bytesOf(plaintext), bytesOf(aad))
    expect(hex(sealed)).toBe(ciphertext + tag)
    const opened = unsealPublic(secret, bytesOf(nonce), sealed, bytesOf(aad))
    expect(opened && hex(opened)).toBe(plaintext)
  })

  test('is that of noble, both ways', () => {
    const check = (key: Uint8Array, nonce: Uint8Array, plaintext: Uint8Array, aad: Uint8Array) => {
      using secret = secretOf(key)
      const noble = gcm(key, nonce, aad)
      const sealed = sealWithNonce(secret, nonce, plaintext, aad)
      expect(sealed).toEqual(noble.encrypt(plaintext))
      expect(plaintext).toEqual(noble.decrypt(sealed))
      expect(unsealedBytes(secret, concat(nonce, sealed), aad)).toEqual(plaintext)
    }
    fc.assert(fc.property(anyKey, anyNonce, anything, anything, check), { numRuns })
  })
})

describe('a sealed box', () => {
  const key = secretOf(Uint8Array.from({ length: 32 }, (_, i) => i * 7))
  const plaintext = utf8('thirty-three bytes, two blocks, +1')
  const aad = utf8('what it belongs to')
  const sealed = seal(key, plaintext, aad)

  test('opens', () => {
    expect(sealed).toHaveLength(nonceLength + plaintext.length + tagLength)
    expect(unsealedBytes(key, sealed, aad)).toEqual(plaintext)
  })

  test('opens when it holds nothing', () => {
    expect(unsealedBytes(key, seal(key, new Uint8Array(), aad), aad)).toEqual(new Uint8Array())
  })

  test('looks different each time', () => {
    const nonces = Array.from({ length: 200 }, () => hex(seal(key, plaintext, aad).subarray(0, 12)))
    expect(new Set(nonces).size).toBe(nonces.length)
  })

  test('is refused with any one bit changed: nonce, ciphertext or tag', () => {
    for (let bit = 0; bit < sealed.length * 8; bit++) {
      expect(unseal(key, flipped(sealed, bit), aad)).toBeUndefined()
    }
  })

  test('is refused under a key with any one bit changed', () => {
    const bytes = revealed(key)
    for (let bit = 0; bit < 256; bit++) {
      using other = secretOf(flipped(bytes, bit))
      expect(unseal(other, sealed, aad)).toBeUndefined()
    }
  })

  test('is refused for anything else than what it was sealed for', () => {
    for (let bit = 0; bit < aad.length * 8; bit++) {
      expect(unseal(key, sealed, flipped(aad, bit))).toBeUndefined()
    }
    expect(unseal(key, sealed, new Uint8Array())).toBeUndefined()
    expect(unseal(key, sealed, concat(aad, Uint8Array.of(0)))).toBeUndefined()
    expect(unseal(key, sealed, aad.subarray(0, -1))).toBeUndefined()
  })

  test('is refused when it is cut anywhere or has more behind it', () => {
    for (let length = 0; length < sealed.length; length++) {
      expect(unseal(key, sealed.subarray(0, length), aad)).toBeUndefined()
    }
    expect(unseal(key, concat(sealed, Uint8Array.of(0)), aad)).toBeUndefined()
  })

  test('is refused with a nonce of another length', () => {
    const [nonce, rest] = [sealed.subarray(0, nonceLength), sealed.subarray(nonceLength)]
    expect(unsealPublic(key, nonce, rest, aad)).toEqual(plaintext)
    expect(unsealPublic(key, nonce.subarray(1), rest, aad)).toBeUndefined()
    expect(unsealPublic(key, concat(nonce, nonce), rest, aad)).toBeUndefined()
  })

  test('made of any bytes is refused', () => {
    const check = (bytes: Uint8Array) => expect(unseal(key, bytes, aad)).toBeUndefined()
    fc.assert(fc.property(anything, check), { numRuns })
  })

  test('can be made from and read in locked memory', () => {
    using secret = secretOf(plaintext)
    const box = secret.use(bytes => seal(key, bytes, aad))
    using held = secretOf(box)
    expect(held.use(bytes => unsealedBytes(key, bytes, aad))).toEqual(plaintext)
  })
})

function unsealedBytes(key: Secret, sealed: Uint8Array, aad: Uint8Array): Uint8Array | undefined {
  using opened = unseal(key, sealed, aad)
  return opened && revealed(opened)
}

function flipped(bytes: Uint8Array, bit: number): Uint8Array {
  return bytes.with(bit >> 3, (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7)))
}

function bytesOf(text: string): Uint8Array {
  return fromHex(text) ?? new Uint8Array()
}
