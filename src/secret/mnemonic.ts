import { createHash } from 'node:crypto'
import { wordlist } from '@scure/bip39/wordlists/english.js'
import { KmsError } from '../base/errors.ts'
import { randomSecret } from './random.ts'
import { allocateSecret, type Secret } from './secret.ts'

const encoder = new TextEncoder()
const space = 0x20
const tab = 0x09
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
  const count = (entropy.length * 3) / 4
  if (!wordCounts.includes(count)) {
    throw new KmsError('unexpected', `${entropy.length} bytes of entropy make no mnemonic`)
  }
  const check = checksum(entropy)
  const text = allocateSecret(longestMnemonic)
  const length = text.use(out => {
    let at = 0
    for (let i = 0; i < count; i++) {
      if (i > 0) out[at++] = space
      const word = words()[bits11(entropy, check, i)] ?? new Uint8Array()
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
  using entropy = mnemonicEntropy(given)
  return entropy.use(mnemonicFromEntropy)
}

/** The 16 to 32 bytes a mnemonic stands for (BIP-39). Refuses what `checkMnemonic` refuses. */
export function mnemonicEntropy(mnemonic: Secret): Secret {
  const packed = allocateSecret((24 * 11) / 8)
  try {
    const size = mnemonic.use(text => packed.use(bits => checkedSize(bits, packWords(text, bits))))
    packed.shrink(size)
    return packed
  } catch (fault) {
    packed.wipe()
    throw fault
  }
}

/** How many of the bytes are entropy; behind it stands its checksum, one bit for every three words. */
function checkedSize(packed: Uint8Array, wordCount: number): number {
  if (!wordCounts.includes(wordCount)) {
    throw new KmsError(
      'usage',
      `a mnemonic has 12, 15, 18, 21 or 24 words, this one has ${wordCount}`,
    )
  }
  const size = (wordCount * 4) / 3
  const unused = 8 - wordCount / 3
  if (packed[size] === (checksum(packed.subarray(0, size)) & (0xff << unused))) return size
  throw new KmsError('usage', 'the mnemonic does not match its checksum', {
    hint: 'a word may be misspelled into another one, or two words may be swapped',
  })
}

/** Writes 11 bits a word and answers how many words there are; more than 24 are not looked up. */
function packWords(text: Uint8Array, packed: Uint8Array): number {
  let count = 0
  let start = 0
  for (let at = 0; at <= text.length; at++) {
    if (at < text.length && text[at] !== space && text[at] !== tab) continue
    if (at > start) {
      if (count < 24) setBits11(packed, count, wordNumber(text.subarray(start, at), count))
      count++
    }
    start = at + 1
  }
  return count
}

function setBits11(packed: Uint8Array, i: number, value: number): void {
  for (let bit = 0; bit < 11; bit++) {
    const at = i * 11 + bit
    const set = (value >> (10 - bit)) & 1
    packed[at >> 3] = (packed[at >> 3] ?? 0) | (set << (7 - (at & 7)))
  }
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
