import { describe, expect, test } from 'bun:test'
import { createHash, createPublicKey, verify as verifyByNode } from 'node:crypto'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import fc from 'fast-check'
import { fromHex, hex, utf8 } from '../../src/base/bytes.ts'
import type { Algorithm, PublicKey, Signature, SigningRequest } from '../../src/base/model.ts'
import { isPrivateKey, publicKeyOf, sign, verify } from '../../src/secret/sign.ts'
import { refusalOf } from '../support/secret.ts'

const numRuns = Number(process.env['FC_NUM_RUNS'] ?? 100)
const n = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n
const last = (n - 1n).toString(16)
const word = (value: bigint) => value.toString(16).padStart(64, '0')
const key = fc.bigInt(1n, n - 1n).map(value => bytesOf(word(value)))
const digest = fc.uint8Array({ minLength: 32, maxLength: 32 })

/**
 * RFC 6979 nonces over secp256k1 and SHA-256, low s.
 * https://github.com/bitcoinjs/bitcoinjs-lib, test/fixtures/ecdsa.json: key, message, recovery, r, s
 */
const ecdsaVectors: readonly (readonly [string, string, number, string, string])[] = [
  [
    word(1n),
    'Everything should be made as simple as possible, but not simpler.',
    0,
    '33a69cd2065432a30f3d1ce4eb0d59b8ab58c74f27c41a7fdb5696ad4e6108c9',
    '6f807982866f785d3f6418d24163ddae117b7db4d5fdf0071de069fa54342262',
  ],
  [
    last,
    'Equations are more important to me, because politics is for the present, but an equation is something for eternity.',
    0,
    '54c4a33c6423d689378f160a7ff8b61330444abb58fb470f96ea16d99d4a2fed',
    '07082304410efa6b2943111b6a4e0aaa7b7db55a07e9861d1fb3cb1f421044a5',
  ],
  [
    last,
    'Not only is the Universe stranger than we think, it is stranger than we can think.',
    0,
    'ff466a9f1b7b273e2f4c3ffe032eb2e814121ed18ef84665d0f515360dab3dd0',
    '6fc95f5132e5ecfdc8e5e6e616cc77151455d46ed48f5589b7db7771a332b283',
  ],
  [
    word(1n),
    'How wonderful that we have met with a paradox. Now we have some hope of making progress.',
    1,
    'c0dafec8251f1d5010289d210232220b03202cba34ec11fec58b3e93a85b91d3',
    '75afdc06b7d6322a590955bf264e7aaa155847f614d80078a90292fe205064d3',
  ],
  [
    '69ec59eaa1f4f2e36b639716b7c30ca86d9a5375c7b38d8918bd9c0ebc80ba64',
    'Computer science is no more about computers than astronomy is about telescopes.',
    0,
    '7186363571d65e084e7f02b0b77c3ec44fb1b257dee26274c38c928986fea45d',
    '0de0b38e06807e46bda1f1e293f4f6323e854c86d58abdd00c46c16441085df6',
  ],
  [
    '00000000000000000000000000007246174ab1e92e9149c6e446fe194d072637',
    "...if you aren't, at any given time, scandalized by code you wrote five or even three years ago, you're not learning anywhere near enough",
    1,
    'fbfe5076a15860ba8ed00e75e9bd22e05d230f02a936b653eb55b61c99dda487',
    '0e68880ebb0050fe4312b1b1eb0899e1b82da89baa5b895f612619edf34cbd37',
  ],
  [
    '000000000000000000000000000000000000000000056916d0f9b31dc9b637f3',
    'The question of whether computers can think is like the question of whether submarines can swim.',
    1,
    'cde1302d83f8dd835d89aef803c74a119f561fbaef3eb9129e45f30de86abbf9',
    '06ce643f5049ee1f27890467b77a6a8e11ec4661cc38cd8badf90115fbd03cef',
  ],
]

/** RFC 8032 section 7.1, TEST 1 to 3: key, public key, message, signature */
const ed25519Vectors: readonly (readonly [string, string, string, string])[] = [
  [
    '9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60',
    'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a',
    '',
    'e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b',
  ],
  [
    '4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb',
    '3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c',
    '72',
    '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00',
  ],
  [
    'c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7',
    'fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025',
    'af82',
    '6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a',
  ],
]

describe('ECDSA over secp256k1', () => {
  test.each(ecdsaVectors)('key %s signs "%s"', (key, message, recovery, r, s) => {
    const request = ecdsa(createHash('sha256').update(message).digest())
    const signature = sign(request, bytesOf(key))
    expect(hex(signature.bytes)).toBe(r + s)
    expect(signature.recovery).toBe(recovery)
    expect(verify(request, signature, publicKeyOf('secp256k1', bytesOf(key)))).toBe(true)
  })

  test('gives the same bytes every time, a low s, and a recovery bit that finds the key', () => {
    const check = (digest: Uint8Array, key: Uint8Array) => {
      const signature = sign(ecdsa(digest), key)
      expect(sign(ecdsa(digest), key)).toEqual(signature)
      expect(signature.bytes).toHaveLength(64)
      expect(BigInt(`0x${hex(signature.bytes.subarray(32))}`)).toBeLessThanOrEqual(n / 2n)
      const found = secp256k1.Signature.fromBytes(signature.bytes)
        .addRecoveryBit(signature.recovery)
        .recoverPublicKey(digest)
      expect(publicKeyOf('secp256k1', key).bytes).toEqual(found.toBytes())
      expect(verify(ecdsa(digest), signature, publicKeyOf('secp256k1', key))).toBe(true)
      expect(verify(ecdsa(digest), signature, publicKeyOf('secp256k1', key, false))).toBe(true)
    }
    fc.assert(fc.property(digest, key, check), { numRuns })
  })

  test('a digest at the edges of the group can be signed', () => {
    for (const value of [0n, 1n, n - 1n, n, n + 1n, 2n ** 256n - 1n]) {
      const request = ecdsa(bytesOf(word(value)))
      const signature = sign(request, bytesOf(last))
      expect(verify(request, signature, publicKeyOf('secp256k1', bytesOf(last)))).toBe(true)
    }
  })

  test.each([0, 1, 20, 31, 33, 64])('%d bytes are no digest', length => {
    const request = ecdsa(new Uint8Array(length))
    expect(refusalOf(() => sign(request, bytesOf(last))).code).toBe('unexpected')
  })
})

describe('ed25519', () => {
  test.each(ed25519Vectors)('RFC 8032: key %s', (key, publicKey, message, signature) => {
    const request = ed25519(bytesOf(message))
    expect(hex(publicKeyOf('ed25519', bytesOf(key)).bytes)).toBe(publicKey)
    const signed = sign(request, bytesOf(key))
    expect(hex(signed.bytes)).toBe(signature)
    expect(verify(request, signed, publicKeyOf('ed25519', bytesOf(key)))).toBe(true)
  })

  test('is accepted by node:crypto', () => {
    const seed = fc.uint8Array({ minLength: 32, maxLength: 32 })
    const check = (message: Uint8Array, seed: Uint8Array) => {
      const x = Buffer.from(publicKeyOf('ed25519', seed).bytes).toString('base64url')
      const key = createPublicKey({ format: 'jwk', key: { kty: 'OKP', crv: 'Ed25519', x } })
      expect(verifyByNode(null, message, key, sign(ed25519(message), seed).bytes)).toBe(true)
    }
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), seed, check), { numRuns })
  })
})

describe.each(['ecdsa-secp256k1', 'ed25519'] as const)('verify with %s', algorithm => {
  const privateKey = createHash('sha256').update('a key').digest()
  const message = createHash('sha256').update('a message').digest()
  const request: SigningRequest = { key: 0, algorithm, message }
  const curve = algorithm === 'ed25519' ? 'ed25519' : 'secp256k1'
  const publicKey = publicKeyOf(curve, privateKey)
  const signature = sign(request, privateKey)

  test('refuses any flipped bit of the signature', () => {
    for (let bit = 0; bit < 512; bit++) {
      const bytes = flipped(signature.bytes, bit)
      expect(verify(request, { ...signature, bytes }, publicKey)).toBe(false)
    }
  })

  test('refuses any flipped bit of the message', () => {
    for (let bit = 0; bit < 256; bit++) {
      const other = { ...request, message: flipped(message, bit) }
      expect(verify(other, signature, publicKey)).toBe(false)
    }
  })

  test('refuses any flipped bit of the public key', () => {
    for (let bit = 0; bit < publicKey.bytes.length * 8; bit++) {
      const other: PublicKey = { ...publicKey, bytes: flipped(publicKey.bytes, bit) }
      expect(verify(request, signature, other)).toBe(false)
    }
  })

  test('refuses signatures and keys of a wrong length without throwing', () => {
    for (const length of [0, 1, 32, 63, 65, 1000]) {
      const bytes = new Uint8Array(length).fill(1)
      expect(verify(request, { ...signature, bytes }, publicKey)).toBe(false)
      expect(verify(request, signature, { ...publicKey, bytes })).toBe(false)
    }
  })
})

test('verify with ECDSA refuses another recovery value', () => {
  const privateKey = bytesOf(word(5n))
  for (const fill of [1, 2, 3, 4, 5, 6, 7, 8]) {
    const request = ecdsa(new Uint8Array(32).fill(fill))
    const signature = sign(request, privateKey)
    for (const recovery of [1 - signature.recovery, 2, 3, 4, 27, 255, -1, 256, 257, NaN, 0.5]) {
      const other: Signature = { ...signature, recovery }
      expect(verify(request, other, publicKeyOf('secp256k1', privateKey))).toBe(false)
    }
  }
})

describe('a private key', () => {
  test.each([
    ['zero', 0n, false],
    ['one', 1n, true],
    ['the order less one', n - 1n, true],
    ['the order', n, false],
    ['the order and one', n + 1n, false],
    ['all ones', 2n ** 256n - 1n, false],
  ])('of secp256k1: %s', (_, value, expected) => {
    expect(isPrivateKey('secp256k1', bytesOf(word(value)))).toBe(expected)
    expect(isPrivateKey('ed25519', bytesOf(word(value)))).toBe(true)
  })

  test.each([0, 31, 33, 64])('never has %d bytes', length => {
    const bytes = new Uint8Array(length).fill(1)
    expect(isPrivateKey('secp256k1', bytes)).toBe(false)
    expect(isPrivateKey('ed25519', bytes)).toBe(false)
  })
})

function ecdsa(message: Uint8Array): SigningRequest {
  return request('ecdsa-secp256k1', message)
}

function ed25519(message: Uint8Array): SigningRequest {
  return request('ed25519', message)
}

function request(algorithm: Algorithm, message: Uint8Array): SigningRequest {
  return { key: 0, algorithm, message }
}

function flipped(bytes: Uint8Array, bit: number): Uint8Array {
  return Uint8Array.from(bytes).with(bit >> 3, (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7)))
}

function bytesOf(text: string): Uint8Array {
  return fromHex(text) ?? utf8(text)
}
