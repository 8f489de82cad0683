import { readBytes } from '../base/binary.ts'
import { allocateSecret, type Secret } from '../secret/secret.ts'
import { damaged } from './header.ts'

/** What a wallet keeps secret: its mnemonic, its private key in the chain's text, or both. */
export type WalletSecret = Disposable & {
  readonly mnemonic?: Secret
  readonly keyText?: Secret
}

const tags = { mnemonic: 1, keyText: 2 } as const

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

/** The parts again, each in locked memory of its own. */
export function decodeWalletSecret(encoded: Secret): WalletSecret {
  return encoded.use(bytes => {
    const reader = readBytes(bytes, () => damaged('a wallet ends too early'))
    const found = new Map<number, Secret>()
    while (reader.remaining > 0) {
      const tag = reader.u8()
      const value = reader.take(reader.u16())
      const secret = allocateSecret(value.length)
      secret.use(to => to.set(value))
      found.set(tag, secret)
    }
    const mnemonic = found.get(tags.mnemonic)
    const keyText = found.get(tags.keyText)
    return walletSecret({ ...(mnemonic && { mnemonic }), ...(keyText && { keyText }) })
  })
}
