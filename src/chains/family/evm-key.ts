import { secp256k1 } from '@noble/curves/secp256k1.js'
import { keccak_256 } from '@noble/hashes/sha3.js'
import { fromHex, hex } from '../../base/bytes.ts'
import { KmsError } from '../../base/errors.ts'
import type { PublicKey, Signature } from '../../base/model.ts'
import type { ChainDefinition, Own } from '../chain.ts'
import { bip32Keys } from './bip32-paths.ts'
import { asHex, type Hex } from './evm-tx.ts'
import { remembered } from './remembered.ts'
import { firstKey, ownKey } from './single-key.ts'

/** The keys of an EVM chain: what a definition says of them. `coin` is SLIP-44's, for mainnet. */
export function evmKeys(
  coin: number,
): Pick<ChainDefinition<unknown>, 'key' | 'generates' | 'walletShape' | 'address' | 'keys'> {
  return {
    key: {
      curve: 'secp256k1',
      derivation: bip32Keys(`m/44'/${coin}'/0'/0`, `m/44'/1'/0'/0`),
      text: { kind: 'hex', prefix: '0x' },
    },
    generates: 'mnemonic',
    walletShape: ['xpub', 'mnemonic', 'privateKey'],
    address: publicKey => addressOf(publicKey),
    keys: firstKey,
  }
}

/** The address of the one key that signs. */
export function ownAddress(own: Own): Hex {
  return addressOf(ownKey(own))
}

/** keccak-256 of bytes in hex. */
export function hashHex(bytes: Hex): Uint8Array {
  return keccak_256(fromHex(bytes.slice(2)) ?? new Uint8Array())
}

/** Whose signature of `digest` it is. */
export function signerOf(digest: Uint8Array, { bytes, recovery }: Signature): Hex {
  try {
    const point = secp256k1.Signature.fromBytes(bytes, 'compact')
      .addRecoveryBit(recovery)
      .recoverPublicKey(digest)
    return addressOf({ curve: 'secp256k1', bytes: point.toBytes() })
  } catch (cause) {
    throw new KmsError('unexpected', 'the signature of a transaction is of no key', { cause })
  }
}

export function addressOf({ curve, bytes }: PublicKey): Hex {
  if (curve !== 'secp256k1') throw noKey()
  return addressOfPoint(hex(bytes))
}

// Decompressing a key costs a quarter of a signature, and one payment asks several times.
const addressOfPoint = remembered(digits =>
  asHex(keccak_256(uncompressed(digits).subarray(1)).subarray(12)),
)

function uncompressed(digits: string): Uint8Array {
  try {
    return secp256k1.Point.fromHex(digits).toBytes(false)
  } catch (cause) {
    throw noKey(cause)
  }
}

function noKey(cause?: unknown): KmsError {
  return new KmsError('unexpected', 'a key is not a secp256k1 public key', { cause })
}
