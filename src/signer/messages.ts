import { fromHex, hex } from '../base/bytes.ts'
import { KmsError } from '../base/errors.ts'
import type { Json } from '../base/json.ts'
import { asArray, asInteger, asRecord, asString } from '../base/json.ts'
import type { Completion, Curve, KeyRef, PublicKey, Signed } from '../base/model.ts'

/**
 * What the front may ask. None of these can change a rule: the signer's settings come from its own
 * command line and files.
 */
export type Question =
  /** The wallets of the daemon's network, a page at a time, in the vault's order. */
  | { readonly type: 'wallets'; readonly from: number }
  | { readonly type: 'publicKeys'; readonly chain: string; readonly refs: readonly KeyRef[] }
  | { readonly type: 'nextNonce'; readonly chain: string; readonly address: string }
  /** Looks a payment up in the ledger. `contents`: SHA-256 of its serializedTransaction, in hex. */
  | {
      readonly type: 'signed'
      readonly chain: string
      readonly pendingId: string
      readonly contents: string
    }
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
  | { readonly type: 'status' }

/** A pending transaction exactly as Tatum sent it, and what the front adds to it. */
export type Payment = { readonly pending: unknown; readonly completion: Completion }

/** The answer to each question, as it crosses the pipe. */
export type Answers = {
  readonly wallets: { readonly wallets: readonly PublicWallet[]; readonly next: number | null }
  /** `encodePublicKey` texts in the order of the refs. */
  readonly publicKeys: { readonly keys: readonly string[] }
  readonly nextNonce: { readonly next: string | null }
  readonly signed: { readonly signed: Signed | null }
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
  readonly status: {
    readonly vaultId: string
    readonly wallets: number
    readonly signed: number
    readonly generation: string
  }
}

/** The newest bytes of a payment in the ledger, and those before them. */
export type OrderedPayment = Signed & {
  readonly chain: string
  /** As in the question `signed`. */
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
  | { readonly kind: 'refused'; readonly code: string; readonly reason: string }

/**
 * Frames that answer no question carry number 0. `config` is the first of all and comes from the
 * main process before it becomes the signer.
 */
export type Notice =
  | { readonly type: 'config'; readonly config: Json }
  | { readonly type: 'ready' }
  | { readonly type: 'stop' }

export function encodeQuestion(question: Question): Json {
  switch (question.type) {
    case 'publicKeys':
      return { ...question, refs: question.refs.map(ref => ({ ...ref })) }
    case 'sign':
      return { type: 'sign', payments: question.payments.map(encodePayment) }
    case 'resign':
      return { ...question, payment: encodePayment(question.payment) }
    default:
      return question
  }
}

function encodePayment({ pending, completion }: Payment) {
  return { pending: pending as Json, completion }
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
      return {
        type,
        chain: need(asString(record?.get('chain'))),
        pendingId: need(asString(record?.get('pendingId'))),
        contents: need(asString(record?.get('contents'))),
      }
    case 'sign':
      return { type, payments: need(asArray(record?.get('payments'))).map(decodePayment) }
    case 'cancel':
      return { type, price: decodePrice(record?.get('price')) }
    case 'resign':
      return {
        type,
        payment: decodePayment(record?.get('payment')),
        expired: need(asString(record?.get('expired'))),
      }
    case 'cancellation':
    case 'resignation':
    case 'reload':
    case 'status':
      return { type }
    default:
      throw malformed()
  }
}

export function decodeKeyRef(value: unknown): KeyRef {
  const record = asRecord(value)
  const signatureId = need(asString(record?.get('signatureId')))
  const index = record?.get('index')
  return index === undefined ? { signatureId } : { signatureId, index: need(asInteger(index)) }
}

function decodePayment(value: unknown): Payment {
  const record = asRecord(value)
  const completion: Record<string, string> = {}
  for (const [name, text] of need(asRecord(record?.get('completion')))) {
    if (name === '__proto__') throw malformed()
    completion[name] = need(asString(text))
  }
  return { pending: record?.get('pending'), completion }
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
