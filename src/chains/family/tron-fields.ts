import { fromHex, hex, utf8 } from '../../base/bytes.ts'
import { asArray, asInteger, asRecord, asString } from '../../base/json.ts'
import {
  bytesField,
  type Field,
  type Message,
  messagesField,
  numberField,
  textField,
} from '../codec/protobuf.ts'
import { readMembers } from './members.ts'
import { malformed } from './refusals.ts'
import { readTronAddressText } from './tron-address.ts'

/**
 * A field as it stands in the bytes and in the JSON beside them. Both are read to the same value:
 * numbers as bigint, bytes and addresses as hex in lower case.
 */
export type TronField<T> = Field<T> & {
  readonly isRequired?: true
  fromJson(value: unknown, at: Place): T
}

export type TronShape = Readonly<Record<string, TronField<unknown>>>

/** Where in the JSON. `visible`: addresses stand there in base58, and names as text. */
export type Place = { readonly where: string; readonly visible: boolean }

/**
 * The message in JSON; a member that is not there has the value it has when it is not in the bytes.
 * `ignored`: members that say nothing the chain could read.
 */
export function readTronJson<S extends TronShape>(
  value: unknown,
  shape: S,
  { where, visible }: Place,
  ignored: readonly string[] = [],
): Message<S> {
  const json = readMembers(value, where, [...Object.keys(shape), ...ignored])
  const values = Object.entries(shape).map(([name, field]) => {
    const at = { where: `${where}.${name}`, visible }
    if (json.has(name)) return [name, field.fromJson(json.get(name), at)] as const
    if (field.isRequired) throw malformed(`${at.where} is missing`)
    return [name, field.read([])] as const
  })
  return Object.fromEntries(values) as Message<S>
}

/** A field that must be there, and not as 0 or as no bytes: in protobuf that is the same. */
export function required<T>(field: TronField<T>): TronField<T> {
  return {
    ...field,
    isRequired: true,
    fromJson(value, at) {
      const read = field.fromJson(value, at)
      if (read === 0n || read === '') throw malformed(`${at.where} is ${read === '' ? 'empty' : 0}`)
      return read
    },
  }
}

/** int64 and int32: none of them is negative here, and JSON numbers are exact up to 2^53 only. */
export function whole(number: number): TronField<bigint> {
  return { ...numberField(number), fromJson: readWhole }
}

function readWhole(value: unknown, { where }: Place): bigint {
  const integer = asInteger(value)
  if (integer !== undefined && integer >= 0) return BigInt(integer)
  throw malformed(`${where} is not a whole number below 2^53`)
}

export function flag(number: number): TronField<bigint> {
  return {
    ...numberField(number),
    fromJson(value, { where }) {
      if (typeof value === 'boolean') return value ? 1n : 0n
      throw malformed(`${where} is not true or false`)
    },
  }
}

/** `names[i]` stands for i, which libraries write in the place of some names. */
export function oneOf(
  number: number,
  names: readonly string[],
  spelling: 'by name' | 'by name or number' = 'by name',
): TronField<bigint> {
  return {
    ...numberField(number),
    fromJson(value, { where }) {
      const index = spelling === 'by name' ? undefined : asInteger(value)
      const found = index ?? names.indexOf((asString(value) ?? '').toUpperCase())
      if (found >= 0 && found < names.length) return BigInt(found)
      throw malformed(`${where} is none of the names it can be`)
    },
  }
}

export function text(number: number): TronField<string> {
  return { ...textField(number), fromJson: readText }
}

function readText(value: unknown, { where }: Place): string {
  const read = asString(value)
  if (read?.isWellFormed()) return read
  throw malformed(`${where} is not text`)
}

export function hexBytes(number: number): TronField<string> {
  return { ...hexField(number), fromJson: readHex }
}

function readHex(value: unknown, { where }: Place): string {
  const bytes = fromHex(asString(value) ?? '-')
  if (bytes !== undefined) return hex(bytes)
  throw malformed(`${where} is not bytes in hex`)
}

/** Bytes that are a text; nodes write them as such where `visible` is true. */
export function nameBytes(number: number): TronField<string> {
  return {
    ...hexField(number),
    fromJson: (value, at) => (at.visible ? hex(utf8(readText(value, at))) : readHex(value, at)),
  }
}

export function address(number: number): TronField<string> {
  return {
    ...hexField(number),
    fromJson(value, { where, visible }) {
      const given = asString(value) ?? ''
      if (visible) {
        const read = readTronAddressText(given)
        if (read !== undefined) return read
        throw malformed(`${where} is not an address (T...), or its checksum is wrong`)
      }
      if (/^41[0-9a-fA-F]{40}$/.test(given)) return given.toLowerCase()
      throw malformed(`${where} is not 41 and 40 hex digits`)
    },
  }
}

/** A message, as a list of one, or of none where it is absent. */
export function one<S extends TronShape>(
  number: number,
  shape: S,
): TronField<readonly Message<S>[]> {
  return {
    ...messagesField(number, shape),
    fromJson(value, at) {
      if (asRecord(value) === undefined) throw malformed(`${at.where} is not a JSON object`)
      return [readTronJson(value, shape, at)]
    },
  }
}

export function many<S extends TronShape>(
  number: number,
  shape: S,
  ignored: readonly string[] = [],
): TronField<readonly Message<S>[]> {
  return {
    ...messagesField(number, shape),
    fromJson(value, { where, visible }) {
      const list = asArray(value)
      if (list === undefined) throw malformed(`${where} is not a list`)
      return list.map((item, i) =>
        readTronJson(item, shape, { where: `${where}[${i}]`, visible }, ignored),
      )
    },
  }
}

function hexField(number: number): Field<string> {
  const field = bytesField(number)
  return {
    number,
    read(entries) {
      const bytes = field.read(entries)
      return bytes && hex(bytes)
    },
    write: value => field.write(fromHex(value) ?? new Uint8Array()),
  }
}
