import { describe, expect, test } from 'bun:test'
import { entropyToMnemonic, mnemonicToSeedSync, validateMnemonic } from '@scure/bip39'
import { wordlist } from '@scure/bip39/wordlists/english.js'
import fc from 'fast-check'
import { fromHex } from '../../src/base/bytes.ts'
import { mnemonicSeed } from '../../src/secret/kdf.ts'
import {
  checkMnemonic,
  generateMnemonic,
  mnemonicEntropy,
  mnemonicFromEntropy,
} from '../../src/secret/mnemonic.ts'
import { expectSilence, refusalOf, revealed, revealedText, secretOf } from '../support/secret.ts'
import bip39 from '../vectors/bip39.json'

const numRuns = Number(process.env['FC_NUM_RUNS'] ?? 100)
const twelve = 'legal winner thank year wave sausage worth useful legal winner thank yellow'
const twentyFour = bip39.english.at(-1)?.[1] ?? ''
const size = fc.constantFrom(16, 20, 24, 28, 32)
const entropy = size.chain(length => fc.uint8Array({ minLength: length, maxLength: length }))

describe('BIP-39', () => {
  test.each(bip39.english)('%s is %s', (entropy, mnemonic) => {
    using made = mnemonicFromEntropy(bytesOf(entropy ?? ''))
    expect(revealedText(made)).toBe(mnemonic ?? '')
    expect(checked(mnemonic ?? '')).toBe(mnemonic ?? '')
  })

  test('any entropy has the words scure gives it, and they are accepted', () => {
    const check = (entropy: Uint8Array) => {
      using made = mnemonicFromEntropy(entropy)
      const text = entropyToMnemonic(entropy, wordlist)
      expect(revealedText(made)).toBe(text)
      expect(checked(text)).toBe(text)
      using back = mnemonicEntropy(made)
      expect(revealed(back)).toEqual(entropy)
    }
    fc.assert(fc.property(entropy, check), { numRuns })
  })

  test('a mnemonic has the seed scure gives it', () => {
    const check = (entropy: Uint8Array) => {
      using mnemonic = mnemonicFromEntropy(entropy)
      using seed = mnemonicSeed(mnemonic)
      expect(revealed(seed)).toEqual(mnemonicToSeedSync(revealedText(mnemonic)))
    }
    fc.assert(fc.property(entropy, check), { numRuns: Math.min(numRuns, 20) })
  })

  test.each([0, 1, 15, 17, 31, 33, 36, 64])('%d bytes of entropy make no mnemonic', length => {
    expect(refusalOf(() => mnemonicFromEntropy(new Uint8Array(length))).code).toBe('unexpected')
  })

  test('every word of the list is known', () => {
    const lines = Array.from({ length: 2048 / 16 }, (_, i) => wordlist.slice(i * 16, i * 16 + 16))
    for (const words of lines) expect(complaintAbout([...words, 'zoo'].join(' '))).toContain('17')
  })

  test('any words are accepted exactly when scure accepts them', () => {
    const words = fc.array(fc.constantFrom(...wordlist), { minLength: 12, maxLength: 12 })
    const check = (words: readonly string[]) => {
      const text = words.join(' ')
      if (validateMnemonic(text, wordlist)) expect(checked(text)).toBe(text)
      else expect(complaintAbout(text)).toBe('the mnemonic does not match its checksum')
    }
    fc.assert(fc.property(words, check), { numRuns: numRuns * 3 })
  })
})

describe('a new mnemonic', () => {
  test('has 24 words that are accepted, each time others', () => {
    const made = Array.from({ length: 20 }, () => revealedText(generateMnemonic()))
    for (const text of made) {
      expect(text.split(' ')).toHaveLength(24)
      expect(validateMnemonic(text, wordlist)).toBe(true)
    }
    expect(new Set(made).size).toBe(made.length)
  })
})

describe('spaces', () => {
  test.each([
    ['around', `  ${twelve}   `],
    ['doubled', twelve.replaceAll(' ', '  ')],
    ['as tabs', twelve.replaceAll(' ', '\t')],
    ['of both kinds', `\t ${twelve.replaceAll(' ', ' \t \t')} \t`],
  ])('%s become single ones', (_, text) => expect(checked(text)).toBe(twelve))

  test('of a megabyte become single ones', () => {
    expect(checked(twelve.replace(' ', ' '.repeat(1 << 20)))).toBe(twelve)
  })
})

describe('a refusal', () => {
  test.each([0, 1, 11, 13, 14, 16, 23, 25, 48, 100_000])('of %d words says how many', count => {
    expect(complaintAbout(Array(count).fill('zoo').join(' '))).toBe(
      `a mnemonic has 12, 15, 18, 21 or 24 words, this one has ${count}`,
    )
  })

  test('of too many words comes before what they are', () => {
    expect(complaintAbout(`${twentyFour} xyzzyplugh`)).toEndWith('this one has 25')
  })

  test.each([
    ['nothing', ''],
    ['spaces only', ' \t '],
  ])('of %s says that there is no word', (_, text) => expect(complaintAbout(text)).toEndWith('0'))

  test.each([
    ['first', 1, 'xyzzyplugh'],
    ['last', 12, 'xyzzyplugh'],
    ['a prefix of a word', 3, 'than'],
    ['a word with more behind it', 3, 'thanks'],
    ['a word and a zero byte', 3, 'act\0'],
    ['upper case', 5, 'WAVE'],
    ['a capital', 5, 'Wave'],
    ['of another list', 5, 'abaisser'],
    ['not ASCII', 5, 'wavé'],
    ['a full-width letter', 5, 'ｗave'],
    ['a no-break space between two words', 7, 'worth\u00a0useful'],
    ['a line break between two words', 7, 'worth\nuseful'],
    ['a comma behind it', 7, 'worth,'],
    ['__proto__', 7, '__proto__'],
  ])('of a bad word (%s) names its position and nothing else', (_, position, word) => {
    const words = twelve.split(' ')
    const text = words.with(position - 1, word).join(' ')
    const refusal = refusalOf(() => checkMnemonic(secretOf(text)))
    expect(refusal.code).toBe('usage')
    expect(refusal.message).toBe(`word ${position} of the mnemonic is not a BIP-39 English word`)
    expect(refusal.hint).toBeUndefined()
  })

  test('of swapped or mistaken words says that the checksum is wrong', () => {
    const swapped = twentyFour.split(' ').toReversed().join(' ')
    expect(complaintAbout(swapped)).toBe('the mnemonic does not match its checksum')
    expect(complaintAbout(Array(12).fill('zoo').join(' '))).toContain('checksum')
  })

  test.each([
    [twelve.toUpperCase()],
    [`${twelve} yellow`],
    [twelve.replace('yellow', 'winner')],
    [twelve.replace('sausage', 'sausages')],
    ['correcthorsebatterystaple'],
  ])('never quotes what was typed: %#', text => {
    expectSilence(
      refusalOf(() => checkMnemonic(secretOf(text))),
      text,
    )
  })

  test('comes for every single byte', () => {
    for (let byte = 0; byte < 256; byte++) {
      expect(refusalOf(() => checkMnemonic(secretOf(Uint8Array.of(byte)))).code).toBe('usage')
    }
  })

  test('comes for any bytes', () => {
    const check = (bytes: Uint8Array) => {
      expect(refusalOf(() => checkMnemonic(secretOf(bytes))).code).toBe('usage')
    }
    fc.assert(fc.property(fc.uint8Array({ maxLength: 400 }), check), { numRuns })
  })

  test.each([
    ['one word', 'z', 'word 1 '],
    ['the same good word', 'zoo ', 'this one has 262144'],
  ])('comes for a megabyte of %s', (_, part, complaint) => {
    const text = part.repeat((1 << 20) / part.length)
    expect(complaintAbout(text)).toContain(complaint)
  })
})

function checked(text: string): string {
  using given = secretOf(text)
  using mnemonic = checkMnemonic(given)
  expect(revealedText(given)).toBe(text)
  return revealedText(mnemonic)
}

function complaintAbout(text: string): string {
  const refusal = refusalOf(() => checkMnemonic(secretOf(text)))
  expect(refusal.code).toBe('usage')
  return refusal.message
}

function bytesOf(text: string): Uint8Array {
  return fromHex(text) ?? new Uint8Array()
}
