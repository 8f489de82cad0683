import { KmsError } from '../base/errors.ts'
import type { KeyScheme, Network } from '../base/model.ts'
import { base58Checksum, decodeBase58, encodeBase58 } from './base58.ts'
import { allocateSecret, type Secret } from './secret.ts'
import { isPrivateKey } from './sign.ts'

/** A private key out of its text: 32 bytes, and whether its public key is written compressed. */
export type ParsedKey = { readonly key: Secret; readonly compressed: boolean }

/**
 * Reads the chain's private-key text, given as ASCII bytes. The caller wipes `key`.
 *
 * @throws KmsError 'usage' when the text is not a key of this chain and network; never quotes it
 */
export function parseKeyText(scheme: KeyScheme, network: Network, text: Secret): ParsedKey {
  const key = allocateSecret(32)
  try {
    const compressed = text.use(from =>
      key.use(to => {
        switch (scheme.text.kind) {
          case 'hex':
            return readHex(from, to)
          case 'wif':
            return readWif(from, to, scheme.text.version, network)
        }
      }),
    )
    if (!key.use(bytes => isPrivateKey(scheme.curve, bytes))) {
      throw new KmsError('usage', 'the private key is outside the range of its curve')
    }
    return { key, compressed }
  } catch (fault) {
    key.wipe()
    throw fault
  }
}

/** The chain's text of a 32-byte private key, as ASCII bytes in locked memory. */
export function formatKeyText(scheme: KeyScheme, network: Network, key: Secret): Secret {
  const format = scheme.text
  switch (format.kind) {
    case 'hex':
      return writeHex(key, format.prefix)
    case 'wif':
      return writeWif(key, format.version[network])
  }
}

const digits = new TextEncoder().encode('0123456789abcdef')
const x = 0x78

function readHex(text: Uint8Array, out: Uint8Array): boolean {
  const start = text[0] === digits[0] && text[1] === x ? 2 : 0
  if (text.length - start !== 64) {
    throw new KmsError('usage', 'the private key must be 64 hex digits, with or without 0x')
  }
  for (let i = 0; i < 32; i++) {
    out[i] = hexDigit(text[start + 2 * i]) * 16 + hexDigit(text[start + 2 * i + 1])
  }
  return true
}

function hexDigit(letter = 0): number {
  const lower = letter >= 0x41 && letter <= 0x46 ? letter + 0x20 : letter
  const digit = digits.indexOf(lower)
  if (digit === -1) throw new KmsError('usage', 'the private key has a letter that is not hex')
  return digit
}

function writeHex(key: Secret, prefix: '0x' | ''): Secret {
  const text = allocateSecret(prefix.length + 64)
  text.use(out =>
    key.use(bytes => {
      if (prefix === '0x') out.set([digits[0] ?? 0, x])
      bytes.forEach((byte, i) => {
        out[prefix.length + 2 * i] = digits[byte >> 4] ?? 0
        out[prefix.length + 2 * i + 1] = digits[byte & 15] ?? 0
      })
    }),
  )
  return text
}

/** Wallet import format: version, key, 01 when compressed, checksum, in base58. */
function readWif(
  text: Uint8Array,
  out: Uint8Array,
  versions: Readonly<Record<Network, number>>,
  network: Network,
): boolean {
  using decoded = allocateSecret(38)
  return decoded.use(bytes => {
    const length = text.length > 60 ? undefined : decodeBase58(text, bytes)
    const compressed = length === 38 && bytes[33] === 1
    if (length === undefined || (length !== 37 && !compressed) || !isChecked(bytes, length)) {
      throw new KmsError('usage', 'the private key is not in wallet import format (WIF)')
    }
    if (bytes[0] !== versions[network]) {
      throw new KmsError('usage', `the private key is not a ${network} key of this chain`)
    }
    out.set(bytes.subarray(1, 33))
    return compressed
  })
}

function isChecked(bytes: Uint8Array, length: number): boolean {
  const sum = base58Checksum(bytes.subarray(0, length - 4))
  return Buffer.compare(sum, bytes.subarray(length - 4, length)) === 0
}

function writeWif(key: Secret, version: number): Secret {
  using payload = allocateSecret(38)
  const text = allocateSecret(60)
  const length = payload.use(bytes => {
    bytes[0] = version
    key.use(from => bytes.set(from, 1))
    bytes[33] = 1
    bytes.set(base58Checksum(bytes.subarray(0, 34)), 34)
    return text.use(out => encodeBase58(bytes, out))
  })
  text.shrink(length)
  return text
}
