import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import {
  decodeWalletSecret,
  encodeWalletSecret,
  walletSecret,
} from '../../src/vault/wallet-secret.ts'
import { refusal } from '../support/refusal.ts'
import { revealed, revealedHex, secretOf } from '../support/secret.ts'

const numRuns = Number(process.env['FC_NUM_RUNS'] ?? 100)

describe('what a wallet keeps secret', () => {
  test('comes back as it was given, byte for byte', () => {
    const part = fc.option(fc.uint8Array({ maxLength: 300 }), { nil: undefined })
    fc.assert(
      fc.property(part, part, (mnemonic, keyText) => {
        using given = walletSecret({
          ...(mnemonic && { mnemonic: secretOf(mnemonic) }),
          ...(keyText && { keyText: secretOf(keyText) }),
        })
        using encoded = encodeWalletSecret(given)
        using read = decodeWalletSecret(encoded)
        expect(read.mnemonic && revealed(read.mnemonic)).toEqual(mnemonic)
        expect(read.keyText && revealed(read.keyText)).toEqual(keyText)
      }),
      { numRuns },
    )
  })

  // docs/format.md, section 1.3
  test('is fields of tag, length and value', () => {
    using given = walletSecret({ mnemonic: secretOf('ab'), keyText: secretOf('c') })
    using encoded = encodeWalletSecret(given)
    expect(revealedHex(encoded)).toBe('0100026162' + '02000163')
  })

  test('is wiped with the object that holds it', () => {
    const mnemonic = secretOf('abandon')
    const keyText = secretOf('0x00')
    walletSecret({ mnemonic, keyText })[Symbol.dispose]()
    for (const part of [mnemonic, keyText]) {
      expect(() => part.use(() => 0)).toThrow(/after it was wiped/)
    }
  })

  test('passes over tags of a later version', () => {
    using read = decodeWalletSecret(secretOf(Buffer.from('09000199' + '0200016a', 'hex')))
    expect(Object.keys(read)).toEqual(['keyText'])
  })

  test.each([
    ['ends inside a tag', '010001'],
    ['ends inside a length', '0100'],
    ['ends inside a value', '0100056162'],
    ['has a field twice', '01000161' + '01000162'],
  ])('is refused when it %s', (_, hex) => {
    const encoded = secretOf(Buffer.from(hex, 'hex'))
    expect(() => decodeWalletSecret(encoded)).toThrow(refusal('vault-damaged'))
  })

  test('is refused when a length field could not hold it', () => {
    const tooLong = walletSecret({ keyText: secretOf(new Uint8Array(0x1_0000)) })
    expect(() => encodeWalletSecret(tooLong)).toThrow(refusal('usage'))
    const justFits = walletSecret({ keyText: secretOf(new Uint8Array(0xffff - 28 - 3)) })
    expect(encodeWalletSecret(justFits).length).toBe(0xffff - 28)
  })
})
