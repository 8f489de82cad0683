import { KmsError } from '../base/errors.ts'
import type { Derivation, Network, PublicKey } from '../base/model.ts'
import * as bip32 from './bip32.ts'
import * as cip3 from './cip3.ts'
import { highestIndex } from './derivation-path.ts'
import { mnemonicSeed } from './kdf.ts'
import type { KeyRoom } from './key-room.ts'
import { mnemonicEntropy } from './mnemonic.ts'
import type { Secret } from './secret.ts'
import * as slip10 from './slip10.ts'

/**
 * What a mnemonic wallet keeps: the private node its keys are derived from, and that node's public
 * side where there is one (SLIP-10 has none).
 */
export type Account = { readonly node: Secret; readonly xpub?: string }

/** How a stored account was derived. */
export type DerivedFrom = {
  readonly derivation: Derivation
  readonly network: Network
  readonly path: string
  readonly xpub?: string
}

/** Computes public keys where private keys may be used. */
export type PublicKeyOf = KeyRoom['publicKey']

/** The path of a chain's keys, its usual one unless the user names another `style`. */
export function pathOf(derivation: Derivation, network: Network, style?: string): string {
  if (style === undefined) return derivation.path[network]
  const styles = derivation.kind === 'slip10' ? (derivation.styles ?? {}) : {}
  const found = Object.hasOwn(styles, style) ? styles[style] : undefined
  if (found !== undefined) return found[network]
  const names = Object.keys(styles)
  throw new KmsError(
    'usage',
    names.length === 0
      ? 'keys of this chain have one derivation path, without styles'
      : `unknown path style, this chain has: ${names.join(', ')}`,
  )
}

/** The account of a mnemonic at `path`, which is text as in `Derivation.path`. The caller wipes `node`. */
export async function deriveAccount(
  mnemonic: Secret,
  derivation: Derivation,
  network: Network,
  path: string,
  publicKeyOf: PublicKeyOf,
): Promise<Account> {
  switch (derivation.kind) {
    case 'bip32': {
      using seed = mnemonicSeed(mnemonic)
      const version = derivation.xpub[network]
      return await bip32.deriveAccount(seed, { path, version }, publicKeyOf)
    }
    case 'slip10': {
      using seed = mnemonicSeed(mnemonic)
      return { node: slip10.deriveNode(seed, path) }
    }
    case 'cip3': {
      using entropy = mnemonicEntropy(mnemonic)
      return await cip3.deriveAccount(entropy, path, publicKeyOf)
    }
  }
}

/** Private key `index` of an account: 32 bytes (CIP-3: 64), to be wiped by the caller. */
export function childPrivateKey(node: Secret, from: DerivedFrom, index: number): Secret {
  refuseOtherThanIndex(index)
  const { derivation, network, path } = from
  switch (derivation.kind) {
    case 'bip32': {
      const version = derivation.xpub[network]
      return bip32.childPrivateKey(node, { xpub: xpubOf(from), version }, index)
    }
    case 'slip10':
      return slip10.childPrivateKey(node, path, index)
    case 'cip3':
      return cip3.childPrivateKey(node, xpubOf(from), index)
  }
}

/**
 * Public key `index` of an account, without any secret.
 *
 * @returns undefined where only the private node can say (SLIP-10)
 */
export function childPublicKey(from: DerivedFrom, index: number): PublicKey | undefined {
  refuseOtherThanIndex(index)
  const { derivation, network } = from
  switch (derivation.kind) {
    case 'bip32': {
      const version = derivation.xpub[network]
      return bip32.childPublicKey({ xpub: xpubOf(from), version }, index)
    }
    case 'slip10':
      return undefined
    case 'cip3':
      return cip3.childPublicKey(xpubOf(from), index)
  }
}

function refuseOtherThanIndex(index: number): void {
  if (Number.isInteger(index) && index >= 0 && index <= highestIndex) return
  throw new KmsError('usage', 'an index is a whole number from 0 to 2147483647')
}

function xpubOf({ xpub }: DerivedFrom): string {
  if (xpub !== undefined) return xpub
  throw new KmsError('vault-damaged', 'a stored account has no xpub')
}
