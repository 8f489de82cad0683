import type { xdr } from '@stellar/stellar-base'
import { u32 } from '../../base/binary.ts'
import { concat, hex } from '../../base/bytes.ts'
import type { Own } from '../chain.ts'
import { denyUnlessLifted, malformed, refused } from './refusals.ts'
import { stellar } from './xlm-library.ts'
import { readMuxed, readOperation, type XlmOperation } from './xlm-operation.ts'

export type XlmTx = {
  /** The envelope up to its signatures, in hex: what is hashed is part of what is compared. */
  readonly body: string
  /** `G…` */
  readonly source: string
  /** In stroops, for all operations together: what is paid, by whomever. */
  readonly fee: bigint
  readonly sequence: bigint
  /** Seconds since 1970. */
  readonly minTime: bigint
  readonly maxTime: bigint
  /** `text:…`, `id:…`, `hash:…` or `return:…` */
  readonly memo?: string
  readonly operations: readonly XlmOperation[]
  /** Where it is what others have signed, and we pay for (CAP-15). */
  readonly bump?: {
    /** `G…`, who pays. */
    readonly payer: string
    /** What the others have signed, as `body`. */
    readonly inner: string
  }
}

/** Who signed is told by the last 4 bytes of the public key. */
export type XlmSignature = { readonly hint: Uint8Array; readonly signature: Uint8Array }

/** EnvelopeType of Stellar-transaction.x */
const envelopeTypes = { v0: 0, v1: 2, feeBump: 5 } as const
/** 100 operations, the most there can be, of the types signed here have 20,000 characters. */
const maxCharacters = 32_768
/** Year 9999, so that milliseconds are exact. */
const maxSeconds = 253_402_300_799n

/** Reads a base64 envelope (protocol 2), which has one form only: it is what would be written. */
export function decodeEnvelope(
  text: string,
  settings: Own['settings'],
): { readonly tx: XlmTx; readonly signatures: readonly XlmSignature[] } {
  const bytes = readBase64(text)
  const envelope = parseEnvelope(bytes, settings)
  const signatures = envelope.value().signatures()
  const signaturesLength = signatures.reduce((sum, one) => sum + one.toXDR().length, 4)
  const body = bytes.subarray(0, bytes.length - signaturesLength)
  return {
    tx: { body: hex(body), ...readContents(envelope, settings) },
    signatures: signatures.map(one => ({ hint: one.hint(), signature: one.signature() })),
  }
}

export function encodeEnvelope(body: Uint8Array, { hint, signature }: XlmSignature): string {
  const envelope = concat(body, u32(1), hint, u32(signature.length), signature)
  return Buffer.from(envelope).toString('base64')
}

function readBase64(text: string): Buffer {
  if (text.length > maxCharacters) {
    throw refused(`the envelope is longer than ${maxCharacters} characters`)
  }
  const bytes = Buffer.from(text, 'base64')
  if (bytes.length < 4 || bytes.toString('base64') !== text) {
    throw malformed('transaction is not an envelope in base64')
  }
  return bytes
}

function parseEnvelope(bytes: Buffer, settings: Own['settings']): xdr.TransactionEnvelope {
  switch (bytes.readUInt32BE()) {
    case envelopeTypes.v1:
      break
    case envelopeTypes.feeBump:
      denyUnlessLifted(
        settings,
        'XLM.fee-bump',
        'a fee-bump envelope pays for a transaction that others have signed',
      )
      break
    case envelopeTypes.v0:
      throw refused('the envelope is of version 0, which is not signed here')
    default:
      throw malformed('transaction is not an envelope of a transaction')
  }
  const envelope = orMalformed(() => stellar().xdr.TransactionEnvelope.fromXDR(bytes))
  if (!envelope.toXDR().equals(bytes)) {
    throw malformed('the envelope is not in the one form that XDR allows')
  }
  return envelope
}

/** The library's messages may quote what it read. */
function orMalformed<T>(read: () => T): T {
  try {
    return read()
  } catch (cause) {
    throw malformed('the envelope cannot be read as XDR', cause)
  }
}

function readContents(
  envelope: xdr.TransactionEnvelope,
  settings: Own['settings'],
): Omit<XlmTx, 'body'> {
  return envelope.switch().name === 'envelopeTypeTxFeeBump'
    ? readBump(envelope.feeBump().tx(), settings)
    : readTransaction(envelope.v1().tx(), settings)
}

function readBump(bump: xdr.FeeBumpTransaction, settings: Own['settings']): Omit<XlmTx, 'body'> {
  const { to: payer, toId } = readMuxed(bump.feeSource())
  if (toId !== undefined) throw refused('the account that pays the fee is muxed (M...)')
  const fee = BigInt(bump.fee().toString())
  if (fee < 0n) throw malformed('the fee is negative')
  const inner = bump.innerTx().v1()
  if (inner.signatures().length === 0) {
    throw refused('the transaction whose fee is to be paid is signed by nobody')
  }
  const signed = concat(u32(envelopeTypes.v1), inner.tx().toXDR())
  return { ...readTransaction(inner.tx(), settings), fee, bump: { payer, inner: hex(signed) } }
}

function readTransaction(
  tx: xdr.Transaction,
  settings: Own['settings'],
): Omit<XlmTx, 'body' | 'bump'> {
  const { to: source, toId } = readMuxed(tx.sourceAccount())
  if (toId !== undefined) throw refused('the source account is muxed (M...)')
  const sequence = BigInt(tx.seqNum().toString())
  if (sequence <= 0n) throw malformed('the sequence number is not above 0')
  const memo = readMemo(tx.memo())
  if (tx.ext().switch() !== 0) {
    throw refused('a part of the transaction for smart contracts is not signed')
  }
  const operations = tx.operations()
  if (operations.length === 0) throw malformed('the transaction has no operation')
  return {
    source,
    fee: BigInt(tx.fee()),
    sequence,
    ...readTimes(tx.cond()),
    ...(memo !== undefined && { memo }),
    operations: operations.map((operation, i) => readOperation(operation, i, { source, settings })),
  }
}

function readTimes(conditions: xdr.Preconditions): Pick<XlmTx, 'minTime' | 'maxTime'> {
  const type = conditions.switch().name
  if (type === 'precondV2') throw refused('preconditions other than time bounds are not signed')
  const bounds = type === 'precondTime' ? conditions.timeBounds() : undefined
  const maxTime = BigInt(bounds?.maxTime().toString() ?? 0)
  if (bounds === undefined || maxTime === 0n) {
    throw refused('the transaction has no maxTime: it would stay valid for ever')
  }
  if (maxTime > maxSeconds) throw refused('maxTime is after the year 9999')
  const minTime = BigInt(bounds.minTime().toString())
  if (minTime > maxTime) throw refused('minTime is after maxTime: no network ever takes it')
  return { minTime, maxTime }
}

/** Percent signs keep any text one word, and no two texts alike. */
function readMemo(memo: xdr.Memo): string | undefined {
  switch (memo.switch().name) {
    case 'memoNone':
      return undefined
    case 'memoText':
      return `text:${encodeURIComponent(readUtf8(Buffer.from(memo.text())))}`
    case 'memoId':
      return `id:${memo.id()}`
    case 'memoHash':
      return `hash:${hex(memo.hash())}`
    case 'memoReturn':
      return `return:${hex(memo.retHash())}`
  }
}

function readUtf8(bytes: Buffer): string {
  const text = bytes.toString()
  if (!Buffer.from(text).equals(bytes)) throw refused('the memo is not text in UTF-8')
  return text
}
