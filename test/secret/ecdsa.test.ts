import { expect, test } from 'bun:test'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import fc from 'fast-check'
import { secp256k1PublicKey, signEcdsa } from '../../src/secret/ecdsa.ts'
import { bytesOf } from '../../src/secret/numbers.ts'

const numRuns = Number(process.env['FC_NUM_RUNS'] ?? 100)
const n = secp256k1.Point.Fn.ORDER
const keys = fc.oneof(fc.bigInt(1n, n - 1n), fc.constantFrom(1n, 2n, n - 1n, n / 2n)).map(bytesOf)
/** Also above the order, where SEC 1 and RFC 6979 reduce. */
const digests = fc.oneof(
  fc.uint8Array({ minLength: 32, maxLength: 32 }),
  fc.constantFrom(0n, 1n, n - 1n, n, n + 1n, 2n ** 256n - 1n).map(bytesOf),
)

test.each([true, false])('every byte is the one that noble signs (low s: %p)', lowS => {
  fc.assert(
    fc.property(keys, digests, (key, digest) => {
      const options = { prehash: false, lowS, format: 'recovered' } as const
      const { bytes, recovery } = signEcdsa(digest, key, lowS)
      expect(Uint8Array.of(recovery, ...bytes)).toEqual(secp256k1.sign(digest, key, options))
    }),
    { numRuns },
  )
})

test.each([true, false])('and so is the public key (compressed: %p)', compressed => {
  fc.assert(
    fc.property(keys, key => {
      expect(secp256k1PublicKey(key, compressed)).toEqual(secp256k1.getPublicKey(key, compressed))
    }),
    { numRuns },
  )
})

test.each([0n, n, n + 1n, 2n ** 256n - 1n])('%p is no key', value => {
  expect(() => signEcdsa(bytesOf(1n), bytesOf(value), true)).toThrow('none of its curve')
  expect(() => secp256k1PublicKey(bytesOf(value), true)).toThrow('none of its curve')
})
