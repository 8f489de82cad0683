import { asInteger, asRecord, asString } from '../../base/json.ts'
import { malformed } from './refusals.ts'

export type Members = ReadonlyMap<string, unknown>

export const maxUint256 = 2n ** 256n - 1n
export function readMembers(value: unknown, where: string, known: readonly string[]): Members {
  const json = asRecord(value)
  if (json === undefined) throw malformed(`${where} is not a JSON object`)
  for (const name of json.keys()) {
    if (!known.includes(name)) throw malformed(`${where} has an unknown member${quote(name)}`)
  }
  return json
}

/** A name is repeated only when it cannot be anything but a name. */
function quote(name: string): string {
  return /^\w{1,32}$/.test(name) ? ` '${name}'` : ''
}

/** A JSON integer, decimal digits or 0x hex; undefined for anything else or more than 256 bits. */
export function asQuantity(value: unknown): bigint | undefined {
  const integer = asInteger(value)
  if (integer !== undefined) return integer < 0 ? undefined : BigInt(integer)
  const text = asString(value)
  if (text === undefined || !/^(\d{1,78}|0x[0-9a-fA-F]{1,64})$/.test(text)) return undefined
  const quantity = BigInt(text)
  return quantity <= maxUint256 ? quantity : undefined
}

export function readQuantity(json: Members, name: string, max: bigint): bigint | undefined {
  const value = json.get(name)
  if (value === undefined) return undefined
  const quantity = asQuantity(value)
  if (quantity === undefined) {
    throw malformed(`${name} is not a whole number: a JSON integer below 2^53, decimal or 0x hex`)
  }
  if (quantity > max) throw malformed(`${name} is above ${max}`)
  return quantity
}
