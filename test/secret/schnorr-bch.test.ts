import { describe, expect, test } from 'bun:test'
import { createHash, createHmac } from 'node:crypto'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import fc from 'fast-check'
import { fromHex, hex } from '../../src/base/bytes.ts'
import type { PublicKey, Signature, SigningRequest } from '../../src/base/model.ts'
import { publicKeyOf, sign, verify } from '../../src/secret/sign.ts'
import { refusalOf } from '../support/secret.ts'

const numRuns = Number(process.env['FC_NUM_RUNS'] ?? 100)
const { Point } = secp256k1
const p = Point.Fp.ORDER
const n = Point.Fn.ORDER
const key = fc.bigInt(1n, n - 1n).map(value => bytesOf(word(value)))
const digest = fc.uint8Array({ minLength: 32, maxLength: 32 })

/** Bitcoin ABC, src/test/key_tests.cpp, key_test1: what a full node itself signs. Key, signature. */
const message = 'Very deterministic message'
const signingVectors: readonly (readonly [string, string])[] = [
  [
    '12b004fff7f4b69ef8650e767f18f11ede158148b425660723b9f9a66e61f747',
    '2c56731ac2f7a7e7f11518fc7722a166b02438924ca9d8b4d111347b81d07175' +
      '71846de67ad3d913a8fdf9d8f3f73161a4c48ae81cb183b214765feb86e255ce',
  ],
  [
    'b524c28b61c9b2c49b2c7dd4c2d75887abb78768c054bd7c01af4029f6c0d117',
    'e7167ae0afbba6019b4c7fcfe6de79165d555e8295bd72da1b8aa1a5b5430588' +
      '0517cace1bcb0cb515e2eeaffd49f1e4dd49fd72826b4b1573c84da49a38405d',
  ],
]

const digestOfPi = '243f6a8885a308d313198a2e03707344a4093822299f31d0082efa98ec4e6c89'
const keyOfPi = '02dff1d77f2a671c5f36183726db2341be58feae1da2deced843240f7b502ba659'
const rOfPi = '2a298dacae57395a15d0795ddbfd1dcb564da82b0f269bc70a74f8220429ba1d'
const sOfPi = '1e51a22ccec35599b8f266912281f8365ffc2d035a230434a1a64dc59f7013fd'
const zeros = '00'.repeat(32)
const generator = '0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798'

/** Bitcoin ABC, src/secp256k1/src/modules/schnorr/tests_impl.h: public key, digest, signature. */
const accepted: readonly (readonly [string, string, string])[] = [
  [
    generator,
    zeros,
    '787a848e71043d280c50470e8e1532b2dd5d20ee912a45dbdd2bd1dfbf187ef6' +
      '7031a98831859dc34dffeedda86831842ccd0079e1f92af177f7f22cc1dced05',
  ],
  [keyOfPi, digestOfPi, rOfPi + sOfPi],
  [
    '03fac2114c2fbb091527eb7c64ecb11f8021cb45e8e7809d3c0938e4b8c0e5f84b',
    '5e2d58d8b3bcdf1abadec7829054f90dda9805aab56c77333024b9d0a508b75c',
    '00da9b08172a9b6f0466a2defd817f2d7ab437e0d253cb5395a963866b3574be' +
      '00880371d01766935b92d2ab4cd5c8a2a5837ec57fed7660773a05f0de142380',
  ],
  [
    '03defdea4cdb677750a420fee807eacf21eb9898ae79b9768766e4faa04a2d4a34',
    '4df3c3f68fcc83b27e9d42c90431a72499f17875c81a599b566c9889b9696703',
    '00000000000000000000003b78ce563f89a0ed9414f5aa28ad0d96d6795f9c63' +
      '02a8dc32e64e86a333f20ef56eac9ba30b7246d6d25e22adb8c6be1aeb08d49d',
  ],
  [
    '031b84c5567b126440995d3ed5aaba0565d71e1834604819ff9c17f5e9d5dd078f',
    zeros,
    '52818579aca59767e3291d91b76b637bef062083284992f2d95f564ca6cb4e35' +
      '30b1da849c8e8304adc0cfe870660334b3cfc18e825ef1db34cfae3dfc5d8187',
  ],
]
const refused: readonly (readonly [string, string, string, string])[] = [
  [
    'whose R.y is no square',
    keyOfPi,
    digestOfPi,
    `${rOfPi}fa16aee06609280a19b67a24e1977e4697712b5fd2943914ecd5f730901b4ab7`,
  ],
  [
    'with a negated digest',
    '03fac2114c2fbb091527eb7c64ecb11f8021cb45e8e7809d3c0938e4b8c0e5f84b',
    '5e2d58d8b3bcdf1abadec7829054f90dda9805aab56c77333024b9d0a508b75c',
    '00da9b08172a9b6f0466a2defd817f2d7ab437e0d253cb5395a963866b3574be' +
      'd092f9d860f1776a1f7412ad8a1eb50daccc222bc8c0e26b2056df2f273efdec',
  ],
  [
    'with a negated s',
    generator,
    zeros,
    '787a848e71043d280c50470e8e1532b2dd5d20ee912a45dbdd2bd1dfbf187ef6' +
      '8fce5677ce7a623cb20011225797ce7a8de1dc6ccd4f754a47da6c600e59543c',
  ],
  ['of the negated key', `03${keyOfPi.slice(2)}`, digestOfPi, rOfPi + sOfPi],
  [
    'whose R is the point at infinity',
    keyOfPi,
    digestOfPi,
    `${rOfPi}8c3428869a663ed1e954705b020cbb3e7bb6ac31965b9ea4c73e227b17c5af5a`,
  ],
  ['whose r is on no point', keyOfPi, digestOfPi, `4${rOfPi.slice(1)}${sOfPi}`],
  ['whose r is the field size', keyOfPi, digestOfPi, word(p) + sOfPi],
  ['whose s is the group order', keyOfPi, digestOfPi, rOfPi + word(n)],
]

describe('signing', () => {
  test.each(signingVectors)('key %s signs as a full node does', (key, signature) => {
    const request = schnorr(twiceHashed(message))
    const signed = sign(request, bytesOf(key))
    expect([hex(signed.bytes), signed.recovery]).toEqual([signature, 0])
    for (const compressed of [true, false]) {
      expect(verify(request, signed, publicKeyOf('secp256k1', bytesOf(key), compressed))).toBe(true)
    }
  })

  test('is what the specification says, word by word', () => {
    const check = (digest: Uint8Array, key: Uint8Array) => {
      const signature = sign(schnorr(digest), key)
      expect(hex(signature.bytes)).toBe(signedByTheBook(digest, key))
      expect(verify(schnorr(digest), signature, publicKeyOf('secp256k1', key))).toBe(true)
    }
    fc.assert(fc.property(digest, key, check), { numRuns })
    for (const value of [0n, n - 1n, n, 2n ** 256n - 1n]) {
      check(bytesOf(word(value)), bytesOf(word(1n)))
      check(bytesOf(word(value)), bytesOf(word(n - 1n)))
    }
  })

  test('uses another nonce than ECDSA for the same key and digest', () => {
    const check = (digest: Uint8Array, key: Uint8Array) => {
      const r = sign(schnorr(digest), key).bytes.subarray(0, 32)
      const other = sign({ ...schnorr(digest), algorithm: 'ecdsa-secp256k1' }, key)
      expect(hex(r)).not.toBe(hex(other.bytes.subarray(0, 32)))
    }
    fc.assert(fc.property(digest, key, check), { numRuns })
  })

  test.each([0, 1, 31, 33, 64])('%d bytes are no digest', length => {
    const request = schnorr(new Uint8Array(length))
    expect(refusalOf(() => sign(request, bytesOf(word(1n)))).code).toBe('unexpected')
  })

  test('leaves the key and the digest as they were', () => {
    const [key, message] = [bytesOf(word(5n)), twiceHashed('x')]
    sign(schnorr(message), key)
    expect(hex(key)).toBe(word(5n))
    expect(hex(message)).toBe(hex(twiceHashed('x')))
  })
})

describe('verifying', () => {
  test.each(accepted)('a signature of %s is accepted', (publicKey, digest, signature) => {
    expect(isValid(publicKey, digest, signature)).toBe(true)
  })

  test.each(refused)('a signature %s is refused', (_, publicKey, digest, signature) => {
    expect(isValid(publicKey, digest, signature)).toBe(false)
  })

  const privateKey = bytesOf(word(7n))
  const request = schnorr(twiceHashed('a message'))
  const publicKey = publicKeyOf('secp256k1', privateKey)
  const signature = sign(request, privateKey)

  test('refuses any flipped bit of the signature, the digest and the key', () => {
    for (let bit = 0; bit < 512; bit++) {
      const bytes = flipped(signature.bytes, bit)
      expect(verify(request, { ...signature, bytes }, publicKey)).toBe(false)
    }
    for (let bit = 0; bit < 256; bit++) {
      const other = { ...request, message: flipped(request.message, bit) }
      expect(verify(other, signature, publicKey)).toBe(false)
    }
    for (let bit = 0; bit < publicKey.bytes.length * 8; bit++) {
      const other = { ...publicKey, bytes: flipped(publicKey.bytes, bit) }
      expect(verify(request, signature, other)).toBe(false)
    }
  })

  test('refuses the ECDSA signature of the same key and digest, and the other way round', () => {
    const ecdsa = { ...request, algorithm: 'ecdsa-secp256k1' } as const
    expect(verify(request, sign(ecdsa, privateKey), publicKey)).toBe(false)
    expect(verify(ecdsa, signature, publicKey)).toBe(false)
  })

  test('refuses anything else made up, without throwing', () => {
    const bytes = fc.uint8Array({ maxLength: 66 })
    const check = (signature: Uint8Array, digest: Uint8Array, key: Uint8Array) => {
      const made: Signature = { bytes: signature, recovery: 0 }
      expect(verify(schnorr(digest), made, { curve: 'secp256k1', bytes: key })).toBe(false)
      expect(verify(request, made, publicKey)).toBe(false)
      const filled = { bytes: Uint8Array.from({ length: 64 }, (_, i) => signature[i] ?? 0) }
      expect(verify(request, { ...made, ...filled }, publicKey)).toBe(false)
    }
    fc.assert(fc.property(bytes, bytes, bytes, check), { numRuns })
  })
})

/** The specification with text and numbers, HMAC and hashes by node:crypto. */
function signedByTheBook(digest: Uint8Array, key: Uint8Array): string {
  const d = BigInt(`0x${hex(key)}`)
  const nonce = nonceByTheBook(digest, key)
  const R = Point.BASE.multiply(nonce).toAffine()
  const jacobi = Point.Fp.pow(R.y, (p - 1n) / 2n)
  const k = jacobi === 1n ? nonce : n - nonce
  const publicKey = secp256k1.getPublicKey(key)
  const hash = createHash('sha256')
    .update(bytesOf(word(R.x)))
    .update(publicKey)
    .update(digest)
  const e = BigInt(`0x${hash.digest('hex')}`)
  return word(R.x) + word((k + e * d) % n)
}

/** RFC 6979, 3.2, steps b to h. */
function nonceByTheBook(digest: Uint8Array, key: Uint8Array): bigint {
  const mac = (key: Buffer, text: Uint8Array) => createHmac('sha256', key).update(text).digest()
  const data = Buffer.concat([key, digest, Buffer.from('Schnorr+SHA256  ')])
  let V: Buffer = Buffer.alloc(32, 1)
  let K: Buffer = Buffer.alloc(32)
  K = mac(K, Buffer.concat([V, Buffer.of(0), data]))
  V = mac(K, V)
  K = mac(K, Buffer.concat([V, Buffer.of(1), data]))
  V = mac(K, V)
  return BigInt(`0x${mac(K, V).toString('hex')}`)
}

function isValid(publicKey: string, digest: string, signature: string): boolean {
  const made: Signature = { bytes: bytesOf(signature), recovery: 0 }
  const owner: PublicKey = { curve: 'secp256k1', bytes: bytesOf(publicKey) }
  return verify(schnorr(bytesOf(digest)), made, owner)
}

function schnorr(message: Uint8Array): SigningRequest {
  return { key: 0, algorithm: 'schnorr-bch', message }
}

function twiceHashed(text: string): Uint8Array {
  const once = createHash('sha256').update(text).digest()
  return createHash('sha256').update(once).digest()
}

function word(value: bigint): string {
  return value.toString(16).padStart(64, '0')
}

function flipped(bytes: Uint8Array, bit: number): Uint8Array {
  return Uint8Array.from(bytes).with(bit >> 3, (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7)))
}

function bytesOf(text: string): Uint8Array {
  const bytes = fromHex(text)
  if (bytes === undefined) throw new Error('not hex')
  return bytes
}
