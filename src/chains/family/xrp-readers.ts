import { asArray, asInteger, asString } from '../../base/json.ts'
import { malformed } from './refusals.ts'
import { isAccount } from './xrp-address.ts'

/** Readers of what members are made of. */

export function readAccount(value: unknown, where: string): string {
  const text = asString(value) ?? ''
  if (isAccount(text)) return text
  // X-addresses hold a tag, which belongs into a field of its own.
  throw malformed(`${where} is not a classic address (r...)`)
}

export function readUint(bits: 8 | 16 | 32) {
  return (value: unknown, where: string): number => {
    const number = asInteger(value)
    if (number === undefined || number < 0 || number >= 2 ** bits) {
      throw malformed(`${where} is not a whole number of ${bits} bits`)
    }
    // JSON has a -0, which is 0 but no equal of it when read back.
    return number + 0
  }
}

export function readHex(minBytes: number, maxBytes = minBytes) {
  const size = minBytes === maxBytes ? `${minBytes}` : `${minBytes} to ${maxBytes}`
  return (value: unknown, where: string): string => {
    const text = asString(value)
    const bytes = (text?.length ?? 1) / 2
    const isInRange = Number.isInteger(bytes) && bytes >= minBytes && bytes <= maxBytes
    if (text === undefined || !isInRange || !/^[0-9A-Fa-f]*$/.test(text)) {
      throw malformed(`${where} is not ${size} bytes of hex`)
    }
    return text.toUpperCase()
  }
}

export function readList(value: unknown, where: string): readonly unknown[] {
  const list = asArray(value)
  if (list === undefined || list.length === 0) {
    throw malformed(`${where} is not a list with members`)
  }
  return list
}
