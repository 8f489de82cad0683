import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { KmsError } from '../../src/base/errors.ts'
import type { KeyScheme, Network } from '../../src/base/model.ts'
import { generateKeyText, parseKeyText } from '../../src/secret/key-text.ts'
import type { Secret } from '../../src/secret/secret.ts'
import { privateKeyLength } from '../../src/secret/sign.ts'
import {
  base58Check,
  complaintAbout,
  formatted,
  order,
  parsed,
  schemes,
} from '../support/key-text.ts'
import {
  expectSilence,
  publicKeyHere,
  rejectionOf,
  revealedText,
  secretOf,
} from '../support/secret.ts'

const numRuns = Number(process.env['FC_NUM_RUNS'] ?? 100)
const all: readonly (readonly [name: string, scheme: KeyScheme])[] = Object.entries(schemes)

describe.each(all)('a new key in %s', (name, scheme) => {
  test('is one of its chain, each time another', async () => {
    const texts = new Set<string>()
    for (let i = 0; i < 10; i++) {
      const network = i % 2 === 0 ? 'mainnet' : 'testnet'
      using text = await generateKeyText(scheme, network, publicKeyHere)
      const { key, curve } = await parsed(scheme, network, revealedText(text))
      expect(key).toHaveLength(2 * privateKeyLength(curve))
      texts.add(revealedText(text))
      if (name === 'familySeed') continue
      expect(curve).toBe(scheme.curve)
      expect(await formatted(scheme, network, key)).toBe(revealedText(text))
    }
    expect(texts.size).toBe(10)
  })
})

test('a new extended key has the bits of a master key (CIP-3)', async () => {
  for (let i = 0; i < 50; i++) {
    using text = await generateKeyText(schemes.extendedHex, 'mainnet', publicKeyHere)
    expect(revealedText(text)).toMatch(/^.[08].{60}[45].{65}$/)
  }
})

describe('an error says nothing of the key', () => {
  const marked = 'deadbeefcafef00dfeedfacebaadc0de8badf00d1badb002c001d00d5eedba11'
  const markedWif = base58Check(`80${marked}01`)
  const { wif, hex: plainHex, prefixedHex, shortHex, extendedHex } = schemes
  const { familySeed, strkey, base58Pair, base32Pair } = schemes
  const shapes: readonly (readonly [string, KeyScheme, Network, string])[] = [
    ['hex too long', plainHex, 'mainnet', `${marked}00`],
    ['hex too short', prefixedHex, 'mainnet', `0x${marked.slice(2)}`],
    ['hex with a wrong letter', plainHex, 'mainnet', `${marked.slice(0, -1)}z`],
    ['hex outside the range', plainHex, 'mainnet', order],
    ['hex much too short', shortHex, 'mainnet', marked.slice(20)],
    ['of the wrong network', wif, 'testnet', markedWif],
    ['WIF with a wrong letter', wif, 'mainnet', markedWif.replace(/.$/, '0')],
    ['WIF with a wrong check sum', wif, 'mainnet', `${markedWif.slice(0, -1)}1`],
    ['WIF that is cut', wif, 'mainnet', markedWif.slice(0, -3)],
    ['WIF outside the range', wif, 'mainnet', base58Check(`80${order}01`)],
    ['hex for WIF', wif, 'mainnet', marked],
    ['WIF for hex', plainHex, 'mainnet', markedWif],
    ['an extended key with wrong bits', extendedHex, 'mainnet', `ff${marked.slice(2)}${marked}`],
    ['half an extended key', extendedHex, 'mainnet', marked],
    ['a family seed with a wrong letter', familySeed, 'mainnet', 'sEdSKaCy2JT7JaM7v95H9SxkhP9wS2s'],
    ['an ed25519 key for a family seed', familySeed, 'mainnet', `ED${marked}`],
    ['a strkey with a wrong check sum', strkey, 'mainnet', `S${'DEADBEEF'.repeat(7).slice(1)}`],
    ['hex for a strkey', strkey, 'mainnet', marked],
    ['hex for a pair', base58Pair, 'mainnet', marked],
    ['WIF for a pair', base58Pair, 'mainnet', markedWif],
    ['a cut pair', base32Pair, 'mainnet', 'DEADBEEF'.repeat(12)],
  ]

  test.each(shapes)('%s', async (_, scheme, network, text) => {
    using given = secretOf(text)
    const refusal = await rejectionOf(() => parseKeyText(scheme, network, given, publicKeyHere))
    expect(refusal.code).toBe('usage')
    expectSilence(refusal, text)
    expectSilence(refusal, marked)
  })
})

test('any bytes are a key or refused, for every format', async () => {
  const check = async (bytes: Uint8Array) => {
    for (const [, scheme] of all) await complaintAbout(scheme, 'mainnet', bytes)
  }
  const bytes = fc.uint8Array({ maxLength: 55 })
  await fc.assert(fc.asyncProperty(bytes, check), { numRuns })
})

test('nothing stays behind when a public key cannot be computed', async () => {
  const seen: Secret[] = []
  const failing = async (_: unknown, key: Secret) => {
    seen.push(key)
    throw new KmsError('unexpected', 'no key')
  }
  using text = secretOf('snoPBrXtMeMyMHUVTgbuqAfg1SUTb')
  await rejectionOf(() => parseKeyText(schemes.familySeed, 'mainnet', text, failing))
  for (const key of seen) expect(() => key.use(() => {})).toThrow('after it was wiped')
  expect(seen).toHaveLength(1)
})
