import { fromHex } from '../../base/bytes.ts'
import { KmsError } from '../../base/errors.ts'
import { asInteger, asRecord, asString } from '../../base/json.ts'
import { asHex, type Hex } from './evm-tx.ts'

/** Readers of the members that transactions of EVM chains have in JSON. */

export type Members = ReadonlyMap<string, unknown>

export const maxUint256 = 2n ** 256n - 1n
const maxUint64 = 2n ** 64n - 1n
/** EIP-2681 allows 64 bits; no account comes near what a double holds exactly. */
export const maxNonce = BigInt(Number.MAX_SAFE_INTEGER)

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

export function readGas(json: Members): bigint | undefined {
  const gas = readQuantity(json, 'gas', maxUint64)
  return readGasLimit(json) ?? unlessZero(gas)
}

export function readGasLimit(json: Members): bigint | undefined {
  return unlessZero(readQuantity(json, 'gasLimit', maxUint64))
}

/** For the original a price of 0 is a missing one; no network takes 0 for price or gas. */
export function unlessZero(quantity: bigint | undefined): bigint | undefined {
  return quantity === 0n ? undefined : quantity
}

export function checkChainId(json: Members, chainId: number): void {
  const given = readQuantity(json, 'chainId', maxUint256)
  if (given === undefined || given === BigInt(chainId)) return
  throw refused(`chainId is ${given}, but this wallet's network has chain id ${chainId}`)
}

export function readData(json: Members): Hex {
  if (json.has('data') && json.has('input')) throw refused('both data and input are given')
  const name = json.has('input') ? 'input' : 'data'
  const value = json.get(name)
  if (value === undefined) return '0x'
  const bytes = fromHex((asString(value) ?? '-').replace(/^0x/, ''))
  if (bytes === undefined) throw malformed(`${name} is not bytes in hex`)
  return asHex(bytes)
}

export function malformed(message: string): KmsError {
  return new KmsError('transaction-malformed', message)
}

export function refused(message: string): KmsError {
  return new KmsError('transaction-refused', message)
}
