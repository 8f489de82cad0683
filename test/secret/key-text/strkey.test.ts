import { describe, expect, test } from 'bun:test'
import { Keypair, StrKey } from '@stellar/stellar-base'
import fc from 'fast-check'
import { hex } from '../../../src/base/bytes.ts'
import { publicKeyOf } from '../../../src/secret/sign.ts'
import { bytesOf, complaintAbout, formatted, parsed, schemes } from '../../support/key-text.ts'
import { type RandomWallet, randomWallets } from '../../support/random-wallets.ts'
import recorded from '../../vectors/wallets.json'

const numRuns = Number(process.env['FC_NUM_RUNS'] ?? 100)
const { strkey } = schemes
const facts = { curve: 'ed25519', compressed: true } as const
const word = fc.uint8Array({ minLength: 32, maxLength: 32 })

const wallets = [
  ...randomWallets('XLM'),
  ...recorded.filter(({ chain }) => chain === 'XLM').map(({ wallet }) => wallet as RandomWallet),
]

describe('a secret seed of Stellar', () => {
  test.each(wallets)('of the original has the address $address', async wallet => {
    const { address, secret = '' } = wallet
    const { key } = await parsed(strkey, 'mainnet', secret)
    const { bytes } = publicKeyOf('ed25519', bytesOf(key))
    expect(hex(bytes)).toBe(Keypair.fromPublicKey(address).rawPublicKey().toString('hex'))
    expect(await formatted(strkey, 'testnet', key)).toBe(secret)
  })

  test('is written and read as stellar-base does', async () => {
    const check = async (bytes: Uint8Array) => {
      const text = StrKey.encodeEd25519SecretSeed(Buffer.from(bytes))
      expect(await formatted(strkey, 'mainnet', hex(bytes))).toBe(text)
      expect(await parsed(strkey, 'mainnet', text)).toEqual({ ...facts, key: hex(bytes) })
    }
    await fc.assert(fc.asyncProperty(word, check), { numRuns })
  })

  const good = StrKey.encodeEd25519SecretSeed(Buffer.alloc(32, 7))

  test('with any letter changed is refused', async () => {
    const place = fc.tuple(fc.nat(55), fc.constantFrom(...'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567019=a '))
    const check = async ([at, letter]: readonly [number, string]) => {
      const text = good.slice(0, at) + letter + good.slice(at + 1)
      if (text !== good) await complaintAbout(strkey, 'mainnet', text)
    }
    await fc.assert(fc.asyncProperty(place, check), { numRuns: numRuns * 3 })
  })

  test.each([
    ['nothing', ''],
    ['an address', StrKey.encodeEd25519PublicKey(Buffer.alloc(32, 7))],
    ['a pre-authorized transaction', StrKey.encodePreAuthTx(Buffer.alloc(32, 7))],
    ['a hash', StrKey.encodeSha256Hash(Buffer.alloc(32, 7))],
    ['small letters', good.toLowerCase()],
    ['a letter too few', good.slice(1)],
    ['a letter too many', `${good}A`],
    ['padding', `${good.slice(0, -1)}=`],
    ['a space around it', ` ${good}`],
    ['hex', '07'.repeat(32)],
    ['56 letters of another alphabet', '1'.repeat(56)],
    ['a megabyte', 'S'.repeat(1 << 20)],
  ])('is not %s', async (_, text) => {
    expect(await complaintAbout(strkey, 'mainnet', text)).toContain('Stellar')
  })
})
