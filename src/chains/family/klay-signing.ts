import { fromHex } from '../../base/bytes.ts'
import { KmsError } from '../../base/errors.ts'
import type { Signature, Signed } from '../../base/model.ts'
import { decodeEnvelope, encodeEnvelope } from './evm-envelope.ts'
import { hashHex } from './evm-key.ts'
import { splitSignature } from './evm-signature.ts'
import { asHex, type Hex } from './evm-tx.ts'
import { decodeRaw, encodeRaw, senderPart, signedPart } from './klay-raw.ts'
import type { FilledKlayTx, KlaySignature, KlayTx, PayerHalf, RawTx } from './klay-tx.ts'

/** What our key signs. */
export function digestOf(tx: FilledKlayTx): Uint8Array {
  switch (tx.kind) {
    case 'legacy':
      return hashHex(encodeEnvelope(tx.tx))
    case 'sender':
      return hashHex(signedPart(tx))
    case 'payer':
      return hashHex(signedPart(tx, tx.feePayer))
    default:
      return tx satisfies never
  }
}

/** What can be used once only: a number of ours, or the payment of somebody else, borne once. */
export function claimOf(tx: FilledKlayTx, own: Hex): string {
  switch (tx.kind) {
    case 'legacy':
      return `nonce/${own}/${tx.tx.nonce}`
    case 'sender':
      return `nonce/${own}/${tx.body.nonce}`
    case 'payer':
      // What the sender signed: the same whoever else signs, and however a signature is written.
      return `delegated/${asHex(hashHex(signedPart(tx)))}`
    default:
      return tx satisfies never
  }
}

export function sign(tx: FilledKlayTx, signature: Signature): Signed {
  switch (tx.kind) {
    case 'legacy':
      return signed(encodeEnvelope(tx.tx, signature))
    case 'sender': {
      const { chainId, body } = tx
      const raw = { chainId, body, signatures: [numbersOf(signature)], payerSignatures: [] }
      // Until a fee payer signs, the hash of the sender's part is how Kaia knows the transaction.
      return signed(encodeRaw(raw), senderPart(raw))
    }
    case 'payer':
      return signed(encodeRaw(withPayer(tx, numbersOf(signature))))
    default:
      return tx satisfies never
  }
}

/** Reads signed bytes back, as the half that `tx` is. */
export function unsign(txData: string, { kind }: KlayTx, chainId: number): FilledKlayTx {
  if (kind === 'legacy') return { kind, tx: decodeEnvelope(txData) }
  const bytes = fromHex(txData.startsWith('0x') ? txData.slice(2) : '-') ?? new Uint8Array()
  const raw = decodeRaw(bytes, chainId, broken)
  const { body, signatures, feePayer, payerSignatures } = raw
  if (kind === 'payer') {
    if (feePayer === undefined || payerSignatures.length === 0) throw broken()
    return { ...raw, kind, feePayer, payerSignatures: payerSignatures.slice(0, -1) }
  }
  if (feePayer !== undefined || payerSignatures.length > 0) throw broken()
  if (signatures.length !== 1) throw broken()
  return { kind, chainId, body }
}

function withPayer(tx: PayerHalf, own: KlaySignature): RawTx {
  if (tx.payerSignatures.some(known => known.r === own.r && known.s === own.s)) {
    throw new KmsError('transaction-refused', 'this fee payer has signed the transaction already')
  }
  return { ...tx, payerSignatures: [...tx.payerSignatures, own] }
}

function numbersOf(signature: Signature): KlaySignature {
  const { parity, r, s } = splitSignature(signature)
  return { parity, r: BigInt(r), s: BigInt(s) }
}

function signed(txData: Hex, identified = txData): Signed {
  return { txData, txId: asHex(hashHex(identified)) }
}

function broken(): KmsError {
  return new KmsError('unexpected', 'the signed bytes are not a valid transaction')
}
