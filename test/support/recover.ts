import { secp256k1 } from '@noble/curves/secp256k1.js'
import { type Hex, keccak256 } from 'viem'
import { publicKeyToAddress } from 'viem/utils'

/** The address, in lower case, of the key that signed the hash of `bytes`. */
export function recoverSigner(bytes: Hex | Uint8Array, r: bigint, s: bigint, parity: number): Hex {
  const hash = keccak256(bytes, 'bytes')
  const point = new secp256k1.Signature(r, s, parity).recoverPublicKey(hash)
  return publicKeyToAddress(`0x${point.toHex(false)}`).toLowerCase() as Hex
}
