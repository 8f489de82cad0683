import { getAddress } from 'viem/utils'
import { fromHex } from '../../base/bytes.ts'
import { KmsError } from '../../base/errors.ts'
import { asArray, asInteger, asRecord, asString } from '../../base/json.ts'
import { parseStrictJson } from '../../base/strict-json.ts'
import { type Access, asHex, type EvmTx, type Hex } from './evm-tx.ts'

type Members = ReadonlyMap<string, unknown>

const maxUint256 = 2n ** 256n - 1n
const maxUint64 = 2n ** 64n - 1n
/** EIP-2681 allows 64 bits; no account comes near what a double holds exactly. */
export const maxNonce = BigInt(Number.MAX_SAFE_INTEGER)

/** Data and access list above which nodes relay nothing (geth, txMaxSize). */
const maxPayloadBytes = 128 * 1024
/** EIP-3860. */
const maxInitCodeBytes = 49_152

const members = [
  'from',
  'to',
  'value',
  'data',
  'input',
  'nonce',
  'gas',
  'gasLimit',
  'gasPrice',
  'maxFeePerGas',
  'maxPriorityFeePerGas',
  'accessList',
  'chainId',
  'type',
]

/**
 * Reads web3's TransactionConfig JSON (protocol 4.1). `from` is 0 or an address and means nothing:
 * the wallet says who signs.
 */
export function decodeWeb3Json(serialized: string, chainId: number): EvmTx {
  const json = readMembers(parseStrictJson(serialized), 'transaction', members)
  checkChainId(json, chainId)
  const to = readOptionalAddress(json.get('to'))
  const data = readData(json)
  const nonce = readQuantity(json, 'nonce', maxNonce)
  const gas = readGas(json)
  const tx: EvmTx = {
    ...readPricing(json),
    chainId,
    ...(nonce !== undefined && { nonce: Number(nonce) }),
    ...(gas !== undefined && { gas }),
    ...(to !== undefined && { to }),
    value: readQuantity(json, 'value', maxUint256) ?? 0n,
    data,
  }
  checkType(json, tx)
  checkPayload(tx)
  return tx
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

function checkChainId(json: Members, chainId: number): void {
  const given = readQuantity(json, 'chainId', maxUint256)
  if (given === undefined || given === BigInt(chainId)) return
  throw refused(`chainId is ${given}, but this wallet's network has chain id ${chainId}`)
}

function readGas(json: Members): bigint | undefined {
  const gas = readQuantity(json, 'gas', maxUint64)
  const gasLimit = readQuantity(json, 'gasLimit', maxUint64)
  return unlessZero(gasLimit) ?? unlessZero(gas)
}

function readPricing(json: Members): Pick<EvmTx, 'type' | 'price' | 'tip' | 'accessList'> {
  const gasPrice = unlessZero(readQuantity(json, 'gasPrice', maxUint256))
  const maxFee = readQuantity(json, 'maxFeePerGas', maxUint256)
  const tip = readQuantity(json, 'maxPriorityFeePerGas', maxUint256)
  const accessList = readAccessList(json.get('accessList'))
  if (maxFee === undefined && tip === undefined) {
    return {
      type: accessList === undefined ? 'legacy' : 'eip2930',
      ...(gasPrice !== undefined && { price: gasPrice }),
      tip: 0n,
      accessList: accessList ?? [],
    }
  }
  if (gasPrice !== undefined) {
    throw refused('gasPrice cannot be combined with maxFeePerGas or maxPriorityFeePerGas')
  }
  if (maxFee === undefined) throw refused('maxPriorityFeePerGas is given without maxFeePerGas')
  if (tip === undefined) throw refused('maxFeePerGas is given without maxPriorityFeePerGas')
  if (maxFee === 0n) throw refused('maxFeePerGas is 0')
  if (tip > maxFee) throw refused('maxPriorityFeePerGas is above maxFeePerGas')
  return { type: 'eip1559', price: maxFee, tip, accessList: accessList ?? [] }
}

/** For the original a price of 0 is a missing one; no network takes 0 for price or gas. */
function unlessZero(quantity: bigint | undefined): bigint | undefined {
  return quantity === 0n ? undefined : quantity
}

function checkType(json: Members, { type }: EvmTx): void {
  const given = readQuantity(json, 'type', maxUint256)
  const actual = { legacy: 0n, eip2930: 1n, eip1559: 2n }[type]
  if (given !== undefined && given !== actual) {
    throw refused(`type is ${given}, but the other members make a transaction of type ${actual}`)
  }
}

function checkPayload({ to, data, accessList }: EvmTx): void {
  const bytes = data.length / 2 - 1
  const listed = accessList.reduce((sum, access) => sum + 20 + 32 * access.storageKeys.length, 0)
  if (bytes + listed > maxPayloadBytes) {
    throw refused(`data and accessList hold more than ${maxPayloadBytes} bytes`)
  }
  if (to !== undefined) return
  if (bytes === 0) throw refused('transaction has neither a recipient nor the code of a contract')
  if (bytes > maxInitCodeBytes) {
    throw refused(`the code of the new contract is longer than ${maxInitCodeBytes} bytes`)
  }
}

function readData(json: Members): Hex {
  if (json.has('data') && json.has('input')) throw refused('both data and input are given')
  const name = json.has('input') ? 'input' : 'data'
  const value = json.get(name)
  if (value === undefined) return '0x'
  const bytes = fromHex((asString(value) ?? '-').replace(/^0x/, ''))
  if (bytes === undefined) throw malformed(`${name} is not bytes in hex`)
  return asHex(bytes)
}

function readAccessList(value: unknown): readonly Access[] | undefined {
  if (value === undefined) return undefined
  const list = asArray(value)
  if (list === undefined) throw malformed('accessList is not a list')
  return list.map((entry, i) => readAccess(entry, `accessList[${i}]`))
}

function readAccess(value: unknown, where: string): Access {
  const json = readMembers(value, where, ['address', 'storageKeys'])
  const keys = asArray(json.get('storageKeys'))
  if (keys === undefined) throw malformed(`${where}.storageKeys is not a list`)
  return {
    address: readAddress(json.get('address'), `${where}.address`),
    storageKeys: keys.map((key, i) => readStorageKey(key, `${where}.storageKeys[${i}]`)),
  }
}

function readStorageKey(value: unknown, where: string): Hex {
  const [, digits] = /^0x([0-9a-fA-F]{64})$/.exec(asString(value) ?? '-') ?? []
  if (digits === undefined) throw malformed(`${where} is not 0x and 64 hex digits`)
  return `0x${digits.toLowerCase()}`
}

function readOptionalAddress(value: unknown): Hex | undefined {
  return value === undefined ? undefined : readAddress(value, 'to')
}

/** Lower case or upper case alone carry no checksum; mixed case must be the right one (EIP-55). */
function readAddress(value: unknown, where: string): Hex {
  const [, digits] = /^0x([0-9a-fA-F]{40})$/.exec(asString(value) ?? '-') ?? []
  if (digits === undefined) throw malformed(`${where} is not 0x and 40 hex digits`)
  const address: Hex = `0x${digits.toLowerCase()}`
  const mixed = /[a-f]/.test(digits) && /[A-F]/.test(digits)
  if (mixed && getAddress(address) !== `0x${digits}`) {
    throw malformed(`${where} has a wrong checksum: check its capital letters (EIP-55)`)
  }
  return address
}

function readQuantity(json: Members, name: string, max: bigint): bigint | undefined {
  const value = json.get(name)
  if (value === undefined) return undefined
  const quantity = asQuantity(value)
  if (quantity === undefined) {
    throw malformed(`${name} is not a whole number: a JSON integer below 2^53, decimal or 0x hex`)
  }
  if (quantity > max) throw malformed(`${name} is above ${max}`)
  return quantity
}

function readMembers(value: unknown, where: string, known: readonly string[]): Members {
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

function malformed(message: string): KmsError {
  return new KmsError('transaction-malformed', message)
}

function refused(message: string): KmsError {
  return new KmsError('transaction-refused', message)
}
