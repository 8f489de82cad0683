import { asArray, asString } from '../../base/json.ts'
import { parseStrictJson } from '../../base/strict-json.ts'
import { type AddressPrefix, readAddress } from './evm-address.ts'
import {
  checkChainId,
  maxNonce,
  readData,
  readGas,
  readGasLimit,
  unlessZero,
} from './evm-members.ts'
import {
  type Access,
  type DataRules,
  type EvmTx,
  type GivenMembers,
  type Hex,
  quantity,
} from './evm-tx.ts'
import { type Members, maxUint256, readMembers, readQuantity } from './members.ts'
import { malformed, refused } from './refusals.ts'

/** Data and access list above which nodes relay nothing (geth, txMaxSize). */
const maxPayloadBytes = 128 * 1024

/** Those that nodes know, too (execution API, eth_call). */
const quantities = ['value', 'nonce', 'gas', 'gasPrice', 'maxFeePerGas', 'maxPriorityFeePerGas']
const members = [
  ...quantities,
  'from',
  'to',
  'data',
  'input',
  'gasLimit',
  'accessList',
  'chainId',
  'type',
]

/** What the same JSON means on one chain and not on another. */
export type Dialect = {
  readonly chainId: number
  readonly addressPrefix?: AddressPrefix
  /** `gas` is what Tatum guessed: the payment lacks its gas. `gasLimit` is always meant. */
  readonly gasIsGuess?: boolean
  readonly dataRules?: DataRules
}

/**
 * Reads web3's TransactionConfig JSON (protocol 4.1). `from` is 0 or an address and means nothing:
 * the wallet says who signs.
 */
export function decodeWeb3Json(serialized: string, dialect: Dialect): EvmTx {
  return readWeb3(parseStrictJson(serialized), dialect)
}

/** As `decodeWeb3Json`, for JSON that is parsed already. */
export function readWeb3(value: unknown, dialect: Dialect): EvmTx {
  const { chainId, addressPrefix, gasIsGuess = false, dataRules = {} } = dialect
  const json = readMembers(value, 'transaction', members)
  checkChainId(json, chainId)
  const nonce = readQuantity(json, 'nonce', maxNonce)
  const gas = readGas(json)
  const lacksGas = gas === undefined || (gasIsGuess && readGasLimit(json) === undefined)
  const tx: EvmTx = {
    ...readPricing(json),
    chainId,
    ...(nonce !== undefined && { nonce: Number(nonce) }),
    ...(!lacksGas && { gas }),
    ...(json.has('to') && { to: readAddress(json.get('to'), 'to', addressPrefix) }),
    value: readQuantity(json, 'value', maxUint256) ?? 0n,
    data: readData(json),
    accessList: readAccessList(json, addressPrefix),
    given: readGiven(json),
  }
  checkType(json, tx)
  checkPayload(tx, dataRules)
  return tx
}

function readGiven(json: Members): GivenMembers {
  const given = quantities
    .filter(name => json.has(name))
    .map(name => [name, quantity(readQuantity(json, name, maxUint256) ?? 0n)] as const)
  const data = (json.has('data') || json.has('input')) && { data: readData(json) }
  return { ...Object.fromEntries(given), ...data }
}

function readPricing(json: Members): Pick<EvmTx, 'type' | 'price' | 'tip'> {
  const gasPrice = unlessZero(readQuantity(json, 'gasPrice', maxUint256))
  const maxFee = readQuantity(json, 'maxFeePerGas', maxUint256)
  const tip = readQuantity(json, 'maxPriorityFeePerGas', maxUint256)
  if (maxFee === undefined && tip === undefined) {
    return {
      type: json.has('accessList') ? 'eip2930' : 'legacy',
      ...(gasPrice !== undefined && { price: gasPrice }),
      tip: 0n,
    }
  }
  if (gasPrice !== undefined) {
    throw refused('gasPrice cannot be combined with maxFeePerGas or maxPriorityFeePerGas')
  }
  if (maxFee === undefined) throw refused('maxPriorityFeePerGas is given without maxFeePerGas')
  if (tip === undefined) throw refused('maxFeePerGas is given without maxPriorityFeePerGas')
  if (maxFee === 0n) throw refused('maxFeePerGas is 0')
  if (tip > maxFee) throw refused('maxPriorityFeePerGas is above maxFeePerGas')
  return { type: 'eip1559', price: maxFee, tip }
}

function checkType(json: Members, { type }: EvmTx): void {
  const given = readQuantity(json, 'type', maxUint256)
  const actual = { legacy: 0n, eip2930: 1n, eip1559: 2n }[type]
  if (given !== undefined && given !== actual) {
    throw refused(`type is ${given}, but the other members make a transaction of type ${actual}`)
  }
}

export function checkPayload(
  { to, data, accessList }: Pick<EvmTx, 'to' | 'data' | 'accessList'>,
  { maxInitCodeBytes }: DataRules,
): void {
  const bytes = data.length / 2 - 1
  const listed = accessList.reduce((sum, access) => sum + 20 + 32 * access.storageKeys.length, 0)
  if (bytes + listed > maxPayloadBytes) {
    throw refused(`data and accessList hold more than ${maxPayloadBytes} bytes`)
  }
  if (to !== undefined) return
  if (bytes === 0) throw refused('transaction has neither a recipient nor the code of a contract')
  if (maxInitCodeBytes !== undefined && bytes > maxInitCodeBytes) {
    throw refused(`the code of the new contract is longer than ${maxInitCodeBytes} bytes`)
  }
}

function readAccessList(json: Members, prefix: AddressPrefix | undefined): readonly Access[] {
  if (!json.has('accessList')) return []
  const list = asArray(json.get('accessList'))
  if (list === undefined) throw malformed('accessList is not a list')
  return list.map((entry, i) => readAccess(entry, `accessList[${i}]`, prefix))
}

function readAccess(value: unknown, where: string, prefix: AddressPrefix | undefined): Access {
  const json = readMembers(value, where, ['address', 'storageKeys'])
  const keys = asArray(json.get('storageKeys'))
  if (keys === undefined) throw malformed(`${where}.storageKeys is not a list`)
  return {
    address: readAddress(json.get('address'), `${where}.address`, prefix),
    storageKeys: keys.map((key, i) => readStorageKey(key, `${where}.storageKeys[${i}]`)),
  }
}

function readStorageKey(value: unknown, where: string): Hex {
  const [, digits] = /^0x([0-9a-fA-F]{64})$/.exec(asString(value) ?? '-') ?? []
  if (digits === undefined) throw malformed(`${where} is not 0x and 64 hex digits`)
  return `0x${digits.toLowerCase()}`
}
