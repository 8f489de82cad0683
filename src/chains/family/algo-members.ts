import { equalBytes } from '../../base/bytes.ts'
import { asArray, asInteger, asRecord, asString } from '../../base/json.ts'
import { addressChecksum } from './algo-tx.ts'
import { malformed, refused } from './refusals.ts'

/** Readers of what algosdk's classes become in JSON (protocol 8). */

export type Members = ReadonlyMap<string, unknown>

export function readWhole(json: Members, name: string): bigint {
  if (!json.has(name)) throw malformed(`${name} is missing`)
  const value = asInteger(json.get(name))
  if (value !== undefined && value >= 0) return BigInt(value)
  throw malformed(`${name} is not a whole number: a JSON integer from 0 to 2^53 - 1`)
}

/** As UTF-8; empty when it is not there. */
export function readText(json: Members, name: string, maxBytes: number): string {
  const value = json.get(name)
  if (value === undefined) return ''
  const text = asString(value)
  if (text === undefined || !text.isWellFormed()) throw malformed(`${name} is not text`)
  if (Buffer.byteLength(text) > maxBytes) throw refused(`${name} holds more than ${maxBytes} bytes`)
  return text
}

/**
 * Bytes are an object of them by index, where they were a Uint8Array, or `{type, data}`, where they
 * were a Buffer. Empty when they are not there.
 */
export function readBytes(json: Members, name: string, maxBytes: number): Uint8Array {
  const value = json.get(name)
  if (value === undefined) return new Uint8Array()
  const bytes = asBytes(value)
  if (bytes === undefined) throw malformed(`${name} is not an object of bytes by their index`)
  if (bytes.length > maxBytes) throw refused(`${name} holds more than ${maxBytes} bytes`)
  return bytes
}

/** The public key of `{publicKey, checksum}`. */
export function readAccount(json: Members, name: string): Uint8Array {
  if (!json.has(name)) throw malformed(`${name} is missing`)
  const account = asRecord(json.get(name))
  const publicKey = asBytes(account?.get('publicKey'))
  const checksum = asBytes(account?.get('checksum'))
  if (account?.size !== 2 || publicKey?.length !== 32 || checksum === undefined) {
    throw malformed(`${name} is not an account: a public key of 32 bytes and its checksum`)
  }
  if (!equalBytes(addressChecksum(publicKey), checksum)) {
    throw malformed(`${name} has a checksum that is not the one of its public key`)
  }
  if (publicKey.every(byte => byte === 0)) throw refused(`${name} is the address of nobody`)
  return publicKey
}

function asBytes(value: unknown): Uint8Array | undefined {
  const record = asRecord(value)
  if (record === undefined) return undefined
  const isBuffer = record.get('type') === 'Buffer' && record.size === 2
  const list = isBuffer ? asArray(record.get('data')) : inOrder(record)
  return list?.every(isByte) ? Uint8Array.from(list) : undefined
}

/** The values of an object whose names are the numbers from 0. */
function inOrder(record: Members): readonly unknown[] | undefined {
  const values = Array.from({ length: record.size }, (_, index) => record.get(`${index}`))
  return values.includes(undefined) ? undefined : values
}

function isByte(value: unknown): value is number {
  const integer = asInteger(value)
  return integer !== undefined && integer >= 0 && integer <= 255
}
