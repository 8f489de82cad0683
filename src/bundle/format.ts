import { KmsError } from '../base/errors.ts'
import { asArray, asRecord, asString, encodeJson, type Json, parseJson } from '../base/json.ts'
import type { Completion, Network } from '../base/model.ts'
import { asCompletion } from '../signer/messages.ts'
import { refuseOversized } from '../tatum/entry-size.ts'
import { isPendingId, pendingId } from '../tatum/pending.ts'

/** Payments on their way to a signer without network: each as Tatum sent it, and completed. */
export type UnsignedBundle = BundleHead & {
  readonly madeAt: string
  readonly payments: readonly UnsignedPayment[]
}

export type UnsignedPayment = { readonly pending: unknown; readonly completion: Completion }

/** What became of them, on its way back. */
export type SignedBundle = BundleHead & { readonly payments: readonly SignedPayment[] }

export type SignedPayment = {
  readonly id: string
  readonly chain: string
  /** SHA-256 of its serializedTransaction, in hex. */
  readonly contents: string
  readonly withdrawalId: string | null
  readonly txData: string
  readonly txId: string
}

/** Whose payments they are. */
type BundleHead = { readonly vaultId: string; readonly network: Network }

/** Of either kind, as a file. */
export const maxBundleBytes = 16 * 2 ** 20
export const maxPayments = 10_000

const formats = {
  unsigned: 'tatum-kms unsigned bundle',
  signed: 'tatum-kms signed bundle',
} as const
type Kind = keyof typeof formats

export function encodeUnsigned(bundle: UnsignedBundle): string {
  const payments = bundle.payments.map(encodePayment)
  return encodeJson({ format: formats.unsigned, version: 1, ...bundle, payments })
}

/** How much of a bundle a payment takes. */
export function sizeOf(payment: UnsignedPayment): number {
  return Buffer.byteLength(encodeJson(encodePayment(payment))) + 1
}

function encodePayment({ pending, completion }: UnsignedPayment) {
  return { pending: pending as Json, completion }
}

export function encodeSigned({ vaultId, network, payments }: SignedBundle): string {
  return encodeJson({ format: formats.signed, version: 1, vaultId, network, payments })
}

/** Reads what came from a machine that may have been taken over: nothing in it is believed. */
export function decodeUnsigned(text: string): UnsignedBundle {
  const { members, head, entries } = open(text, 'unsigned')
  const madeAt = need(asString(members.get('madeAt')))
  if (!/^[\d:.TZ-]{1,30}$/.test(madeAt)) throw malformed()
  const payments = entries.map(entry => {
    const record = asRecord(entry)
    const pending = record?.get('pending')
    refuseOversized(pending ?? null)
    return { pending, completion: need(asCompletion(record?.get('completion'))) }
  })
  refuseTwins(payments.map(({ pending }) => need(pendingId(pending))))
  return { ...head, madeAt, payments }
}

export function decodeSigned(text: string): SignedBundle {
  const { head, entries } = open(text, 'signed')
  const payments = entries.map(decodeSignedPayment)
  refuseTwins(payments.map(({ id }) => id))
  return { ...head, payments }
}

/** Which of the two it says it is, for whoever only passes it on. */
export function kindOf(text: string): Kind | undefined {
  const format = asRecord(parseJson(text))?.get('format')
  if (format === formats.unsigned) return 'unsigned'
  return format === formats.signed ? 'signed' : undefined
}

function open(text: string, kind: Kind) {
  const members = asRecord(parseJson(text))
  if (members?.get('format') !== formats[kind]) {
    throw new KmsError('transaction-malformed', `the file is no ${formats[kind]}`)
  }
  if (members.get('version') !== 1) {
    throw new KmsError('transaction-malformed', 'the bundle is of another version than 1')
  }
  const vaultId = need(asString(members.get('vaultId')))
  const network = members.get('network')
  const entries = need(asArray(members.get('payments')))
  if (!/^[0-9a-f]{32}$/.test(vaultId)) throw malformed()
  if (network !== 'mainnet' && network !== 'testnet') throw malformed()
  if (entries.length > maxPayments) throw malformed()
  return { members, head: { vaultId, network } satisfies BundleHead, entries }
}

/** As the journal and the broadcast take them. */
const shapes = {
  id: isPendingId,
  chain: (text: string) => /^[A-Z0-9]{1,20}$/.test(text),
  contents: (text: string) => /^[0-9a-f]{64}$/.test(text),
  txData: (text: string) => /^[\x20-\x7e]{1,2000000}$/.test(text),
  txId: (text: string) => /^[\x21-\x7e]{1,200}$/.test(text),
} as const

function decodeSignedPayment(entry: unknown): SignedPayment {
  const members = asRecord(entry)
  const read = (name: keyof typeof shapes): string => {
    const text = need(asString(members?.get(name)))
    if (!shapes[name](text)) throw malformed()
    return text
  }
  const withdrawalId = members?.get('withdrawalId') ?? null
  return {
    id: read('id'),
    chain: read('chain'),
    contents: read('contents'),
    withdrawalId: withdrawalId === null ? null : readWithdrawalId(withdrawalId),
    txData: read('txData'),
    txId: read('txId'),
  }
}

function readWithdrawalId(value: unknown): string {
  const text = need(asString(value))
  if (!/^[\x20-\x7e]{1,100}$/.test(text)) throw malformed()
  return text
}

/** Two entries of one id: whichever is shown to a person, the other one may be meant. */
function refuseTwins(ids: readonly string[]): void {
  if (new Set(ids).size < ids.length) {
    throw new KmsError('transaction-malformed', 'a payment is in the bundle twice')
  }
}

function need<T>(value: T | undefined): T {
  if (value === undefined) throw malformed()
  return value
}

function malformed(): KmsError {
  return new KmsError('transaction-malformed', 'the bundle is malformed')
}
