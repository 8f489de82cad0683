import { expect } from 'bun:test'
import fc from 'fast-check'
import { base58Checksum, bitcoinAlphabet, encodeBase58 } from '../../src/base/base58.ts'
import type { KeyScheme, KeyText, Network } from '../../src/base/model.ts'
import { formatKeyText, parseKeyText } from '../../src/secret/key-text.ts'
import { publicKeyHere, rejectionOf, revealedHex, revealedText, secretOf } from './secret.ts'

/** The key text of every kind, as the chains have them. */
export const schemes = {
  hex: { curve: 'secp256k1', text: { kind: 'hex', prefix: '' } },
  prefixedHex: { curve: 'secp256k1', text: { kind: 'hex', prefix: '0x' } },
  shortHex: { curve: 'secp256k1', text: { kind: 'hex', prefix: '', shortAllowed: true } },
  ed25519Hex: { curve: 'ed25519', text: { kind: 'hex', prefix: '' } },
  wif: { curve: 'secp256k1', text: { kind: 'wif', version: { mainnet: 0x80, testnet: 0xef } } },
  extendedHex: { curve: 'ed25519-bip32', text: { kind: 'extended-hex' } },
  familySeed: { curve: 'secp256k1', text: { kind: 'family-seed' } },
  strkey: { curve: 'ed25519', text: { kind: 'strkey' } },
  base58Pair: { curve: 'ed25519', text: { kind: 'base58-pair' } },
  base32Pair: { curve: 'ed25519', text: { kind: 'base32-pair' } },
} as const satisfies Record<string, { curve: KeyScheme['curve']; text: KeyText }>

/** Of secp256k1. */
export const order = 'fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141'

export const secp256k1Key = fc
  .uint8Array({ minLength: 32, maxLength: 32 })
  .map(bytes => Buffer.from(bytes).toString('hex'))
  .filter(text => text < order && text !== '00'.repeat(32))

/** A key that may be seen. */
export async function parsed(scheme: KeyScheme, network: Network, text: string) {
  using given = secretOf(text)
  const { key, ...rest } = await parseKeyText(scheme, network, given, publicKeyHere)
  using secret = key
  return { key: revealedHex(secret), ...rest }
}

export async function formatted(scheme: KeyScheme, network: Network, key: string): Promise<string> {
  using secret = secretOf(bytesOf(key))
  using text = await formatKeyText(scheme, network, secret, publicKeyHere)
  return revealedText(text)
}

export async function complaintAbout(
  scheme: KeyScheme,
  network: Network,
  text: string | Uint8Array,
): Promise<string> {
  using given = secretOf(text)
  const refusal = await rejectionOf(() => parseKeyText(scheme, network, given, publicKeyHere))
  expect(refusal.code).toBe('usage')
  return refusal.message
}

export function base58Check(payload: string, alphabet = bitcoinAlphabet): string {
  const bytes = bytesOf(payload)
  const out = new Uint8Array(100)
  const length = encodeBase58(Buffer.concat([bytes, base58Checksum(bytes)]), out, alphabet)
  return Buffer.from(out.subarray(0, length)).toString()
}

export function bytesOf(hex: string): Uint8Array {
  return Uint8Array.from(Buffer.from(hex, 'hex'))
}
