import { ed25519 } from '@noble/curves/ed25519.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { base58Text } from '../../base/base58.ts'
import { concat, utf8 } from '../../base/bytes.ts'
import { KmsError } from '../../base/errors.ts'
import { keyBytes } from './sol-message.ts'
import { programs } from './sol-programs.ts'

/** The account in which a wallet has the tokens of a mint, unless it chose another one. */
export function tokenAccountOf(owner: string, mint: string): string {
  const seeds = [owner, programs.token, mint].map(keyBytes)
  return programAddress(seeds, programs.associatedToken)
}

const marker = utf8('ProgramDerivedAddress')

/**
 * `Pubkey::find_program_address`: the hash with the highest bump that is no point of the curve, so
 * that no private key can ever sign for it.
 */
function programAddress(seeds: readonly Uint8Array[], program: string): string {
  for (let bump = 255; bump >= 0; bump--) {
    const hash = sha256(concat(...seeds, Uint8Array.of(bump), keyBytes(program), marker))
    if (!isOnCurve(hash)) return base58Text(hash)
  }
  throw new KmsError('unexpected', 'no address of a program was found')
}

/** As curve25519-dalek decompresses, which is what Solana asks: by the rules of ZIP-215. */
function isOnCurve(bytes: Uint8Array): boolean {
  try {
    ed25519.Point.fromBytes(bytes, true)
    return true
  } catch {
    return false
  }
}
