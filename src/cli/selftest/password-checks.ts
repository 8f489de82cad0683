import { createCipheriv, pbkdf2Sync, scryptSync } from 'node:crypto'
import { gcm } from '@noble/ciphers/aes.js'
import { pbkdf2 } from '@noble/hashes/pbkdf2.js'
import { scrypt as nobleScrypt } from '@noble/hashes/scrypt.js'
import { sha512 } from '@noble/hashes/sha2.js'
import { concat, equalBytes, hex, utf8 } from '../../base/bytes.ts'
import { hkdf, mnemonicSeed, scrypt } from '../../secret/kdf.ts'
import { nonceLength, seal, sealWithNonce, unseal } from '../../secret/seal.ts'
import { secretFrom } from '../../secret/secret.ts'
import type { SelfCheck } from './check.ts'
import { bytesOf, revealed, secretOf } from './published.ts'

/** From a password to what is sealed; noble is the reference of node:crypto, and the other way. */

const scryptSource = 'RFC 7914, section 12: "password", "NaCl"'
/** The RFC's 64 bytes; vaults take the first half of them. */
const scryptKey =
  'fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b373162' +
  '2eaf30d92e22a3886ff109279d9830dac727afb94a83ee6d8360cbdfa2cc0640'
const scryptCost = { N: 1024, r: 8, p: 16 }

const scryptChecks: readonly SelfCheck[] = [
  {
    name: 'scrypt of the vault',
    source: scryptSource,
    expected: scryptKey.slice(0, 64),
    actual() {
      using password = secretFrom(utf8('password'))
      return revealed(scrypt(password, utf8('NaCl'), { log2N: 10, r: 8, p: 16 }))
    },
  },
  {
    name: 'scrypt of node:crypto',
    source: scryptSource,
    expected: scryptKey,
    actual: () => hex(scryptSync('password', 'NaCl', 64, scryptCost)),
  },
  {
    name: 'scrypt of noble',
    source: scryptSource,
    expected: scryptKey,
    actual: () => hex(nobleScrypt('password', 'NaCl', { ...scryptCost, dkLen: 64 })),
  },
]

const mnemonic = `${'abandon '.repeat(11)}about`
const trezor = 'BIP-39, vectors.json of python-mnemonic, passphrase TREZOR'
const seedWithPassphrase =
  'c55257c360c07c72029aebc1b53c05ed0362ada38ead3e3e9efa3708e5349553' +
  '1f09a6987599d18264c1e1c92f2cf141630c7a3c4ab7c81b2f001698e7463b04'

const seedChecks: readonly SelfCheck[] = [
  {
    name: 'PBKDF2-HMAC-SHA512 of node:crypto',
    source: trezor,
    expected: seedWithPassphrase,
    actual: () => hex(pbkdf2Sync(mnemonic, 'mnemonicTREZOR', 2048, 64, 'sha512')),
  },
  {
    name: 'PBKDF2-HMAC-SHA512 of noble',
    source: trezor,
    expected: seedWithPassphrase,
    actual: () => hex(pbkdf2(sha512, mnemonic, 'mnemonicTREZOR', { c: 2048, dkLen: 64 })),
  },
  {
    name: 'seed of a mnemonic',
    source: 'BIP-39 without a passphrase, by hashlib of Python',
    expected:
      '5eb00bbddcf069084889a8ab9155568165f5c453ccb85e70811aaed6f6da5fc1' +
      '9a5ac40b389cd370d086206dec8aa6c43daea6690f20ad3d8d48b2d2ce9e38e4',
    actual() {
      using words = secretFrom(utf8(mnemonic))
      return revealed(mnemonicSeed(words))
    },
  },
]

const hkdfCheck: SelfCheck = {
  name: 'HKDF-SHA256',
  source: 'RFC 5869, A.1, first block',
  expected: '3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf',
  actual() {
    using key = secretOf('0b'.repeat(22))
    return revealed(
      hkdf(key, bytesOf('000102030405060708090a0b0c'), bytesOf('f0f1f2f3f4f5f6f7f8f9')),
    )
  },
}

/** McGrew and Viega, "The Galois/Counter Mode of Operation", which SP 800-38D is made of. */
const gcmSource = 'GCM specification sent to NIST, test case 16'
const gcmCase = {
  key: 'feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308',
  nonce: bytesOf('cafebabefacedbaddecaf888'),
  plaintext: bytesOf(
    'd9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72' +
      '1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39',
  ),
  aad: bytesOf('feedfacedeadbeeffeedfacedeadbeefabaddad2'),
}
const gcmSealed =
  '522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa' +
  '8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f66276fc6ece0f4e1768cddf8853bb2d551b'

/** One byte more than noble seals: the body of a large vault goes through node:crypto. */
const largeLength = 2 ** 20 + 1

const sealChecks: readonly SelfCheck[] = [
  {
    name: 'AES-256-GCM of the vault',
    source: gcmSource,
    expected: gcmSealed,
    actual() {
      using key = secretOf(gcmCase.key)
      return hex(sealWithNonce(key, gcmCase.nonce, gcmCase.plaintext, gcmCase.aad))
    },
  },
  {
    name: 'AES-256-GCM of node:crypto',
    source: gcmSource,
    expected: gcmSealed,
    actual() {
      const cipher = createCipheriv('aes-256-gcm', bytesOf(gcmCase.key), gcmCase.nonce)
      cipher.setAAD(gcmCase.aad)
      const sealed = concat(cipher.update(gcmCase.plaintext), cipher.final())
      return hex(concat(sealed, cipher.getAuthTag()))
    },
  },
  {
    name: 'AES-256-GCM of a large vault',
    source: 'noble, 1 MiB and a byte',
    expected: 'the same bytes',
    actual() {
      using key = secretOf(gcmCase.key)
      const large = new Uint8Array(largeLength).fill(0x5a)
      const sealed = sealWithNonce(key, gcmCase.nonce, large, gcmCase.aad)
      const asNoble = gcm(bytesOf(gcmCase.key), gcmCase.nonce, gcmCase.aad).encrypt(large)
      return equalBytes(sealed, asNoble) ? 'the same bytes' : 'other bytes'
    },
  },
  {
    name: 'AES-256-GCM opens what it sealed, and nothing else',
    source: 'SP 800-38D, 7.2',
    expected: '646f6f72 refused refused',
    actual() {
      using key = secretOf(gcmCase.key)
      const sealed = seal(key, utf8('door'), gcmCase.aad)
      const altered = sealed.map((byte, i) => (i === nonceLength ? byte ^ 1 : byte))
      const opened = [
        unseal(key, sealed, gcmCase.aad),
        unseal(key, altered, gcmCase.aad),
        unseal(key, sealed, utf8('elsewhere')),
      ]
      return opened.map(secret => (secret === undefined ? 'refused' : revealed(secret))).join(' ')
    },
  },
]

export const passwordChecks: readonly SelfCheck[] = [
  ...scryptChecks,
  ...seedChecks,
  hkdfCheck,
  ...sealChecks,
]
