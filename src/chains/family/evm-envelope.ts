import { secp256k1 } from '@noble/curves/secp256k1.js'
import { serializeTransaction } from 'viem/utils'
import { fromHex } from '../../base/bytes.ts'
import { KmsError } from '../../base/errors.ts'
import type { Signature } from '../../base/model.ts'
import { decodeRlp, type Rlp } from '../codec/rlp.ts'
import { type Access, asHex, type FilledTx, type Hex } from './evm-tx.ts'

/** The bytes to hash for signing, or with a signature those that go out. */
export function encodeEnvelope(tx: FilledTx, signature?: Signature): Hex {
  const { type, price, tip, accessList, ...rest } = tx
  const signed = signature && splitSignature(signature)
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

function splitSignature({ bytes, recovery }: Signature) {
  if (bytes.length !== 64 || (recovery !== 0 && recovery !== 1)) {
    throw new KmsError('unexpected', 'a signature is not 64 bytes and the parity of R')
  }
  return {
    r: asHex(bytes.subarray(0, 32)),
    s: asHex(bytes.subarray(32)),
    v: BigInt(27 + recovery),
    yParity: recovery,
  }
}

/** The members of each signed envelope in their order (EIP-155, EIP-2930, EIP-1559). */
const layouts = {
  legacy: 'nonce price gas to value data v r s',
  eip2930: 'chainId nonce price gas to value data accessList parity r s',
  eip1559: 'chainId nonce tip price gas to value data accessList parity r s',
} as const satisfies Record<FilledTx['type'], string>

type Items = ReadonlyMap<string, Rlp>

/**
 * Reads a signed envelope back. Not with viem, which wrote it and takes more than one spelling: a
 * second reading of the same rules is what makes the comparison worth something.
 */
export function decodeEnvelope(txData: string): FilledTx {
  const bytes = fromHex(txData.startsWith('0x') ? txData.slice(2) : '-')
  if (bytes === undefined) throw broken()
  const type = typeOf(bytes)
  const items = itemsOf(decodeRlp(type === 'legacy' ? bytes : bytes.subarray(1)), layouts[type])
  refuseWeakSignature(items)
  const to = readBytes(items, 'to')
  if (to.length !== 0 && to.length !== 20) throw broken()
  return {
    type,
    chainId: readSafeNumber(type === 'legacy' ? chainIdOf(items) : readNumber(items, 'chainId')),
    nonce: readSafeNumber(readNumber(items, 'nonce')),
    gas: readNumber(items, 'gas'),
    price: readNumber(items, 'price'),
    tip: type === 'eip1559' ? readNumber(items, 'tip') : 0n,
    ...(to.length === 20 && { to: asHex(to) }),
    value: readNumber(items, 'value'),
    data: asHex(readBytes(items, 'data')),
    accessList: type === 'legacy' ? [] : readList(items.get('accessList')).map(readAccess),
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

function itemsOf(envelope: Rlp | undefined, layout: string): Items {
  const names = layout.split(' ')
  const list = readList(envelope)
  if (list.length !== names.length) throw broken()
  return new Map(list.map((item, i) => [names[i] ?? '', item]))
}

/** EIP-155: v = 35 + 2 * chain id + parity. */
function chainIdOf(items: Items): bigint {
  const v = readNumber(items, 'v')
  if (v < 35n) throw broken()
  return (v - 35n) / 2n
}

/** EIP-2: s in the lower half of the group, or a second id of the same payment could be made. */
function refuseWeakSignature(items: Items): void {
  const order = secp256k1.Point.Fn.ORDER
  const r = readNumber(items, 'r')
  const s = readNumber(items, 's')
  if (r === 0n || r >= order || s === 0n || s > order / 2n) throw broken()
  if (items.has('parity') && readNumber(items, 'parity') > 1n) throw broken()
}

function readAccess(entry: Rlp): Access {
  const [address, storageKeys, ...rest] = readList(entry)
  if (!(address instanceof Uint8Array) || address.length !== 20 || rest.length > 0) throw broken()
  return { address: asHex(address), storageKeys: readList(storageKeys).map(readStorageKey) }
}

function readStorageKey(key: Rlp): Hex {
  if (!(key instanceof Uint8Array) || key.length !== 32) throw broken()
  return asHex(key)
}

function readSafeNumber(value: bigint): number {
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw broken()
  return Number(value)
}

/** At most 32 bytes without a leading zero; 0 is no bytes. */
function readNumber(items: Items, name: string): bigint {
  const bytes = readBytes(items, name)
  if (bytes.length > 32 || bytes[0] === 0) throw broken()
  return bytes.length === 0 ? 0n : BigInt(asHex(bytes))
}

function readBytes(items: Items, name: string): Uint8Array {
  const item = items.get(name)
  if (!(item instanceof Uint8Array)) throw broken()
  return item
}

function readList(item: Rlp | undefined): readonly Rlp[] {
  if (item === undefined || item instanceof Uint8Array) throw broken()
  return item
}

function broken(): KmsError {
  return new KmsError('unexpected', 'the signed bytes are not a valid transaction')
}
