import assert from 'node:assert/strict'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { blake2b } from '@noble/hashes/blake2.js'
import { fromRlp, type Hex, keccak256, toBytes, toHex, toRlp } from 'viem'

export type ReadVet = ReturnType<typeof readVet>

/** Signed bytes by thor's tx.Transaction, read with viem, with who signed and the id. */
export function readVet(txData: string) {
  const items = fromRlp(txData as Hex, 'hex')
  assert(Array.isArray(items) && items.length === 10, 'not a signed transaction')
  assert(toRlp(items as never) === txData, 'in another spelling')
  const signature = toBytes(items[9] as Hex)
  assert(signature.length === 65, 'not with one signature')
  const digest = blake2b(toBytes(toRlp(items.slice(0, 9) as never)), { dkLen: 32 })
  const from = signerOf(digest, signature)
  const [to = '0x', value = '0x', data = '0x'] = (items[3] as readonly (readonly Hex[])[])[0] ?? []
  assert(items[3]?.length === 1 && items[8]?.length === 0, 'not with one clause')
  return {
    chainTag: numberOf(items[0]),
    blockRef: `0x${numberOf(items[1]).toString(16).padStart(16, '0')}`,
    expiration: numberOf(items[2]),
    to: to === '0x' ? null : to,
    value: numberOf(value),
    data,
    gasPriceCoef: numberOf(items[4]),
    gas: numberOf(items[5]),
    dependsOn: items[6] as Hex,
    nonce: numberOf(items[7]),
    from,
    txId: toHex(blake2b(Buffer.concat([digest, toBytes(from)]), { dkLen: 32 })),
  }
}

function signerOf(digest: Uint8Array, signature: Uint8Array): Hex {
  const rs = secp256k1.Signature.fromBytes(signature.subarray(0, 64))
  assert(!rs.hasHighS(), 'with a high s')
  const key = rs.addRecoveryBit(signature[64] ?? 9).recoverPublicKey(digest)
  return `0x${keccak256(key.toBytes(false).subarray(1)).slice(-40)}`
}

function numberOf(item: unknown): bigint {
  return item === '0x' ? 0n : BigInt(item as Hex)
}
