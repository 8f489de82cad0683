import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { deriveAddress, Wallet } from 'xrpl'
import { xrplAlphabet } from '../../../src/base/base58.ts'
import { hex } from '../../../src/base/bytes.ts'
import { generateKeyText } from '../../../src/secret/key-text.ts'
import { publicKeyOf } from '../../../src/secret/sign.ts'
import {
  base58Check,
  bytesOf,
  complaintAbout,
  formatted,
  order,
  parsed,
  schemes,
  secp256k1Key,
} from '../../support/key-text.ts'
import { type RandomWallet, randomWallets } from '../../support/random-wallets.ts'
import { publicKeyHere, revealedText } from '../../support/secret.ts'
import recorded from '../../vectors/wallets.json'

const numRuns = Number(process.env['FC_NUM_RUNS'] ?? 100)
const { familySeed } = schemes
const compressed = true
const seedHex = fc
  .uint8Array({ minLength: 16, maxLength: 16 })
  .map(bytes => Buffer.from(bytes).toString('hex'))
const curves = { secp256k1: '21', ed25519: '01e14b' } as const

const given: readonly RandomWallet[] = [
  ...randomWallets('XRP'),
  ...recorded.filter(({ chain }) => chain === 'XRP').map(({ wallet }) => wallet as RandomWallet),
]

describe('a family seed', () => {
  /**
   * xrpl.js, packages/ripple-keypairs/test/fixtures/api.json, and the seed of "masterpassphrase"
   * (rippled, src/test/protocol)
   */
  test.each([
    [
      'sp5fghtJtpUorTwvof1NpDXAzNwf5',
      'secp256k1',
      'd78b9735c3f26501c7337b8a5727fd53a6efdbc6aa55984f098488561f985e23',
      'rU6K7V3Po4snVhBBaU29sesqs2qTQJWDw1',
    ],
    [
      'sEdSKaCy2JT7JaM7v95H9SxkhP9wS2r',
      'ed25519',
      'b4c4e046826bd26190d09715fc31f4e6a728204eadd112905b08b14b7f15c4f3',
      'rLUEXYuLiQptky37CqLcm9USQpPiz5rkpD',
    ],
    [
      'snoPBrXtMeMyMHUVTgbuqAfg1SUTb',
      'secp256k1',
      '1acaaedece405b2a958212629e16f2eb46b153eee94cdd350fdeff52795525b7',
      'rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh',
    ],
  ] as const)('%s is a key of %s', async (text, curve, key, address) => {
    expect(await parsed(familySeed, 'mainnet', text)).toEqual({ key, curve, compressed })
    expect(addressOf(curve, key)).toBe(address)
  })

  test.each(given)('of the original has the address $address', async wallet => {
    const { key, curve } = await parsed(familySeed, 'mainnet', wallet.secret ?? '')
    expect(curve).toBe('ed25519')
    expect(addressOf('ed25519', key)).toBe(wallet.address)
  })

  test('of any sixteen bytes has the key that xrpl.js gives it', async () => {
    const check = async (seed: string, curve: keyof typeof curves) => {
      const text = base58Check(curves[curve] + seed, xrplAlphabet)
      const { privateKey } = Wallet.fromSeed(text)
      const key = privateKey.slice(2).toLowerCase()
      expect(await parsed(familySeed, 'testnet', text)).toEqual({ key, curve, compressed })
    }
    const curve = fc.constantFrom('secp256k1', 'ed25519')
    await fc.assert(fc.asyncProperty(seedHex, curve, check), { numRuns: Math.min(numRuns, 200) })
  })

  test('that is new is an ed25519 one, each time another', async () => {
    const texts = new Set<string>()
    for (let i = 0; i < 50; i++) {
      using text = await generateKeyText(familySeed, 'mainnet', publicKeyHere)
      texts.add(revealedText(text))
    }
    expect(texts.size).toBe(50)
    for (const text of texts) {
      expect(text).toMatch(/^sEd.{28}$/)
      const { key, curve } = await parsed(familySeed, 'mainnet', text)
      expect(addressOf(curve, key)).toBe(Wallet.fromSeed(text).classicAddress)
    }
  })

  test('with any letter changed is refused', async () => {
    const place = fc.tuple(fc.nat(30), fc.constantFrom(...'rpshnaf39wBUDNEG0OIl s1'))
    const check = async (seed: string, [at, letter]: readonly [number, string]) => {
      for (const version of Object.values(curves)) {
        const good = base58Check(version + seed, xrplAlphabet)
        const text = good.slice(0, at) + letter + good.slice(at + 1)
        if (text !== good) await complaintAbout(familySeed, 'mainnet', text)
      }
    }
    await fc.assert(fc.asyncProperty(seedHex, place, check), { numRuns })
  })

  test.each([
    ['nothing', ''],
    ['an address', 'rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh'],
    ['an X-address', 'XVLhHMPHU98es4dbozjVtdWzVrDjtV5xvjGLdEtPjjvb4uX'],
    ['a private key of a node', 'pnen77YEeUd4fFKG7iycBWcwKpTaeFRkW2WFostaATy1DSupwXe'],
    ['a pass phrase', 'masterpassphrase'],
    ['numbers of XUMM', `${'000000 '.repeat(8)}`],
    ['cut', 'snoPBrXtMeMyMHUVTgbuqAfg1SUT'],
    ['with a space', ' snoPBrXtMeMyMHUVTgbuqAfg1SUTb'],
    ['of fifteen bytes', base58Check(`21${'07'.repeat(15)}`, xrplAlphabet)],
    ['of seventeen bytes', base58Check(`21${'07'.repeat(17)}`, xrplAlphabet)],
    ['of another version', base58Check(`22${'07'.repeat(16)}`, xrplAlphabet)],
    ['of another long version', base58Check(`01e14c${'07'.repeat(16)}`, xrplAlphabet)],
    ["in Bitcoin's alphabet", base58Check(`21${'07'.repeat(16)}`)],
    ['only zeros', 'r'.repeat(31)],
  ])('is not %s', async (_, text) => {
    expect(await complaintAbout(familySeed, 'mainnet', text)).toContain('XRP Ledger')
  })
})

describe('a private key where a family seed is expected', () => {
  test('is 64 digits, with or without 00 before them, of secp256k1', async () => {
    const check = async (key: string) => {
      const upper = key.toUpperCase()
      expect(await formatted(familySeed, 'mainnet', key)).toBe(upper)
      for (const text of [key, upper, `00${key}`, `00${upper}`, `0x${key}`]) {
        const expected = { key, curve: 'secp256k1', compressed } as const
        expect(await parsed(familySeed, 'mainnet', text)).toEqual(expected)
      }
    }
    await fc.assert(fc.asyncProperty(secp256k1Key, check), { numRuns })
  })

  const good = order.replace(/1$/, '0')

  test.each([
    ['of ed25519', `ED${good}`, 'hex'],
    ['a digit too few', good.slice(1), 'XRP Ledger'],
    ['a digit too many', `0${good}`, 'hex'],
    ['two zeros too many', `0000${good}`, 'hex'],
    ['a letter that is not hex', `00g${good.slice(1)}`, 'hex'],
    ['the order', order, 'range'],
    ['the order behind 00', `00${order}`, 'range'],
    ['zero', '0'.repeat(66), 'range'],
    ['a megabyte', '0'.repeat(1 << 20), 'hex'],
  ])('is not %s', async (_, text, complaint) => {
    expect(await complaintAbout(familySeed, 'mainnet', text)).toContain(complaint)
  })
})

function addressOf(curve: 'secp256k1' | 'ed25519' | 'ed25519-bip32', key: string): string {
  const { bytes } = publicKeyOf(curve, bytesOf(key))
  return deriveAddress(`${curve === 'ed25519' ? 'ED' : ''}${hex(bytes)}`.toUpperCase())
}
