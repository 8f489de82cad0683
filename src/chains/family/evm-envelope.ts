import { serializeTransaction } from 'viem/utils'
import { fromHex } from '../../base/bytes.ts'
import { KmsError } from '../../base/errors.ts'
import type { Signature } from '../../base/model.ts'
import { decodeRlp, type Rlp } from '../codec/rlp.ts'
import { type RlpItems, readItems } from '../codec/rlp-items.ts'
import { isWeakSignature, joinSignature, splitSignature } from './evm-signature.ts'
import { type Access, asHex, type FilledTx, type Hex } from './evm-tx.ts'

/** The bytes to hash for signing, or with a signature those that go out. */
export function encodeEnvelope(tx: FilledTx, signature?: Signature): Hex {
  const { type, price, tip, accessList, ...rest } = tx
  const signed = signature && signatureOf(signature)
  switch (type) {
    case 'legacy':
      return serializeTransaction({ type, ...rest, gasPrice: price }, signed)
    case 'eip2930':
      return serializeTransaction({ type, ...rest, gasPrice: price, accessList }, signed)
    case 'eip1559': {
      const fees = { maxFeePerGas: price, maxPriorityFeePerGas: tip }
      return serializeTransaction({ type, ...rest, ...fees, accessList }, signed)
    }
    default:
      return type satisfies never
  }
}

function signatureOf(signature: Signature) {
  const { r, s, parity } = splitSignature(signature)
  return { r, s, v: BigInt(27 + parity), yParity: parity }
}

/** The members of each signed envelope in their order (EIP-155, EIP-2930, EIP-1559). */
const layouts = {
  legacy: 'nonce price gas to value data v r s',
  eip2930: 'chainId nonce price gas to value data accessList parity r s',
  eip1559: 'chainId nonce tip price gas to value data accessList parity r s',
} as const satisfies Record<FilledTx['type'], string>

/**
 * Reads a signed envelope back. Not with viem, which wrote it and takes more than one spelling: a
 * second reading of the same rules is what makes the comparison worth something.
 */
export function decodeEnvelope(txData: string): FilledTx {
  return readEnvelope(txData).tx
}

/** With the signature that the envelope carries. */
export function readEnvelope(txData: string): {
  readonly tx: FilledTx
  readonly signature: Signature
} {
  const bytes = fromHex(txData.startsWith('0x') ? txData.slice(2) : '-')
  if (bytes === undefined) throw broken()
  const type = typeOf(bytes)
  const list = decodeRlp(type === 'legacy' ? bytes : bytes.subarray(1))
  const items = readItems(list, layouts[type], broken)
  if (isWeakSignature(items)) throw broken()
  if (type !== 'legacy' && items.number('parity') > 1n) throw broken()
  // EIP-155: v is odd where the parity is 0.
  const parity = type === 'legacy' ? 1 - (items.integer('v') % 2) : items.integer('parity')
  return { tx: readFields(type, items), signature: joinSignature(items, parity) }
}

function readFields(type: FilledTx['type'], items: RlpItems): FilledTx {
  const to = items.bytes('to')
  if (to.length !== 0 && to.length !== 20) throw broken()
  return {
    type,
    chainId: type === 'legacy' ? chainIdOf(items) : items.integer('chainId'),
    nonce: items.integer('nonce'),
    gas: items.number('gas'),
    price: items.number('price'),
    tip: type === 'eip1559' ? items.number('tip') : 0n,
    ...(to.length === 20 && { to: asHex(to) }),
    value: items.number('value'),
    data: asHex(items.bytes('data')),
    accessList: type === 'legacy' ? [] : items.list('accessList').map(readAccess),
  }
}

/** EIP-2718: types are below 0x80, a legacy transaction starts as the list it is. */
function typeOf(bytes: Uint8Array): FilledTx['type'] {
  const [first = 0] = bytes
  if (first === 1) return 'eip2930'
  if (first === 2) return 'eip1559'
  if (first >= 0xc0) return 'legacy'
  throw broken()
}

/** EIP-155: v = 35 + 2 * chain id + parity. */
function chainIdOf(items: RlpItems): number {
  const v = items.integer('v')
  if (v < 35) throw broken()
  return Math.floor((v - 35) / 2)
}

function readAccess(entry: Rlp): Access {
  const items = readItems(entry, 'address storageKeys', broken)
  return {
    address: readFixed(items.bytes('address'), 20),
    storageKeys: items.list('storageKeys').map(key => readFixed(key, 32)),
  }
}

function readFixed(bytes: Rlp, length: number): Hex {
  if (!(bytes instanceof Uint8Array) || bytes.length !== length) throw broken()
  return asHex(bytes)
}

function broken(): KmsError {
  return new KmsError('unexpected', 'the signed bytes are not a valid transaction')
}
