import { toRlp } from 'viem/utils'
import { rlpNumber } from './evm-signature.ts'

/** Of a key that needs no other to sign for an account (Flow, "Account keys"). */
export const fullWeight = 1_000

/** What a key of an account is added with: RLP of the key, ECDSA on secp256k1 (3), SHA3-256 (3), the weight. */
export function flowKeyText(publicKey: string, weight: number): string {
  return toRlp([`0x${publicKey}`, '0x03', '0x03', rlpNumber(weight)]).slice(2)
}

/** Reads it back; undefined for any other text. */
export function readFlowKeyText(
  text: string,
): { readonly publicKey: string; readonly weight: number } | undefined {
  const [, publicKey, digits] =
    /^f84[5-7]b840([0-9a-f]{128})0303(?:8[0-2])?([0-9a-f]{0,4})$/.exec(text) ?? []
  if (publicKey === undefined || digits === undefined) return undefined
  const weight = Number(`0x0${digits}`)
  return flowKeyText(publicKey, weight) === text ? { publicKey, weight } : undefined
}
