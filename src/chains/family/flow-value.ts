import { asArray, asInteger, asString, encodeJson, type Json } from '../../base/json.ts'
import type { Network } from '../../base/model.ts'
import { readFlowAddress } from './flow-address.ts'
import { malformed, refused } from './refusals.ts'

/** Values of Cadence, as JSON-Cadence writes the arguments of a transaction. */

/** Its own text, compact, as it is signed. */
export function encodeValue(type: string, value: Json): string {
  return encodeJson({ type, value })
}

/** `where` names an argument in errors. */
type Place = { readonly network: Network; readonly where: string }

/**
 * An argument as Tatum has it: `type` is the name of its type, `value` JSON, and `subType` the type
 * of what is in a list.
 */
export function readArgument(given: ReadonlyMap<string, unknown>, place: Place): string {
  const { where } = place
  const [type, value, subType] = ['type', 'value', 'subType'].map(name => given.get(name))
  if (type !== 'Array') {
    if (subType !== undefined) throw malformed(`${where} has a subType and is no Array`)
    return encodeValue(nameOf(type, where), readValue(type, value, place))
  }
  const list = asArray(value)
  if (list === undefined) throw malformed(`${where} is an Array and its value is no list`)
  const name = nameOf(subType, where)
  const items = list.map(item => ({ type: name, value: readValue(subType, item, place) }))
  return encodeValue(type, items)
}

function nameOf(type: unknown, where: string): string {
  const name = asString(type) ?? ''
  if (/^\w{1,32}$/.test(name)) return name
  throw malformed(`${where} does not name its type`)
}

function readValue(type: unknown, value: unknown, { network, where }: Place): Json {
  const name = nameOf(type, where)
  const [, signed, width] = /^(U?Int|Word)(8|16|32|64|128|256)?$/.exec(name) ?? []
  if (signed !== undefined) return readInteger(value, integerBounds(signed, width), where)
  switch (name) {
    case 'UFix64':
      return fixedText(readUnits(value, where))
    case 'Fix64':
      return readSignedFixed(value, where)
    case 'Address':
      return readFlowAddress(value, network, where)
    case 'Bool':
      if (typeof value !== 'boolean') throw malformed(`${where} is neither true nor false`)
      return value
    case 'Character':
    case 'String': {
      const text = asString(value)
      if (!text?.isWellFormed()) throw malformed(`${where} is not text`)
      return text
    }
    default:
      throw refused(`${where} is of type ${name}, which is not signed here`)
  }
}

type Bounds = { readonly min: bigint; readonly max: bigint }

/** Int and UInt have no bounds in Cadence; no more than 256 bits are signed. */
function integerBounds(kind: string, width = '256'): Bounds {
  const bits = BigInt(width)
  if (kind === 'Int') return { min: -(2n ** (bits - 1n)), max: 2n ** (bits - 1n) - 1n }
  return { min: 0n, max: 2n ** bits - 1n }
}

function readInteger(value: unknown, { min, max }: Bounds, where: string): string {
  const text = asInteger(value)?.toString() ?? asString(value) ?? ''
  const number = /^-?\d{1,78}$/.test(text) ? BigInt(text) : undefined
  if (number === undefined || number < min || number > max) {
    throw malformed(`${where} is not a whole number from ${min} to ${max}`)
  }
  return number.toString()
}

const decimals = 8
/** UFix64 counts 10^-8 in 64 bits. */
const maxUnits = 2n ** 64n - 1n
const maxSignedUnits = 2n ** 63n - 1n

/** An amount in units of 10^-8, exactly as it is written in decimal digits. */
export function readUnits(value: unknown, where: string): bigint {
  const [, whole, fraction = ''] = /^(\d{1,12})(?:\.(\d{1,8}))?$/.exec(asString(value) ?? '') ?? []
  if (whole === undefined) {
    throw malformed(`${where} is not text of a decimal number with at most ${decimals} decimals`)
  }
  const units = BigInt(whole + fraction.padEnd(decimals, '0'))
  if (units > maxUnits) throw malformed(`${where} is above ${fixedText(maxUnits)}`)
  return units
}

/** As UFix64 is written: with all eight decimals. */
export function fixedText(units: bigint): string {
  const digits = units.toString().padStart(decimals + 1, '0')
  return `${digits.slice(0, -decimals)}.${digits.slice(-decimals)}`
}

function readSignedFixed(value: unknown, where: string): string {
  const text = asString(value) ?? ''
  const isNegative = text.startsWith('-')
  const units = readUnits(isNegative ? text.slice(1) : value, where)
  if (units > maxSignedUnits) throw malformed(`${where} is beyond ${fixedText(maxSignedUnits)}`)
  return isNegative ? `-${fixedText(units)}` : fixedText(units)
}
