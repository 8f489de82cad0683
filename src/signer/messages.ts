import { fromHex, hex } from '../base/bytes.ts'
import { type ErrorCode, KmsError } from '../base/errors.ts'
import type { Json } from '../base/json.ts'
import { asArray, asInteger, asRecord, asString } from '../base/json.ts'
import type { Completion, Curve, KeyRef, PublicKey, Signed } from '../base/model.ts'
import type { Usage } from '../base/usage.ts'
import type { ApprovalRequest } from '../guard/signed-approval.ts'
import { decodeVerdicts, type SignedVerdict } from '../guard/signed-verdicts.ts'
import { isPendingId } from '../tatum/pending.ts'

/**
 * What the front may ask. None of these can change a rule: the signer's settings come from its own
 * command line and files.
 */
export type Question =
  /** The wallets of the daemon's network, a page at a time, in the vault's order. */
  | { readonly type: 'wallets'; readonly from: number }
  | { readonly type: 'publicKeys'; readonly chain: string; readonly refs: readonly KeyRef[] }
  | { readonly type: 'nextNonce'; readonly chain: string; readonly address: string }
  /** Looks payments up in the ledger. */
  | { readonly type: 'signed'; readonly payments: readonly LookUp[] }
  /** What approvers are to be told of pending transactions, exactly as Tatum sent them. */
  | { readonly type: 'review'; readonly pending: readonly unknown[] }
  /** Shows it a no that approvers have signed. */
  | {
      readonly type: 'deny'
      readonly pending: unknown
      readonly verdicts: readonly SignedVerdict[]
    }
  /** What a payment uses up, with the bytes that the ledger has for it. */
  | { readonly type: 'claims'; readonly pendingId: string }
  | { readonly type: 'sign'; readonly payments: readonly Payment[] }
  /** What is known of the one payment that this signer was started to cancel. */
  | { readonly type: 'cancellation' }
  /** Cancels it. `price`: what a unit of gas costs now, where its bytes have to be replaced. */
  | { readonly type: 'cancel'; readonly price: string | null }
  /** What is known of the one payment that this signer was started to sign anew. */
  | { readonly type: 'resignation' }
  /** Signs it anew. `expired`: id of the bytes that can arrive no more. */
  | { readonly type: 'resign'; readonly payment: Payment; readonly expired: string }
  /** Looks whether the vault file was replaced since. */
  | { readonly type: 'reload' }
  /** Looks whether the ledger can be written. */
  | { readonly type: 'probe' }
  | { readonly type: 'status' }
  | Progress

/** The front's loop goes round: how many chains it polls, and what it has seen of them. */
export type Progress = {
  readonly type: 'progress'
  readonly chains: number
  /** Chains whose last poll failed. */
  readonly failing: number
  /** Payments that Tatum lists, and those with bytes that may not have arrived. */
  readonly listed: number
  readonly unsent: number
}

/** As many payments as one question may be about; they keep the signer busy for a fraction of a second. */
export const maxPayments = 500

/** What a payment is known by. `contents`: SHA-256 of its serializedTransaction, in hex. */
export type LookUp = {
  readonly chain: string
  readonly pendingId: string
  readonly contents: string
}

/** A pending transaction exactly as Tatum sent it, and what the front adds to it. */
export type Payment = Additions & { readonly pending: unknown }

export type Additions = {
  readonly completion: Completion
  /** What approvers have signed, as it came from them. */
  readonly approvals?: readonly SignedVerdict[]
}

/** The answer to each question, as it crosses the pipe. */
export type Answers = {
  readonly wallets: { readonly wallets: readonly PublicWallet[]; readonly next: number | null }
  /** `encodePublicKey` texts in the order of the refs. */
  readonly publicKeys: { readonly keys: readonly string[] }
  readonly nextNonce: { readonly next: string | null }
  readonly signed: { readonly results: readonly LookUpResult[] }
  readonly review: { readonly results: readonly ReviewResult[] }
  /** Why the payment is refused for ever; null where no approver has signed a no that counts. */
  readonly deny: { readonly reason: string | null }
  readonly claims: { readonly claims: readonly string[] }
  readonly sign: { readonly results: readonly SignResult[] }
  readonly cancellation: {
    readonly payment: OrderedPayment | null
    readonly replacement: Signed | null
  }
  /** What takes the payment's place, if anything does, and what of its claims others may have. */
  readonly cancel: {
    readonly replacement: Signed | null
    readonly released: readonly string[]
  }
  readonly resignation: { readonly payment: OrderedPayment | null }
  /** The payment's newest bytes. */
  readonly resign: Signed
  readonly reload: { readonly changed: boolean }
  readonly probe: Readonly<Record<string, never>>
  readonly status: {
    readonly vaultId: string
    readonly wallets: number
    readonly signed: number
    /** Of the ledger, ever. */
    readonly commits: number
    readonly generation: string
    readonly usage: Usage
  }
  readonly progress: Readonly<Record<string, never>>
}

/** The newest bytes of a payment in the ledger, and those before them. */
export type OrderedPayment = Signed & {
  readonly chain: string
  /** As in a `LookUp`. */
  readonly contents: string
  readonly before: Signed | null
  /** Of the keys that signed it. */
  readonly wallets: readonly string[]
}

export type PublicWallet = { readonly id: string; readonly chain: string }

/** `repeated`: these bytes were signed before and come from the ledger. */
export type SignResult =
  | {
      readonly kind: 'signed'
      readonly txData: string
      readonly txId: string
      readonly repeated: boolean
    }
  | Refused

/** Refused: the ledger has the payment with other contents, or as one that was cancelled. */
export type LookUpResult =
  | ({ readonly kind: 'found' } & Signed)
  | { readonly kind: 'none' }
  | Refused

export type ReviewResult =
  | { readonly kind: 'to-approve'; readonly approval: ApprovalRequest }
  | Refused

type Refused = { readonly kind: 'refused'; readonly code: string; readonly reason: string }

/**
 * Frames that answer no question carry number 0. `config` is the first of all and comes from the
 * main process before it becomes the signer.
 */
export type Notice =
  | { readonly type: 'config'; readonly config: Json }
  | { readonly type: 'ready' }
  /** The settings of chains as a policy has them, before `ready` and whenever they change. */
  | { readonly type: 'settings'; readonly chainSettings: Json }
  | { readonly type: 'stop' }
  /** There will be no `ready`. */
  | { readonly type: 'failed'; readonly code: ErrorCode }

export function encodeQuestion(question: Question): Json {
  switch (question.type) {
    case 'publicKeys':
      return { ...question, refs: question.refs.map(ref => ({ ...ref })) }
    case 'review':
      return { type: 'review', pending: question.pending as Json }
    case 'deny':
      return { ...question, pending: question.pending as Json }
    case 'sign':
      return { type: 'sign', payments: question.payments.map(encodePayment) }
    case 'resign':
      return { ...question, payment: encodePayment(question.payment) }
    default:
      return question
  }
}

function encodePayment({ pending, completion, approvals }: Payment) {
  return { pending: pending as Json, completion, ...(approvals && { approvals }) }
}

/** Reads a question off the pipe; the front may have been taken over, so nothing is assumed. */
export function decodeQuestion(body: unknown): Question {
  const record = asRecord(body)
  const type = record?.get('type')
  switch (type) {
    case 'wallets':
      return { type, from: need(asInteger(record?.get('from'))) }
    case 'publicKeys':
      return {
        type,
        chain: need(asString(record?.get('chain'))),
        refs: need(asArray(record?.get('refs'))).map(decodeKeyRef),
      }
    case 'nextNonce':
      return {
        type,
        chain: need(asString(record?.get('chain'))),
        address: need(asString(record?.get('address'))),
      }
    case 'signed':
      return { type, payments: decodeBatch(record?.get('payments')).map(decodeLookUp) }
    case 'review':
      return { type, pending: decodeBatch(record?.get('pending')) }
    case 'deny':
      return {
        type,
        pending: record?.get('pending'),
        verdicts: need(decodeVerdicts(record?.get('verdicts'))),
      }
    case 'claims':
      return { type, pendingId: decodePendingId(record?.get('pendingId')) }
    case 'sign':
      return { type, payments: decodeBatch(record?.get('payments')).map(decodePayment) }
    case 'cancel':
      return { type, price: decodePrice(record?.get('price')) }
    case 'resign':
      return {
        type,
        payment: decodePayment(record?.get('payment')),
        expired: need(asString(record?.get('expired'))),
      }
    case 'progress':
      return {
        type,
        chains: need(asInteger(record?.get('chains'))),
        failing: need(asInteger(record?.get('failing'))),
        listed: need(asInteger(record?.get('listed'))),
        unsent: need(asInteger(record?.get('unsent'))),
      }
    case 'cancellation':
    case 'resignation':
    case 'reload':
    case 'probe':
    case 'status':
      return { type }
    default:
      throw malformed()
  }
}

/** The ledger keeps under other ids what is handed out to nobody who asks by a payment's id. */
function decodePendingId(value: unknown): string {
  const text = need(asString(value))
  if (!isPendingId(text)) throw malformed()
  return text
}

export function decodeKeyRef(value: unknown): KeyRef {
  const record = asRecord(value)
  const signatureId = need(asString(record?.get('signatureId')))
  const index = record?.get('index')
  return index === undefined ? { signatureId } : { signatureId, index: need(asInteger(index)) }
}

function decodeBatch(value: unknown): readonly unknown[] {
  const items = need(asArray(value))
  if (items.length > maxPayments) throw malformed()
  return items
}

function decodeLookUp(value: unknown): LookUp {
  const record = asRecord(value)
  return {
    chain: need(asString(record?.get('chain'))),
    pendingId: decodePendingId(record?.get('pendingId')),
    contents: need(asString(record?.get('contents'))),
  }
}

function decodePayment(value: unknown): Payment {
  const record = asRecord(value)
  const approvals = record?.get('approvals')
  return {
    pending: record?.get('pending'),
    completion: need(asCompletion(record?.get('completion'))),
    ...(approvals !== undefined && { approvals: need(decodeVerdicts(approvals)) }),
  }
}

/** Undefined for what no front of ours has written. */
export function asCompletion(value: unknown): Completion | undefined {
  const members = asRecord(value)
  if (members === undefined) return undefined
  const completion: Record<string, string> = {}
  for (const [name, member] of members) {
    const text = asString(member)
    if (name === '__proto__' || text === undefined) return undefined
    completion[name] = text
  }
  return completion
}

/** 19 digits are far more than gas ever costs, and few enough to reckon with. */
function decodePrice(value: unknown): string | null {
  if (value === null) return null
  const text = need(asString(value))
  if (!/^[1-9]\d{0,18}$/.test(text)) throw malformed()
  return text
}

/** Public keys cross the pipe as `curve:hex`. */
export function encodePublicKey({ curve, bytes }: PublicKey): string {
  return `${curve}:${hex(bytes)}`
}

export function decodePublicKey(text: string): PublicKey {
  const [curve, digits = ''] = text.split(':')
  const bytes = fromHex(digits)
  if (bytes === undefined || !isCurve(curve)) throw malformed()
  return { curve, bytes }
}

function isCurve(text: string | undefined): text is Curve {
  return text === 'secp256k1' || text === 'ed25519' || text === 'ed25519-bip32'
}

function need<T>(value: T | undefined): T {
  if (value === undefined) throw malformed()
  return value
}

function malformed(): KmsError {
  return new KmsError('unexpected', 'the other side of the pipe sent a malformed message')
}
