import { createHash } from 'node:crypto'
import { wordlist } from '@scure/bip39/wordlists/english.js'
import { KmsError } from '../base/errors.ts'
import { randomSecret } from './random.ts'
import { allocateSecret, type Secret } from './secret.ts'

const encoder = new TextEncoder()
const space = 0x20
/** 24 words of at most 8 letters and the spaces between them. */
const longestMnemonic = 24 * 9 - 1
const wordCounts = [12, 15, 18, 21, 24]

/** A new mnemonic of 24 English words (BIP-39, 256 bits), as UTF-8 bytes. */
export function generateMnemonic(): Secret {
  using entropy = randomSecret(32)
  return entropy.use(mnemonicFromEntropy)
}

/** BIP-39: entropy and its checksum in groups of 11 bits, each a word. */
export function mnemonicFromEntropy(entropy: Uint8Array): Secret {
  const count = (entropy.length * 8 * 33) / 32 / 11
  const text = allocateSecret(longestMnemonic)
  const length = text.use(out => {
    let at = 0
    for (let i = 0; i < count; i++) {
      if (i > 0) out[at++] = space
      const word = words()[bits11(entropy, checksum(entropy), i)] ?? new Uint8Array()
      out.set(word, at)
      at += word.length
    }
    return at
  })
  text.shrink(length)
  return text
}

/**
 * The mnemonic with single spaces between its words, after checking words and checksum (BIP-39).
 * A refusal names the position of a bad word, never the word.
 */
export function checkMnemonic(given: Secret): Secret {
  const text = allocateSecret(Math.max(given.length, 1))
  try {
    const length = given.use(from => text.use(to => collapseSpaces(from, to)))
    text.shrink(length)
    text.use(refuseBadMnemonic)
    return text
  } catch (fault) {
    text.wipe()
    throw fault
  }
}

function refuseBadMnemonic(text: Uint8Array): void {
  using indexes = allocateSecret(24 * 2)
  using entropy = allocateSecret(33)
  indexes.use(numbers => {
    const count = lookUpWords(text, new DataView(numbers.buffer, numbers.byteOffset))
    if (!wordCounts.includes(count)) {
      throw new KmsError(
        'usage',
        `a mnemonic has 12, 15, 18, 21 or 24 words, this one has ${count}`,
      )
    }
    entropy.use(bytes => {
      const view = new DataView(numbers.buffer, numbers.byteOffset)
      for (let bit = 0; bit < count * 11; bit++) {
        const word = view.getUint16(Math.floor(bit / 11) * 2)
        const set = (word >> (10 - (bit % 11))) & 1
        bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) | (set << (7 - (bit & 7)))
      }
      const size = (count * 4) / 3
      const checksumBits = count / 3
      const expected = (checksum(bytes.subarray(0, size)) >> (8 - checksumBits)) & 0xff
      if (expected !== (bytes[size] ?? 0) >> (8 - checksumBits)) {
        throw new KmsError('usage', 'the mnemonic does not match its checksum', {
          hint: 'a word may be misspelled into another one, or two words may be swapped',
        })
      }
    })
  })
}

/** Writes each word's number and answers how many words there are; more than 24 are not looked up. */
function lookUpWords(text: Uint8Array, numbers: DataView): number {
  let count = 0
  let start = 0
  for (let at = 0; at <= text.length; at++) {
    if (at < text.length && text[at] !== space) continue
    if (at > start) {
      if (count < 24) numbers.setUint16(count * 2, wordNumber(text.subarray(start, at), count))
      count++
    }
    start = at + 1
  }
  return count
}

function wordNumber(word: Uint8Array, position: number): number {
  const number = byPrefix().get(prefixOf(word))
  const known = number === undefined ? undefined : words()[number]
  if (number === undefined || known === undefined || Buffer.compare(word, known) !== 0) {
    throw new KmsError('usage', `word ${position + 1} of the mnemonic is not a BIP-39 English word`)
  }
  return number
}

/** English words differ in their first four letters (BIP-39), so these make a key without text. */
function prefixOf(word: Uint8Array): number {
  let prefix = 0
  for (let i = 0; i < 4; i++) prefix = prefix * 256 + (word[i] ?? 0)
  return prefix
}

function collapseSpaces(from: Uint8Array, to: Uint8Array): number {
  let at = 0
  for (const byte of from) {
    const isSpace = byte === space || byte === 0x09
    if (isSpace && (at === 0 || to[at - 1] === space)) continue
    to[at++] = isSpace ? space : byte
  }
  return at > 0 && to[at - 1] === space ? at - 1 : at
}

/** Number `i` of the 11-bit groups of `entropy` followed by its checksum byte. */
function bits11(entropy: Uint8Array, check: number, i: number): number {
  let value = 0
  for (let bit = i * 11; bit < i * 11 + 11; bit++) {
    const byte = bit >> 3 < entropy.length ? (entropy[bit >> 3] ?? 0) : check
    value = (value << 1) | ((byte >> (7 - (bit & 7))) & 1)
  }
  return value
}

function checksum(entropy: Uint8Array): number {
  return createHash('sha256').update(entropy).digest()[0] ?? 0
}

let encoded: readonly Uint8Array[] | undefined
function words(): readonly Uint8Array[] {
  encoded ??= wordlist.map(word => encoder.encode(word))
  return encoded
}

let prefixes: ReadonlyMap<number, number> | undefined
function byPrefix(): ReadonlyMap<number, number> {
  prefixes ??= new Map(words().map((word, number) => [prefixOf(word), number]))
  return prefixes
}
