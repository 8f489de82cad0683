import { createHash } from 'node:crypto'
import { ed25519 } from '@noble/curves/ed25519.js'
import { base58Text } from '../../base/base58.ts'
import { readBytes } from '../../base/binary.ts'
import { concat } from '../../base/bytes.ts'
import { KmsError } from '../../base/errors.ts'
import type { Signature, Signed, SigningRequest } from '../../base/model.ts'
import { encodeCompactU16, readCompactU16 } from '../codec/compact-u16.ts'
import { refused } from './refusals.ts'
import { rememberedOf } from './remembered.ts'
import { decodeMessage, encodeMessage } from './sol-message.ts'
import { type FilledSolTx, mintOf } from './sol-tx.ts'

/** One request per signer, in the order of the accounts; the mint's key stands behind `own`. */
export function signingRequests(
  tx: FilledSolTx,
  own: readonly string[],
): readonly SigningRequest[] {
  const message = signedBytes(tx)
  const keys = [...own, mintOf(tx)]
  return signersOf(tx).map(address => ({
    key: keys.indexOf(address),
    algorithm: 'ed25519',
    message,
  }))
}

/** What all of it follows from, its signatures too: Ed25519 has one per key and message. */
export function messageHash(tx: FilledSolTx): string {
  return createHash('sha256').update(signedBytes(tx)).digest('hex')
}

/** What is sent, and what Tatum and the chain know it by: its first signature. */
export function assembleSol(tx: FilledSolTx, signatures: readonly Signature[]): Signed {
  const message = signedBytes(tx)
  checkMintSignature(tx, message, signatures)
  const all = signatures.map(({ bytes }) => bytes)
  const wire = concat(encodeCompactU16(all.length), ...all, message)
  const txId = base58Text(all[0] ?? new Uint8Array())
  const base64 = Buffer.from(wire).toString('base64')
  return { txData: `${base64}@${tx.lastBlock}@${tx.slot}`, txId }
}

/** The signer's bytes: a transaction as it is sent, in base64, and from when until when it can arrive. */
type SignedSol = {
  readonly wire: string
  /** The first one: in base58 it is the id. */
  readonly signature: Uint8Array
  readonly tx: FilledSolTx
}

/** Reads back what `assembleSol` made; the mint's key is not in it. */
export function readSigned(txData: string): SignedSol {
  const [wire = '', ...times] = txData.split('@')
  const [lastBlock, slot, ...others] = times.map(readTime)
  if (lastBlock === undefined || slot === undefined || others.length > 0) throw broken()
  const bytes = Uint8Array.from(Buffer.from(wire, 'base64'))
  const reader = readBytes(bytes, broken)
  const count = readCompactU16(reader, broken)
  if (count === 0) throw broken()
  const signature = reader.take(64)
  reader.skip(64 * (count - 1))
  const { message, blockhash } = decodeMessage(reader.take(reader.remaining))
  if (count !== message.signers) throw broken()
  return { wire, signature, tx: { message, blockhash, lastBlock, slot } }
}

function readTime(text: string): bigint {
  if (!/^\d+$/.test(text)) throw broken()
  return BigInt(text)
}

const written = rememberedOf<FilledSolTx, Uint8Array>()

/** Written once: what is claimed, signed and sent are the same bytes. */
function signedBytes(tx: FilledSolTx): Uint8Array {
  return written(tx, () => encodeMessage(tx.message, tx.blockhash))
}

function signersOf({ message }: FilledSolTx): readonly string[] {
  return message.accounts.slice(0, message.signers)
}

/** Only a key that is the private one of the mint signs for it. */
function checkMintSignature(
  tx: FilledSolTx,
  message: Uint8Array,
  signatures: readonly Signature[],
): void {
  if (tx.mint === undefined) return
  const signature = signatures[signersOf(tx).indexOf(mintOf(tx) ?? '')]
  const { bytes } = tx.mint.publicKey
  if (signature !== undefined && ed25519.verify(signature.bytes, message, bytes)) return
  throw refused('the halves of mintPK do not belong together')
}

function broken(): KmsError {
  return new KmsError('unexpected', 'the signed bytes are not a valid transaction')
}
