import { sha3_256 } from '@noble/hashes/sha3.js'
import { toRlp } from 'viem/utils'
import { concat, fromHex, hex, utf8 } from '../../base/bytes.ts'
import { KmsError } from '../../base/errors.ts'
import { decodeRlp, type Rlp } from '../codec/rlp.ts'
import { type RlpItems, readItems } from '../codec/rlp-items.ts'
import { rlpNumber } from './evm-signature.ts'
import { asHex, type Hex } from './evm-tx.ts'
import { type FilledFlowTx, gasLimit, isOneKey } from './flow-tx.ts'

/** A transaction with its signatures, 64 bytes each; '0x' is one that is still to come. */
export type SignedFlowTx = {
  readonly tx: FilledFlowTx
  readonly authorizer: Hex
  readonly proposer: Hex
  readonly payer: Hex
}

type Items = readonly (Hex | Items)[]

/** Flow, "Transaction signing": what is signed begins with what it is, in 32 bytes. */
const tag = concat(utf8('FLOW-V0.0-transaction'), new Uint8Array(11))

/** What proposer and authorizer sign. */
export function payloadMessage(tx: FilledFlowTx): Uint8Array {
  return concat(tag, bytesOf(toRlp(payload(tx))))
}

/** What the payer signs: the payload with the signatures of the others. */
export function envelopeMessage(signed: SignedFlowTx): Uint8Array {
  return concat(tag, bytesOf(toRlp([payload(signed.tx), payloadSignatures(signed)])))
}

/** The whole of a transaction, in hex: what is hashed for its id. */
export function encodeSigned(signed: SignedFlowTx): Hex {
  const { tx, payer } = signed
  const { keyId } = tx.frame.payer
  const payerSignature = [
    rlpNumber(signerIndex(tx, tx.frame.payer.address)),
    rlpNumber(keyId),
    payer,
  ]
  return toRlp([payload(tx), payloadSignatures(signed), [payerSignature]])
}

/** The id of the transaction on its chain, once all have signed. */
export function flowId(signed: SignedFlowTx): string {
  return hex(sha3_256(bytesOf(encodeSigned(signed))))
}

/** Reads what `encodeSigned` wrote, and no other spelling of it. */
export function decodeSigned(text: string): SignedFlowTx {
  const whole = text.startsWith('0x') ? fromHex(text.slice(2)) : undefined
  const items = readItems(whole && decodeRlp(whole), signedLayout, broken)
  const [payer] = items.list('envelopeSignatures').map(readSignature)
  const inside = items.list('payloadSignatures').map(readSignature)
  const authorizer = inside.at(-1)
  if (payer === undefined || authorizer === undefined) throw broken()
  const signed: SignedFlowTx = {
    tx: readPayload(readItems(items.list('payload'), payloadLayout, broken), payer.keyId),
    authorizer: authorizer.signature,
    proposer: inside.at(-2)?.signature ?? '0x',
    payer: payer.signature,
  }
  if (encodeSigned(signed) !== text) throw broken()
  return signed
}

const signedLayout = 'payload payloadSignatures envelopeSignatures'
const payloadLayout =
  'script arguments referenceBlock gasLimit proposer proposerKeyId sequenceNumber payer authorizers'

function payload({ script, args, account, frame }: FilledFlowTx): Items {
  const { referenceBlock, proposer, sequenceNumber, payer } = frame
  return [
    asHex(utf8(script)),
    args.map(argument => asHex(utf8(argument))),
    `0x${referenceBlock}`,
    rlpNumber(gasLimit),
    proposer.address,
    rlpNumber(proposer.keyId),
    rlpNumber(sequenceNumber),
    payer.address,
    [account],
  ]
}

/** In the order of their signers. */
function payloadSignatures({ tx, authorizer, proposer }: SignedFlowTx): Items {
  const { frame, account } = tx
  const ours = [rlpNumber(signerIndex(tx, account)), '0x', authorizer] as const
  if (isOneKey(frame)) return [ours]
  const index = rlpNumber(signerIndex(tx, frame.proposer.address))
  return [[index, rlpNumber(frame.proposer.keyId), proposer], ours]
}

/** Signers are numbered as they first appear: proposer, payer, authorizer. */
function signerIndex({ account, frame }: FilledFlowTx, address: Hex): number {
  const signers = new Set([frame.proposer.address, frame.payer.address, account])
  return [...signers].indexOf(address)
}

function readPayload(items: RlpItems, payerKeyId: number): FilledFlowTx {
  const [account] = items.list('authorizers')
  if (!(account instanceof Uint8Array)) throw broken()
  const payer = { address: asHex(items.bytes('payer')), keyId: payerKeyId }
  const proposer = {
    address: asHex(items.bytes('proposer')),
    keyId: items.integer('proposerKeyId'),
  }
  return {
    script: readUtf8(items.bytes('script')),
    args: items.list('arguments').map(readUtf8),
    account: asHex(account),
    frame: {
      referenceBlock: hex(items.bytes('referenceBlock')),
      proposer,
      sequenceNumber: items.integer('sequenceNumber'),
      payer,
    },
  }
}

function readSignature(item: Rlp): { readonly keyId: number; readonly signature: Hex } {
  const items = readItems(item, 'signer keyId signature', broken)
  const signature = items.bytes('signature')
  if (signature.length !== 0 && signature.length !== 64) throw broken()
  return { keyId: items.integer('keyId'), signature: asHex(signature) }
}

function readUtf8(item: Rlp): string {
  if (!(item instanceof Uint8Array)) throw broken()
  // What is no UTF-8 comes out as something else, and is seen when it is encoded again.
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(item)
}

function bytesOf(digits: Hex): Uint8Array {
  return fromHex(digits.slice(2)) ?? new Uint8Array()
}

function broken(): KmsError {
  return new KmsError('unexpected', 'the signed bytes are not a transaction that was signed here')
}
