import { KmsError } from '../base/errors.ts'
import { asArray, asInteger, asRecord, asString } from '../base/json.ts'
import type { PendingTx, WalletId, WithdrawalInput } from '../base/model.ts'

const maxList = 10_000
const maxName = 100
const maxSerialized = 1_000_000
/** BIP-32: indexes from here up are hardened, which a payment can never ask for. */
const firstHardened = 0x8000_0000

/**
 * What the server handed out, checked member by member; members nobody knows are dropped. The
 * server is not trusted: every value that is not a pending transaction is a `KmsError`.
 */
export function parsePending(value: unknown): PendingTx {
  const members = asRecord(value)
  if (members === undefined) throw malformed('it is not an object')
  const index = optional(members, 'index', asIndex)
  const withdrawalId = optional(members, 'withdrawalId', asName)
  const withdrawalResponses = optionalList(members, 'withdrawalResponses', asWithdrawalInput)
  return {
    id: required(members, 'id', asId),
    chain: required(members, 'chain', asId),
    serializedTransaction: required(members, 'serializedTransaction', asSerialized),
    hashes: required(members, 'hashes', list(asWalletId)),
    signatures: optionalList(members, 'signatures', asSignature) ?? [],
    ...(index === undefined ? {} : { index }),
    ...(withdrawalId === undefined ? {} : { withdrawalId }),
    ...(withdrawalResponses === undefined ? {} : { withdrawalResponses }),
  }
}

/** The id alone, so that a malformed transaction can still be reported. */
export function pendingId(value: unknown): string | undefined {
  return asId(asRecord(value)?.get('id'))
}

type Members = ReadonlyMap<string, unknown>
/** Answers undefined for a value that is not what it reads. */
type Reader<T> = (value: unknown) => T | undefined

function required<T>(members: Members, name: string, read: Reader<T>): T {
  const value = read(members.get(name))
  if (value === undefined) throw malformed(`its member ${name} is missing or of the wrong form`)
  return value
}

/** JSON null is how some servers write a member that is absent. */
function optional<T>(members: Members, name: string, read: Reader<T>): T | undefined {
  return (members.get(name) ?? null) === null ? undefined : required(members, name, read)
}

function optionalList<T>(
  members: Members,
  name: string,
  read: Reader<T>,
): readonly T[] | undefined {
  return optional(members, name, list(read))
}

function list<T>(read: Reader<T>): Reader<readonly T[]> {
  return value => {
    const entries = asArray(value)
    if (entries === undefined || entries.length > maxList) return undefined
    const values = entries.map(read).filter(entry => entry !== undefined)
    return values.length === entries.length ? values : undefined
  }
}

/** 24 hex digits in practice; safe in a path, a log line and a file name whatever it is. */
export function isPendingId(text: string): boolean {
  return /^[\w-]{1,100}$/.test(text)
}

function asId(value: unknown): string | undefined {
  const text = asString(value)
  return text !== undefined && isPendingId(text) ? text : undefined
}

function asName(value: unknown): string | undefined {
  const text = asString(value)
  return text !== undefined && text.length > 0 && text.length <= maxName ? text : undefined
}

function asSerialized(value: unknown): string | undefined {
  const text = asString(value)
  return text !== undefined && text.length <= maxSerialized ? text : undefined
}

/** Any version of UUID: the wallets of the original are not all version 4. */
function asWalletId(value: unknown): WalletId | undefined {
  const text = asString(value)?.toLowerCase()
  const isUuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
  return text !== undefined && isUuid.test(text) ? text : undefined
}

function asIndex(value: unknown): number | undefined {
  const index = asInteger(value)
  return index !== undefined && index >= 0 && index < firstHardened ? index : undefined
}

function asSignature(
  value: unknown,
): { readonly id: WalletId; readonly index: number } | undefined {
  const members = asRecord(value)
  const id = asWalletId(members?.get('id'))
  const index = asIndex(members?.get('index'))
  return id === undefined || index === undefined ? undefined : { id, index }
}

/** Protocol 3.5. The address is missing from the entry that returns change to the pool. */
function asWithdrawalInput(value: unknown): WithdrawalInput | undefined {
  const members = asRecord(value)
  if (members === undefined) return undefined
  const vIn = required(members, 'vIn', asName)
  const vInIndex = optional(members, 'vInIndex', asInteger)
  const address = optional(members, 'address', asRecord)
  const derivationKey = address && optional(address, 'derivationKey', asIndex)
  return {
    vIn,
    ...(vInIndex === undefined ? {} : { vInIndex }),
    ...(derivationKey === undefined ? {} : { derivationKey }),
  }
}

function malformed(reason: string): KmsError {
  return new KmsError('transaction-malformed', `pending transaction is malformed: ${reason}`)
}
