import { readBytes } from '../base/binary.ts'
import { KmsError } from '../base/errors.ts'
import { nonceLength, tagLength } from '../secret/seal.ts'
import { allocateSecret, type Secret } from '../secret/secret.ts'
import { damaged } from './header.ts'

/** What a wallet keeps secret: its mnemonic, its private key in the chain's text, or both. */
export type WalletSecret = Disposable & {
  readonly mnemonic?: Secret
  readonly keyText?: Secret
}

const tags = { mnemonic: 1, keyText: 2 } as const
/** A field's length has two bytes, and the sealed secret is one field of its wallet. */
const maxLength = 0xffff - nonceLength - tagLength

/** Both parts under one `using`. */
export function walletSecret(parts: {
  readonly mnemonic?: Secret
  readonly keyText?: Secret
}): WalletSecret {
  return {
    ...parts,
    [Symbol.dispose]() {
      parts.mnemonic?.wipe()
      parts.keyText?.wipe()
    },
  }
}

/** The bytes that are sealed: tagged fields, in locked memory. */
export function encodeWalletSecret({ mnemonic, keyText }: WalletSecret): Secret {
  const parts = [
    { tag: tags.mnemonic, secret: mnemonic },
    { tag: tags.keyText, secret: keyText },
  ]
  const length = parts.reduce((sum, { secret }) => sum + (secret ? 3 + secret.length : 0), 0)
  if (length > maxLength) throw new KmsError('usage', 'a secret is too long to be stored')
  const encoded = allocateSecret(length)
  encoded.use(out => {
    let at = 0
    for (const { tag, secret } of parts) {
      if (secret === undefined) continue
      out[at] = tag
      out[at + 1] = secret.length >> 8
      out[at + 2] = secret.length & 255
      secret.use(bytes => out.set(bytes, at + 3))
      at += 3 + secret.length
    }
  })
  return encoded
}

/** The parts again, each in locked memory of its own. Tags of a later version are passed over. */
export function decodeWalletSecret(encoded: Secret): WalletSecret {
  const found = new Map<number, Secret>()
  try {
    encoded.use(bytes => readParts(bytes, found))
  } catch (fault) {
    for (const secret of found.values()) secret.wipe()
    throw fault
  }
  const mnemonic = found.get(tags.mnemonic)
  const keyText = found.get(tags.keyText)
  return walletSecret({ ...(mnemonic && { mnemonic }), ...(keyText && { keyText }) })
}

function readParts(bytes: Uint8Array, found: Map<number, Secret>): void {
  const known: readonly number[] = Object.values(tags)
  const reader = readBytes(bytes, () => damaged('a secret ends too early'))
  while (reader.remaining > 0) {
    const tag = reader.u8()
    const value = reader.take(reader.u16())
    if (found.has(tag)) throw damaged('a secret has a field twice')
    if (!known.includes(tag)) continue
    const secret = allocateSecret(value.length)
    secret.use(to => to.set(value))
    found.set(tag, secret)
  }
}
