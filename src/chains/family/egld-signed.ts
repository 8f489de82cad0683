import { blake2b } from '@noble/hashes/blake2.js'
import { fromHex, hex, utf8 } from '../../base/bytes.ts'
import { KmsError } from '../../base/errors.ts'
import { asInteger, asRecord, asString, encodeJson, parseJson } from '../../base/json.ts'
import { bytesField, encodeMessage, numberField, textField } from '../codec/protobuf.ts'
import { addressBytes, type EgldFields, type EgldTx } from './egld-tx.ts'

/** What is signed, and with the signature what goes out: compact JSON in this order (protocol 5). */
export function encodeEgld(tx: EgldTx, signature?: Uint8Array): string {
  const { nonce, gasPrice, gasLimit, chainId, version } = requireAdded(tx)
  return encodeJson({
    nonce: Number(nonce),
    value: `${tx.value}`,
    receiver: tx.receiver,
    sender: tx.sender,
    gasPrice: Number(gasPrice),
    gasLimit: Number(gasLimit),
    ...(tx.data !== '' && { data: Buffer.from(tx.data).toString('base64') }),
    chainID: chainId,
    version,
    ...(signature && { signature: hex(signature) }),
  })
}

/** Reads signed JSON back; any other spelling of the same transaction is refused. */
export function decodeEgld(txData: string): EgldTx {
  const json = asRecord(parseJson(txData))
  const signature = fromHex(textOf(json, 'signature'))
  if (signature?.length !== 64) throw broken()
  const tx = {
    sender: textOf(json, 'sender'),
    receiver: textOf(json, 'receiver'),
    value: amountOf(json),
    data: json?.has('data') ? Buffer.from(textOf(json, 'data'), 'base64').toString() : '',
    added: {
      nonce: numberOf(json, 'nonce'),
      gasPrice: numberOf(json, 'gasPrice'),
      gasLimit: numberOf(json, 'gasLimit'),
      chainId: textOf(json, 'chainID'),
      version: Number(numberOf(json, 'version')),
    },
  }
  if (encodeEgld(tx, signature) !== txData) throw broken()
  return tx
}

/** data/transaction/proto/transaction.proto of mx-chain-core-go; user names and options are unused. */
const shape = {
  nonce: numberField(1),
  value: bytesField(2),
  receiver: bytesField(3),
  sender: bytesField(5),
  gasPrice: numberField(7),
  gasLimit: numberField(8),
  data: bytesField(9),
  chainId: textField(10),
  version: numberField(11),
  signature: bytesField(12),
}

export function egldTxId(tx: EgldTx, signature: Uint8Array): string {
  const { version, ...added } = requireAdded(tx)
  const message = {
    ...added,
    value: valueBytes(tx.value),
    receiver: requireAddress(tx.receiver),
    sender: requireAddress(tx.sender),
    data: utf8(tx.data),
    version: BigInt(version),
    signature,
  }
  return hex(blake2b(encodeMessage(message, shape), { dkLen: 32 }))
}

/** A byte for the sign, 0 for plus, and the digits; 0 has one digit. */
function valueBytes(value: bigint): Uint8Array {
  const digits = value.toString(16)
  return fromHex(`00${digits.length % 2 === 0 ? '' : '0'}${digits}`) ?? new Uint8Array()
}

export function requireAdded({ added }: EgldTx): EgldFields {
  if (added !== undefined) return added
  throw new KmsError('unexpected', 'a transaction was to be signed before it was complete')
}

function requireAddress(text: string): Uint8Array {
  const bytes = addressBytes(text)
  if (bytes === undefined) throw broken()
  return bytes
}

function textOf(json: ReadonlyMap<string, unknown> | undefined, name: string): string {
  const text = asString(json?.get(name))
  if (text === undefined) throw broken()
  return text
}

function amountOf(json: ReadonlyMap<string, unknown> | undefined): bigint {
  const digits = textOf(json, 'value')
  if (!/^\d{1,40}$/.test(digits)) throw broken()
  return BigInt(digits)
}

function numberOf(json: ReadonlyMap<string, unknown> | undefined, name: string): bigint {
  const number = asInteger(json?.get(name))
  if (number === undefined || number < 0) throw broken()
  return BigInt(number)
}

function broken(): KmsError {
  return new KmsError('unexpected', 'the signed bytes are not a valid transaction')
}
