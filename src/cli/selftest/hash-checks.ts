import { createHash } from 'node:crypto'
import { blake2b } from '@noble/hashes/blake2.js'
import { ripemd160 } from '@noble/hashes/legacy.js'
import { sha256, sha512, sha512_256 } from '@noble/hashes/sha2.js'
import { keccak_256, sha3_256 } from '@noble/hashes/sha3.js'
import { hex, utf8 } from '../../base/bytes.ts'
import { hmac } from '../../secret/kdf.ts'
import type { SelfCheck } from './check.ts'
import { revealed } from './published.ts'

type Hash = (message: Uint8Array) => Uint8Array

const ofNode =
  (name: string): Hash =>
  message =>
    createHash(name).update(message).digest()

const sha256Digest = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'
const ripemdDigest = '8eb208f7e05d987a9b044a8e98c6b087f15a0bfc'
const fips180 = 'FIPS 180-4, example "abc"'
const ripemdSource = 'RIPEMD-160 by its authors, "abc"'

/** Each as the chains use it: some by noble, some by node:crypto, some by both. */
const hashes: readonly (readonly [name: string, source: string, digest: string, hash: Hash])[] = [
  ['SHA-256', fips180, sha256Digest, sha256],
  ['SHA-256 of node:crypto', fips180, sha256Digest, ofNode('sha256')],
  [
    'SHA-512',
    fips180,
    'ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a' +
      '2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f',
    sha512,
  ],
  [
    'SHA-512/256',
    fips180,
    '53048e2681941ef99b2e29b76b4c7dabe4c2d0c634fc6d46e0e2f13107e7af23',
    sha512_256,
  ],
  [
    'SHA3-256',
    'FIPS 202, example "abc"',
    '3a985da74fe225b2045c172d6bd390bd855f086e3e9d525b46bfe24511431532',
    sha3_256,
  ],
  [
    'BLAKE2b',
    'RFC 7693, appendix A',
    'ba80a53f981c4d0d6a2797b69f12f6e94c212f14685ac4b74b12bb6fdbffa2d1' +
      '7d87c5392aab792dc252d5de4533cc9518d38aa8dbf1925ab92386edd4009923',
    message => blake2b(message),
  ],
  [
    'BLAKE2b-256',
    'b2sum -l 256 of GNU coreutils, "abc"',
    'bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319',
    message => blake2b(message, { dkLen: 32 }),
  ],
  ['RIPEMD-160', ripemdSource, ripemdDigest, ripemd160],
  ['RIPEMD-160 of node:crypto', ripemdSource, ripemdDigest, ofNode('ripemd160')],
]

export const hashChecks: readonly SelfCheck[] = [
  ...hashes.map(
    ([name, source, expected, hash]): SelfCheck => ({
      name,
      source,
      expected,
      actual: () => hex(hash(utf8('abc'))),
    }),
  ),
  {
    name: 'Keccak-256',
    source: 'the yellow paper of Ethereum, of no bytes',
    expected: 'c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470',
    actual: () => hex(keccak_256(new Uint8Array())),
  },
  hmacCheck('sha256', '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843'),
  hmacCheck(
    'sha512',
    '164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554' +
      '9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737',
  ),
]

function hmacCheck(hash: 'sha256' | 'sha512', expected: string): SelfCheck {
  return {
    name: `HMAC ${hash}`,
    source: 'RFC 4231, test case 2',
    expected,
    actual: () => revealed(hmac(hash, utf8('Jefe'), utf8('what do ya want for nothing?'))),
  }
}
