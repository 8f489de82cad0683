import { concat, equalBytes, fromHex } from '../../base/bytes.ts'
import { KmsError } from '../../base/errors.ts'
import { encodeJson } from '../../base/json.ts'
import { decodeBech32, encodeBech32 } from '../codec/bech32.ts'
import {
  bytesField,
  decodeMessage,
  encodeMessage,
  encodeVarint,
  type Message,
  messagesField,
  numberField,
  textField,
} from '../codec/protobuf.ts'
import type { FilledTx, Side } from './bnb-tx.ts'

/**
 * Amino, the encoding of the Beacon Chain: protobuf, with four bytes of a type's name before what
 * can be of several types.
 */
const stdTxPrefix = Uint8Array.of(0xf0, 0x62, 0x5d, 0xee)
const msgSendPrefix = Uint8Array.of(0x2a, 0x2c, 0x87, 0xfa)
/** PubKeySecp256k1, and the length of what follows. */
const publicKeyPrefix = Uint8Array.of(0xeb, 0x5a, 0xe9, 0x87, 33)

const side = {
  address: bytesField(1),
  coins: messagesField(2, { denom: textField(1), amount: numberField(2) }),
}
const msgSend = { inputs: messagesField(1, side), outputs: messagesField(2, side) }
const stdTx = {
  msg: bytesField(1),
  signatures: messagesField(2, {
    publicKey: bytesField(1),
    signature: bytesField(2),
    accountNumber: numberField(3),
    sequence: numberField(4),
  }),
  memo: textField(3),
}

/** A transfer and the one signature it takes. */
type SignedTransfer = {
  readonly tx: FilledTx
  readonly publicKey: Uint8Array
  readonly signature: Uint8Array
}

/** The JSON that is signed: names in the order of the alphabet, numbers of the account as text. */
export function signBytes(tx: FilledTx, chainId: string): string {
  const plain = ({ address, coins }: Side) => ({
    address,
    coins: coins.map(({ amount, denom }) => ({ amount: Number(amount), denom })),
  })
  return encodeJson({
    account_number: tx.accountNumber.toString(),
    chain_id: chainId,
    data: null,
    memo: tx.memo,
    msgs: [{ inputs: tx.inputs.map(plain), outputs: tx.outputs.map(plain) }],
    sequence: tx.sequence.toString(),
    source: '0',
  })
}

export function encodeSigned({ tx, publicKey, signature }: SignedTransfer): Uint8Array {
  const { inputs, outputs, memo, accountNumber, sequence } = tx
  const msg = encodeMessage({ inputs: inputs.map(inBytes), outputs: outputs.map(inBytes) }, msgSend)
  const signed = { publicKey: concat(publicKeyPrefix, publicKey), signature }
  const body = encodeMessage(
    {
      msg: concat(msgSendPrefix, msg),
      signatures: [{ ...signed, accountNumber, sequence }],
      memo,
    },
    stdTx,
  )
  const length = encodeVarint(BigInt(stdTxPrefix.length + body.length))
  return concat(length, stdTxPrefix, body)
}

export function decodeSigned(txData: string, prefix: string): SignedTransfer {
  const bytes = fromHex(txData) ?? new Uint8Array()
  // The least transfer is longer than 127 bytes, the longest shorter than 2^21.
  const head = [2, 3].find(size =>
    equalBytes(bytes.subarray(0, size), encodeVarint(BigInt(bytes.length - size))),
  )
  const tx = decodeMessage(behind(stdTxPrefix, bytes.subarray(head)), stdTx)
  const msg = tx && decodeMessage(behind(msgSendPrefix, tx.msg), msgSend)
  const [signed, ...others] = tx?.signatures ?? []
  if (head === undefined || msg === undefined || signed === undefined || others.length > 0) {
    throw unreadable()
  }
  const { publicKey, signature, accountNumber, sequence } = signed
  const inText = ({ address, coins }: Message<typeof side>): Side => ({
    address: encodeBech32(prefix, address),
    coins,
  })
  const transfer = { inputs: msg.inputs.map(inText), outputs: msg.outputs.map(inText) }
  return {
    tx: { ...transfer, memo: tx?.memo ?? '', accountNumber, sequence },
    publicKey: behind(publicKeyPrefix, publicKey),
    signature,
  }
}

function inBytes({ address, coins }: Side): Message<typeof side> {
  const [prefix = ''] = address.split('1')
  return { address: decodeBech32(prefix, address) ?? new Uint8Array(), coins }
}

function behind(prefix: Uint8Array, bytes: Uint8Array): Uint8Array {
  if (equalBytes(bytes.subarray(0, prefix.length), prefix)) return bytes.subarray(prefix.length)
  throw unreadable()
}

function unreadable(): KmsError {
  return new KmsError('unexpected', 'the signed bytes are not those of a transfer')
}
