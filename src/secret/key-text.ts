import { KmsError } from '../base/errors.ts'
import type { Curve, KeyScheme, Network } from '../base/model.ts'
import { setScalarBits } from './cip3.ts'
import type { PublicKeyOf } from './hd.ts'
import { formatFamilyKey, generateFamilySeed, parseFamilySeed } from './key-text/family-seed.ts'
import { formatHex, parseExtendedHex, parseHex } from './key-text/hex.ts'
import {
  formatBase32Pair,
  formatBase58Pair,
  parseBase32Pair,
  parseBase58Pair,
} from './key-text/pair.ts'
import { formatStrkey, parseStrkey } from './key-text/strkey.ts'
import { formatWif, parseWif } from './key-text/wif.ts'
import { randomSecret } from './random.ts'
import type { Secret } from './secret.ts'
import { isPrivateKey, privateKeyLength } from './sign.ts'

/** A private key out of its text. */
export type ParsedKey = {
  readonly key: Secret
  /** The one of the chain, unless the text says which one it is (XRP). */
  readonly curve: Curve
  /** Whether the public key is written compressed. */
  readonly compressed: boolean
  /** The public half that stands in the text of a pair: the caller compares it with the key's own. */
  readonly publicKey?: Uint8Array
}

/**
 * Reads the chain's private-key text, given as ASCII bytes. The caller wipes `key`.
 *
 * @throws KmsError 'usage' when the text is not a key of this chain and network; never quotes it
 */
export async function parseKeyText(
  scheme: KeyScheme,
  network: Network,
  text: Secret,
  publicKeyOf: PublicKeyOf,
): Promise<ParsedKey> {
  const parsed = await read(scheme, network, text, publicKeyOf)
  if (parsed.key.use(bytes => isPrivateKey(parsed.curve, bytes))) return parsed
  parsed.key.wipe()
  throw new KmsError('usage', 'the private key is outside the range of its curve')
}

async function read(
  { curve, text: form }: KeyScheme,
  network: Network,
  text: Secret,
  publicKeyOf: PublicKeyOf,
): Promise<ParsedKey> {
  const usual = { curve, compressed: true }
  switch (form.kind) {
    case 'hex':
      return { ...usual, key: parseHex(text, form.shortAllowed) }
    case 'wif':
      return { curve, ...parseWif(text, form.version, network) }
    case 'extended-hex':
      return { ...usual, key: parseExtendedHex(text) }
    case 'family-seed':
      return { compressed: true, ...(await parseFamilySeed(text, publicKeyOf)) }
    case 'strkey':
      return { ...usual, key: parseStrkey(text) }
    case 'base58-pair':
      return { ...usual, ...parseBase58Pair(text) }
    case 'base32-pair':
      return { ...usual, ...parseBase32Pair(text) }
  }
}

/** The chain's text of a private key on `scheme.curve`, as ASCII bytes in locked memory. */
export async function formatKeyText(
  { curve, text: form }: KeyScheme,
  network: Network,
  key: Secret,
  publicKeyOf: PublicKeyOf,
): Promise<Secret> {
  switch (form.kind) {
    case 'hex':
      return formatHex(key, form)
    case 'wif':
      return formatWif(key, form.version[network])
    case 'extended-hex':
      return formatHex(key, { prefix: '' })
    case 'family-seed':
      return formatFamilyKey(key)
    case 'strkey':
      return formatStrkey(key)
    case 'base58-pair':
      return formatBase58Pair(key, (await publicKeyOf(curve, key)).bytes)
    case 'base32-pair':
      return formatBase32Pair(key, (await publicKeyOf(curve, key)).bytes)
  }
}

/** A new private key in the chain's text; on the XRP Ledger the seed of one. */
export async function generateKeyText(
  scheme: KeyScheme,
  network: Network,
  publicKeyOf: PublicKeyOf,
): Promise<Secret> {
  if (scheme.text.kind === 'family-seed') return generateFamilySeed()
  using key = randomKey(scheme.curve)
  return await formatKeyText(scheme, network, key, publicKeyOf)
}

/** All random bytes are a key, but for one number in 2^128 on secp256k1. */
function randomKey(curve: Curve): Secret {
  for (;;) {
    const key = randomSecret(privateKeyLength(curve))
    if (curve === 'ed25519-bip32') key.use(setScalarBits)
    if (key.use(bytes => isPrivateKey(curve, bytes))) return key
    key.wipe()
  }
}
