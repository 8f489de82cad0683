import { asRecord } from '../../base/json.ts'
import { parseStrictJson } from '../../base/strict-json.ts'
import type { Own } from '../chain.ts'
import type { DenialName } from '../denials.ts'
import { denyUnlessLifted, malformed, refused } from './refusals.ts'
import { type FieldName, fieldReaders } from './xrp-fields.ts'
import {
  commonShape,
  isSignedType,
  partialPaymentFlag,
  shapes,
  type XrpTx,
  type XrpType,
} from './xrp-types.ts'

type Members = ReadonlyMap<string, unknown>
type Settings = Own['settings']

/** Every signature is of this form anyhow: the bit means nothing (XRPL, "tfFullyCanonicalSig"). */
export const canonicalFlag = 0x8000_0000
/** Nothing else can ever sign for the account then, and a lost regular key loses it. */
export const disableMasterKey = 4

/** They give the account away (DESIGN 6). */
const deniedTypes: ReadonlyMap<XrpType, DenialName> = new Map([
  ['SetRegularKey', 'XRP.SetRegularKey'],
  ['SignerListSet', 'XRP.SignerListSet'],
  ['AccountDelete', 'XRP.AccountDelete'],
])
/** With them a payment costs something else than it delivers. */
const deniedMembers: ReadonlyMap<string, DenialName> = new Map([
  ['SendMax', 'XRP.SendMax'],
  ['Paths', 'XRP.Paths'],
  ['DeliverMin', 'XRP.tfPartialPayment'],
])
const signedMembers = ['TxnSignature', 'SigningPubKey', 'Signers']

/** Reads the JSON of an unsigned transaction as rippled writes it (protocol 1). */
export function decodeXrpJson(serialized: string, account: string, settings: Settings): XrpTx {
  const json = asRecord(parseStrictJson(serialized))
  if (json === undefined) throw malformed('transaction is not a JSON object')
  if (signedMembers.some(name => json.has(name))) {
    throw refused('transaction has a signature or the key of one: it is to be signed here')
  }
  return readTx(json, account, settings)
}

/** The transaction in these members, which must be one of `account`. */
export function readTx(json: Members, account: string, settings: Settings): XrpTx {
  const type = json.get('TransactionType')
  if (!isSignedType(type)) throw unknownType(type)
  const denial = deniedTypes.get(type)
  if (denial !== undefined) {
    denyUnlessLifted(settings, denial, `a transaction of type ${type} hands over the account`)
  }
  refuseMembers(json, type, settings)
  const tx = { TransactionType: type, ...readFields(json, type) } as XrpTx
  refuseUnbounded(tx)
  refuseFlags(tx, settings)
  if (tx.Account !== account) {
    throw refused(`Account is ${tx.Account}, but the wallet that signs is ${account}`)
  }
  return tx
}

function unknownType(type: unknown): Error {
  if (typeof type !== 'string') return malformed('TransactionType is not text')
  const name = /^\w{1,40}$/.test(type) ? ` ${type}` : ''
  return refused(`transactions of type${name} are not signed here`)
}

function refuseMembers(json: Members, type: XrpType, settings: Settings): void {
  const known: readonly string[] = ['TransactionType', ...namesOf(type)]
  for (const name of json.keys()) {
    const denial = type === 'Payment' ? deniedMembers.get(name) : undefined
    if (denial !== undefined) {
      const reason = `${name} lets a payment cost something else than it delivers`
      denyUnlessLifted(settings, denial, reason)
    }
    if (known.includes(name)) continue
    const quoted = /^\w{1,32}$/.test(name) ? ` '${name}'` : ''
    throw malformed(`transaction of type ${type} has an unknown member${quoted}`)
  }
}

function namesOf(type: XrpType): readonly FieldName[] {
  const { required, optional } = shapes[type]
  return [...commonShape.required, ...commonShape.optional, ...required, ...optional]
}

/** The members that are there, each read by its own reader. */
function readFields(json: Members, type: XrpType): Readonly<Record<string, unknown>> {
  const required: readonly FieldName[] = [...commonShape.required, ...shapes[type].required]
  for (const name of required) {
    if (json.has(name)) continue
    if (name !== 'LastLedgerSequence') throw malformed(`${name} is missing`)
    throw refused('LastLedgerSequence is missing: the transaction would stay valid for ever')
  }
  const given = namesOf(type).filter(name => json.has(name))
  return Object.fromEntries(given.map(name => [name, fieldReaders[name](json.get(name), name)]))
}

function refuseUnbounded({ Sequence, LastLedgerSequence }: XrpTx): void {
  if (LastLedgerSequence === 0) throw refused('LastLedgerSequence is 0')
  // A ticket would take its place, and tickets are not signed here.
  if (Sequence === 0) throw refused('Sequence is 0')
}

function refuseFlags(tx: XrpTx, settings: Settings): void {
  const { TransactionType: type, Flags = 0 } = tx
  if (type === 'Payment' && (Flags & partialPaymentFlag) !== 0) {
    const reason = 'Flags allow a partial payment, which may deliver next to nothing'
    denyUnlessLifted(settings, 'XRP.tfPartialPayment', reason)
  }
  if ((Flags & ~(shapes[type].flags | canonicalFlag)) !== 0) {
    throw refused(`Flags has bits that are not signed in a transaction of type ${type}`)
  }
  if (type === 'AccountSet' && tx.SetFlag === disableMasterKey) {
    denyUnlessLifted(settings, 'XRP.DisableMaster', 'SetFlag 4 disables the key of the account')
  }
}
