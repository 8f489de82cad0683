import { decodeBase32, encodeBase32 } from '../../base/base32.ts'
import { decodeBase58, encodeBase58 } from '../../base/base58.ts'
import { KmsError } from '../../base/errors.ts'
import { allocateSecret, filledSecret, type Secret } from '../secret.ts'
import { readDigits } from './hex.ts'

/** The two halves of a pair as they stand in a text: nobody has compared them yet. */
export type ParsedPair = { readonly key: Secret; readonly publicKey: Uint8Array }

/** An ed25519 seed and its public key, one behind the other. */
const pairLength = 64
const longestBase58 = 88
const base32Length = 103

/** Solana: a pair in base58 or, as its older tools wrote it, in 128 hex digits. */
export function parseBase58Pair(text: Secret): ParsedPair {
  using pair = allocateSecret(pairLength)
  const isPair = text.use(letters =>
    pair.use(bytes => {
      if (letters.length === 2 * pairLength) {
        readDigits(letters, bytes)
        return true
      }
      return letters.length <= longestBase58 && decodeBase58(letters, bytes) === pairLength
    }),
  )
  if (isPair) return split(pair)
  throw new KmsError('usage', 'the private key is not 64 bytes in base58 or 128 hex digits')
}

export function formatBase58Pair(key: Secret, publicKey: Uint8Array): Secret {
  using pair = join(key, publicKey)
  const text = allocateSecret(longestBase58)
  text.shrink(pair.use(bytes => text.use(out => encodeBase58(bytes, out))))
  return text
}

/** Algorand: a pair in base32. */
export function parseBase32Pair(text: Secret): ParsedPair {
  using pair = allocateSecret(pairLength)
  const isPair = text.use(
    letters =>
      letters.length === base32Length &&
      pair.use(bytes => decodeBase32(letters, bytes) === pairLength),
  )
  if (isPair) return split(pair)
  throw new KmsError('usage', `the private key is not ${base32Length} letters of base32`)
}

export function formatBase32Pair(key: Secret, publicKey: Uint8Array): Secret {
  using pair = join(key, publicKey)
  return pair.use(bytes => filledSecret(base32Length, text => encodeBase32(bytes, text)))
}

function split(pair: Secret): ParsedPair {
  return pair.use(bytes => ({
    key: filledSecret(32, key => key.set(bytes.subarray(0, 32))),
    publicKey: bytes.slice(32),
  }))
}

function join(key: Secret, publicKey: Uint8Array): Secret {
  return key.use(seed =>
    filledSecret(pairLength, pair => {
      pair.set(seed)
      pair.set(publicKey, 32)
    }),
  )
}
