import { concatHex, toRlp } from 'viem/utils'
import { fromHex } from '../../base/bytes.ts'
import { KmsError } from '../../base/errors.ts'
import type { Signature } from '../../base/model.ts'
import { decodeRlp } from '../codec/rlp.ts'
import { readItems } from '../codec/rlp-items.ts'
import type { FilledCeloTx } from './celo-tx.ts'
import { encodeEnvelope, readEnvelope } from './evm-envelope.ts'
import { isWeakSignature, joinSignature, rlpNumber, splitSignature } from './evm-signature.ts'
import { asHex, type Hex } from './evm-tx.ts'

/** CIP-64; it is signed as the same list without its last three items. */
const cip64 = '0x7b'
const layout = 'chainId nonce tip price gas to value data accessList feeCurrency parity r s'

/** The bytes to hash for signing, or with a signature those that go out. */
export function encodeCelo({ feeCurrency, ...tx }: FilledCeloTx, signature?: Signature): Hex {
  if (feeCurrency === undefined) {
    return encodeEnvelope({ ...tx, type: 'legacy', tip: 0n, accessList: [] }, signature)
  }
  const { chainId, nonce, price, gas, to = '0x', value, data } = tx
  return concatHex([
    cip64,
    toRlp([
      rlpNumber(chainId),
      rlpNumber(nonce),
      // A gasPrice is both the most there is to pay and the most there is to give (EIP-1559).
      rlpNumber(price),
      rlpNumber(price),
      rlpNumber(gas),
      to,
      rlpNumber(value),
      data,
      [],
      feeCurrency,
      ...(signature === undefined ? [] : signatureItems(signature)),
    ]),
  ])
}

/** Reads signed bytes back. */
export function decodeCelo(txData: string): FilledCeloTx {
  return readCelo(txData).tx
}

type SignedCelo = { readonly tx: FilledCeloTx; readonly signature: Signature }

/** With the signature that the bytes carry. */
export function readCelo(txData: string): SignedCelo {
  if (!txData.startsWith(cip64)) return readLegacy(txData)
  const items = readItems(decodeRlp(fromHex(txData.slice(4)) ?? new Uint8Array()), layout, broken)
  const to = items.bytes('to')
  const feeCurrency = items.bytes('feeCurrency')
  const price = items.number('price')
  if (to.length !== 0 && to.length !== 20) throw broken()
  if (feeCurrency.length !== 20 || items.number('tip') !== price) throw broken()
  if (items.list('accessList').length > 0) throw broken()
  if (items.number('parity') > 1n || isWeakSignature(items)) throw broken()
  const tx = {
    chainId: items.integer('chainId'),
    nonce: items.integer('nonce'),
    price,
    gas: items.number('gas'),
    ...(to.length === 20 && { to: asHex(to) }),
    value: items.number('value'),
    data: asHex(items.bytes('data')),
    feeCurrency: asHex(feeCurrency),
  }
  return { tx, signature: joinSignature(items, items.integer('parity')) }
}

function readLegacy(txData: string): SignedCelo {
  const { tx: envelope, signature } = readEnvelope(txData)
  const { type, tip: _, accessList: __, ...tx } = envelope
  if (type !== 'legacy') throw broken()
  return { tx, signature }
}

function signatureItems(signature: Signature): readonly Hex[] {
  const { parity, r, s } = splitSignature(signature)
  return [rlpNumber(parity), rlpNumber(BigInt(r)), rlpNumber(BigInt(s))]
}

function broken(): KmsError {
  return new KmsError('unexpected', 'the signed bytes are not a valid transaction')
}
