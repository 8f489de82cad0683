import { secp256k1 } from '@noble/curves/secp256k1.js'
import { fromHex } from '../../base/bytes.ts'
import { KmsError } from '../../base/errors.ts'
import type { Signature } from '../../base/model.ts'
import type { RlpItems } from '../codec/rlp-items.ts'
import { asHex, type Hex } from './evm-tx.ts'

/** The three numbers of a signature as transactions of EVM chains carry them. */
export type EvmSignature = { readonly r: Hex; readonly s: Hex; readonly parity: number }

export function splitSignature({ bytes, recovery }: Signature): EvmSignature {
  if (bytes.length !== 64 || (recovery !== 0 && recovery !== 1)) {
    throw new KmsError('unexpected', 'a signature is not 64 bytes and the parity of R')
  }
  return { r: asHex(bytes.subarray(0, 32)), s: asHex(bytes.subarray(32)), parity: recovery }
}

/** The signature in the members `r` and `s` of a transaction. */
export function joinSignature(items: RlpItems, parity: number): Signature {
  const digits = (name: 'r' | 's'): string => items.number(name).toString(16).padStart(64, '0')
  const bytes = fromHex(digits('r') + digits('s')) ?? new Uint8Array()
  return { bytes, recovery: parity }
}

/** A number as RLP has it: no leading zeros, 0 is no bytes (yellow paper, appendix B). */
export function rlpNumber(value: bigint | number): Hex {
  if (BigInt(value) === 0n) return '0x'
  const digits = value.toString(16)
  return `0x${digits.length % 2 === 0 ? '' : '0'}${digits}`
}

/** EIP-2: s in the lower half of the group, or a second id of the same payment could be made. */
export function isWeakSignature(items: RlpItems): boolean {
  const order = secp256k1.Point.Fn.ORDER
  const r = items.number('r')
  const s = items.number('s')
  return r === 0n || r >= order || s === 0n || s > order / 2n
}
