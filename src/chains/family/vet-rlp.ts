import { secp256k1 } from '@noble/curves/secp256k1.js'
import { blake2b } from '@noble/hashes/blake2.js'
import { toRlp } from 'viem/utils'
import { concat, fromHex } from '../../base/bytes.ts'
import { KmsError } from '../../base/errors.ts'
import type { Signature } from '../../base/model.ts'
import { decodeRlp } from '../codec/rlp.ts'
import { readItems } from '../codec/rlp-items.ts'
import { rlpNumber } from './evm-signature.ts'
import { asHex, type Hex } from './evm-tx.ts'
import type { FilledVetTx } from './vet-tx.ts'

/** The bytes to hash for signing, or with a signature those that go out (thor, tx.Transaction). */
export function encodeVet(tx: FilledVetTx, signature?: Signature): Hex {
  const { chainTag, blockRef, expiration, to, value, data, gasPriceCoef, gas, dependsOn } = tx
  const clause = [to ?? '0x', rlpNumber(value), data] as const
  const unused: readonly Hex[] = []
  const body = [
    rlpNumber(chainTag),
    rlpNumber(BigInt(blockRef)),
    rlpNumber(expiration),
    [clause],
    rlpNumber(gasPriceCoef),
    rlpNumber(gas),
    dependsOn ?? '0x',
    rlpNumber(tx.nonce),
    unused,
  ] as const
  return toRlp(signature === undefined ? body : [...body, signatureBytes(signature)])
}

export function vetDigest(tx: FilledVetTx): Uint8Array {
  return blake2b(bytesOf(encodeVet(tx)), { dkLen: 32 })
}

/** The id of a transaction does not depend on its signature, but on who signed. */
export function vetTxId(tx: FilledVetTx, from: Hex): Hex {
  return asHex(blake2b(concat(vetDigest(tx), bytesOf(from)), { dkLen: 32 }))
}

/** r‖s‖parity of R. */
function signatureBytes({ bytes, recovery }: Signature): Hex {
  if (bytes.length !== 64 || (recovery !== 0 && recovery !== 1)) {
    throw new KmsError('unexpected', 'a signature is not 64 bytes and the parity of R')
  }
  return asHex(concat(bytes, Uint8Array.of(recovery)))
}

const layout =
  'chainTag blockRef expiration clauses gasPriceCoef gas dependsOn nonce reserved signature'

/** Reads signed bytes back, not with viem, which wrote them. */
export function decodeVet(txData: string): FilledVetTx {
  const bytes = fromHex(txData.startsWith('0x') ? txData.slice(2) : '-')
  const items = readItems(bytes && decodeRlp(bytes), layout, broken)
  const [clause, ...others] = items.list('clauses')
  if (clause === undefined || others.length > 0) throw broken()
  const call = readItems(clause, 'to value data', broken)
  const blockRef = items.number('blockRef')
  if (blockRef >= 2n ** 64n || items.list('reserved').length > 0) throw broken()
  if (!isSound(items.bytes('signature'))) throw broken()
  const to = readOptional(call.bytes('to'), 20)
  const dependsOn = readOptional(items.bytes('dependsOn'), 32)
  return {
    chainTag: items.integer('chainTag'),
    blockRef: `0x${blockRef.toString(16).padStart(16, '0')}`,
    expiration: items.integer('expiration'),
    ...(to !== undefined && { to }),
    value: call.number('value'),
    data: asHex(call.bytes('data')),
    gasPriceCoef: items.integer('gasPriceCoef'),
    gas: items.number('gas'),
    ...(dependsOn !== undefined && { dependsOn }),
    nonce: items.number('nonce'),
  }
}

function readOptional(bytes: Uint8Array, length: number): Hex | undefined {
  if (bytes.length !== 0 && bytes.length !== length) throw broken()
  return bytes.length === 0 ? undefined : asHex(bytes)
}

/** With s in the lower half of the group, as everywhere: the other one is a second spelling. */
function isSound(signature: Uint8Array): boolean {
  if (signature.length !== 65 || (signature[64] ?? 2) > 1) return false
  const order = secp256k1.Point.Fn.ORDER
  const r = BigInt(asHex(signature.subarray(0, 32)))
  const s = BigInt(asHex(signature.subarray(32, 64)))
  return r > 0n && r < order && s > 0n && s <= order / 2n
}

function bytesOf(digits: Hex): Uint8Array {
  return fromHex(digits.slice(2)) ?? new Uint8Array()
}

function broken(): KmsError {
  return new KmsError('unexpected', 'the signed bytes are not a valid transaction')
}
