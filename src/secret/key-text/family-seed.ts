import { sha512 } from '@noble/hashes/sha2.js'
import {
  base58Checksum,
  decodeBase58,
  encodeBase58,
  endsInChecksum,
  xrplAlphabet,
} from '../../base/base58.ts'
import { u32 } from '../../base/binary.ts'
import { KmsError } from '../../base/errors.ts'
import type { Curve } from '../../base/model.ts'
import type { PublicKeyOf } from '../hd.ts'
import { randomSecret } from '../random.ts'
import { addModOrder } from '../scalar.ts'
import { allocateSecret, filledSecret, type Secret, secretFrom } from '../secret.ts'
import { isPrivateKey } from '../sign.ts'
import { formatHex, parseHex, readDigits } from './hex.ts'

/** https://xrpl.org/docs/concepts/accounts/cryptographic-keys: what stands before the 16 bytes. */
const versions = {
  secp256k1: Uint8Array.of(0x21),
  ed25519: Uint8Array.of(0x01, 0xe1, 0x4b),
} as const
const seedLength = 16
const checksumLength = 4
const longestPayload = versions.ed25519.length + seedLength + checksumLength
/** `sEd…` */
const longestText = 31
const zero = 0x30

type FamilyCurve = keyof typeof versions
type Parsed = { readonly key: Secret; readonly curve: Curve }

/** The XRP Ledger: a family seed, or the private key on secp256k1 that other wallets give out. */
export async function parseFamilySeed(text: Secret, publicKeyOf: PublicKeyOf): Promise<Parsed> {
  if (text.length >= 64) return { key: parseKeyHex(text), curve: 'secp256k1' }
  const { seed, curve } = readSeed(text)
  using entropy = seed
  const key = curve === 'ed25519' ? ed25519Key(entropy) : await secp256k1Key(entropy, publicKeyOf)
  return { key, curve }
}

/** A key that was derived from a mnemonic has no seed: it is written as the ledger's tools write it. */
export function formatFamilyKey(key: Secret): Secret {
  return formatHex(key, { prefix: '', isUpperCase: true })
}

/** A new seed of an ed25519 key (`sEd…`), which the ledger's own tools make by default. */
export function generateFamilySeed(): Secret {
  using entropy = randomSecret(seedLength)
  using payload = entropy.use(bytes =>
    filledSecret(longestPayload, out => writePayload(bytes, out)),
  )
  const text = allocateSecret(longestText)
  text.shrink(payload.use(bytes => text.use(out => encodeBase58(bytes, out, xrplAlphabet))))
  return text
}

function writePayload(entropy: Uint8Array, out: Uint8Array): void {
  const end = out.length - checksumLength
  out.set(versions.ed25519)
  out.set(entropy, versions.ed25519.length)
  out.set(base58Checksum(out.subarray(0, end)), end)
}

/** 64 digits, or 66 of which the first two, 00, say that the key is one of secp256k1. */
function parseKeyHex(text: Secret): Secret {
  return text.use(digits => {
    const isMarked = digits.length === 66 && digits[0] === zero && digits[1] === zero
    if (!isMarked) return parseHex(text)
    return filledSecret(32, key => readDigits(digits.subarray(2), key))
  })
}

function readSeed(text: Secret): { readonly seed: Secret; readonly curve: FamilyCurve } {
  using decoded = allocateSecret(longestPayload)
  return decoded.use(bytes => {
    const length = text.use(letters =>
      letters.length > longestText ? undefined : decodeBase58(letters, bytes, xrplAlphabet),
    )
    const payload = bytes.subarray(0, length)
    const curve = length === undefined ? undefined : curveOf(payload)
    if (curve === undefined || !endsInChecksum(payload)) throw notOurs()
    const seed = payload.subarray(versions[curve].length, -checksumLength)
    return { seed: filledSecret(seedLength, out => out.set(seed)), curve }
  })
}

function curveOf(payload: Uint8Array): FamilyCurve | undefined {
  const isOf = (curve: FamilyCurve): boolean => {
    const version = versions[curve]
    return (
      payload.length === version.length + seedLength + checksumLength &&
      version.every((byte, i) => payload[i] === byte)
    )
  }
  if (isOf('ed25519')) return 'ed25519'
  return isOf('secp256k1') ? 'secp256k1' : undefined
}

function ed25519Key(seed: Secret): Secret {
  return seed.use(bytes => sha512Half(bytes))
}

/**
 * The root key of the seed and the intermediate key of family member 0, added: the only member that
 * accounts use.
 */
async function secp256k1Key(seed: Secret, publicKeyOf: PublicKeyOf): Promise<Secret> {
  using root = seed.use(bytes => firstKeyOf(bytes))
  const { bytes: rootPublic } = await publicKeyOf('secp256k1', root)
  const sum = firstKeyOf(rootPublic, u32(0))
  if (sum.use(intermediate => root.use(addend => addModOrder(intermediate, addend)))) return sum
  sum.wipe()
  throw new KmsError('unexpected', 'this family seed has no key')
}

/** The first hash of the data and a counter that is a private key; it is the one of 0 but for luck. */
function firstKeyOf(...data: readonly Uint8Array[]): Secret {
  for (let counter = 0; ; counter++) {
    const hash = sha512Half(...data, u32(counter))
    if (hash.use(bytes => isPrivateKey('secp256k1', bytes))) return hash
    hash.wipe()
  }
}

/** The first half of SHA-512. noble wipes its state. */
function sha512Half(...data: readonly Uint8Array[]): Secret {
  const state = sha512.create()
  for (const part of data) state.update(part)
  const digest = secretFrom(state.digest())
  digest.shrink(32)
  return digest
}

function notOurs(): KmsError {
  return new KmsError('usage', 'the private key is no family seed of the XRP Ledger (s…)', {
    hint: 'a secret begins with s, a private key of secp256k1 has 64 hex digits',
  })
}
