import { createHash } from 'node:crypto'
import { u32 } from '../base/binary.ts'
import { concat, concatAll, hex, utf8 } from '../base/bytes.ts'
import { KmsError } from '../base/errors.ts'
import type { Json } from '../base/json.ts'
import type { Intent, Network, PendingTx } from '../base/model.ts'

/** What approvers agree to, all of it: docs/format.md, 4. */
export type ApprovalSubject = {
  readonly vaultId: string
  readonly network: Network
  readonly pending: PendingTx
  /** How often it was signed before: above 0 it is to be signed anew. */
  readonly signedBefore: number
  /** Before completion, which adds nothing but a fee. */
  readonly intent: Intent
  readonly feeCeiling: NonNullable<Intent['fee']>
}

/** What approvers are told of a payment beside what Tatum says of it; amounts in decimal digits. */
export type ApprovalRequest = {
  readonly version: 1
  readonly vaultId: string
  readonly network: Network
  /** Hex. */
  readonly digest: string
  readonly nonce: string
  readonly signedBefore: number
  readonly intent: Json
  readonly feeCeiling: { readonly amount: string; readonly asset: string }
}

export function requestApproval(subject: ApprovalSubject, nonce: Uint8Array): ApprovalRequest {
  const { vaultId, network, signedBefore, feeCeiling } = subject
  const { kind, from, outputs, expiry, notBefore, unread = false } = subject.intent
  const shown = outputs.map(output => ({ ...output, amount: `${output.amount}` }))
  return {
    version: 1,
    vaultId,
    network,
    digest: hex(approvalDigest(subject)),
    nonce: hex(nonce),
    signedBefore,
    intent: { kind, from, outputs: shown, expiry, notBefore, unread },
    feeCeiling: { ...feeCeiling, amount: `${feeCeiling.amount}` },
  }
}

export function approvalDigest(subject: ApprovalSubject): Uint8Array {
  return sha256(encodeSubject(subject))
}

/** One form for one subject, and no two subjects with the same: every field says where it ends. */
export function encodeSubject({
  vaultId,
  network,
  pending,
  signedBefore,
  intent,
  feeCeiling,
}: ApprovalSubject): Uint8Array {
  const { id, chain, hashes, index, signatures, withdrawalId, withdrawalResponses } = pending
  const { kind, from, outputs, expiry, notBefore, unread = false } = intent
  return concatAll([
    text('tatum-kms approval v1'),
    ...[vaultId, id, chain, network].map(text),
    list(hashes, text),
    option(index, whole),
    list(signatures, wallet => concat(text(wallet.id), whole(wallet.index))),
    field(sha256(wellFormed(pending.serializedTransaction))),
    field(sha256(option(withdrawalResponses, inputs => list(inputs, encodeInput)))),
    option(withdrawalId, text),
    whole(signedBefore),
    text(kind),
    list(from, text),
    list(outputs, ({ to, amount, asset, own }) =>
      concat(text(to), whole(amount), text(asset), flag(own)),
    ),
    whole(feeCeiling.amount),
    text(feeCeiling.asset),
    option(expiry, whole),
    option(notBefore, whole),
    flag(unread),
  ])
}

/** What an approver signs with Ed25519. */
export function encodeVerdict(
  digest: Uint8Array,
  nonce: Uint8Array,
  { verdict, expiry }: { readonly verdict: 'approved' | 'denied'; readonly expiry: number },
): Uint8Array {
  return concat(
    text('tatum-kms verdict v1'),
    field(digest),
    text(verdict),
    field(nonce),
    whole(expiry),
  )
}

function encodeInput({
  vIn,
  vInIndex,
  derivationKey,
}: NonNullable<PendingTx['withdrawalResponses']>[number]): Uint8Array {
  return concat(text(vIn), option(vInIndex, whole), option(derivationKey, whole))
}

function field(value: Uint8Array): Uint8Array {
  return concat(u32(value.length), value)
}

function text(value: string): Uint8Array {
  return field(wellFormed(value))
}

/** Half a surrogate has no UTF-8 of its own: two texts would be one. */
function wellFormed(value: string): Uint8Array {
  if (value.isWellFormed()) return utf8(value)
  throw new KmsError('transaction-refused', 'the payment has a text that is not Unicode')
}

/** Decimal digits, whatever the size. */
function whole(value: number | bigint): Uint8Array {
  if (typeof value === 'bigint' || Number.isSafeInteger(value)) return text(`${value}`)
  throw new KmsError('transaction-refused', 'the payment has a time that no approver can read')
}

function flag(value: boolean): Uint8Array {
  return text(value ? '1' : '0')
}

function list<T>(items: readonly T[], encode: (item: T) => Uint8Array): Uint8Array {
  return concatAll([u32(items.length), ...items.map(encode)])
}

function option<T>(value: T | undefined, encode: (value: T) => Uint8Array): Uint8Array {
  return value === undefined ? list([], encode) : list([value], encode)
}

function sha256(bytes: Uint8Array): Uint8Array {
  return createHash('sha256').update(bytes).digest()
}
