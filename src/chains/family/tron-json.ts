import { createHash } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import { keccak_256 } from '@noble/hashes/sha3.js'
import { fromHex, hex } from '../../base/bytes.ts'
import { asArray, asString, encodeJson, type Json } from '../../base/json.ts'
import { parseStrictJson } from '../../base/strict-json.ts'
import type { Own } from '../chain.ts'
import { type Members, readMembers } from './members.ts'
import { malformed, refused } from './refusals.ts'
import { tronAddressText } from './tron-address.ts'
import { contracts } from './tron-contracts.ts'
import { type Place, readTronJson } from './tron-fields.ts'
import { decodeTronRaw, headShape, type TronRaw, typeUrlOf } from './tron-raw.ts'

export type TronTx = TronRaw & {
  /** sha256 of the bytes, which is what is signed; hex. */
  readonly txId: string
  /** Length of the bytes. */
  readonly size: number
  /** The JSON without blanks, members in their order: what is sent is this and the signature. */
  readonly text: string
}

/** More than any contract takes; the network's own limit of 500 kB is for blocks' sake. */
const maxBytes = 65_536

const topMembers = ['visible', 'txID', 'raw_data', 'raw_data_hex', 'contract_address']

/**
 * Reads an unsigned transaction as a full node writes it (protocol 3). Executed is what the bytes in
 * `raw_data_hex` say; the JSON beside them, which people and programs look at, must say the same.
 */
export function decodeTronJson(
  serialized: string,
  owner: string,
  settings: Own['settings'],
): TronTx {
  const parsed = parseStrictJson(serialized)
  const json = readMembers(parsed, 'transaction', [...topMembers, 'signature'])
  if (json.has('signature')) throw refused('transaction has a signature: it is to be signed here')
  const bytes = readBytes(json)
  const txId = createHash('sha256').update(bytes).digest('hex')
  if (asString(json.get('txID'))?.toLowerCase() !== txId) {
    throw malformed('txID is not the hash of raw_data_hex')
  }
  const raw = decodeTronRaw(bytes, settings)
  refuseOtherWords(raw, json.get('raw_data'), readVisible(json))
  refuseForeign(raw, owner)
  refuseOtherContract(json, raw, txId)
  // What came out of a JSON parser is JSON.
  return { ...raw, txId, size: bytes.length, text: encodeJson(parsed as Json) }
}

function readBytes(json: Members): Uint8Array {
  const digits = asString(json.get('raw_data_hex'))
  if (digits !== undefined && digits.length > 2 * maxBytes) {
    throw malformed(`raw_data_hex is longer than ${maxBytes} bytes`)
  }
  const bytes = fromHex(digits ?? '-')
  if (bytes === undefined) throw malformed('raw_data_hex is not bytes in hex')
  return bytes
}

function readVisible(json: Members): boolean {
  const visible = json.has('visible') ? json.get('visible') : false
  if (typeof visible !== 'boolean') throw malformed('visible is not true or false')
  return visible
}

/** Refuses a `raw_data` that differs from the bytes in any member. */
function refuseOtherWords(raw: TronRaw, value: unknown, visible: boolean): void {
  const { contract: list, ...head } = Object.fromEntries(
    readMembers(value, 'raw_data', [...Object.keys(headShape), 'contract']),
  )
  const where = 'raw_data'
  refuseDifferences(readTronJson(head, headShape, { where, visible }), raw.head, where)
  const [contract, ...others] = asArray(list) ?? []
  if (contract === undefined || others.length > 0) {
    throw refused('raw_data.contract is not a list of one contract')
  }
  refuseOtherContractWords(raw, contract, visible)
}

function refuseOtherContractWords(
  { contract, permissionId }: TronRaw,
  json: unknown,
  visible: boolean,
): void {
  const { type, value } = contract
  const outer = readMembers(json, 'contract', ['parameter', 'type', 'Permission_id'])
  const inner = readMembers(outer.get('parameter'), 'contract.parameter', ['value', 'type_url'])
  const said = { type: outer.get('type'), type_url: inner.get('type_url') }
  refuseDifferences(said, { type, type_url: typeUrlOf(type) }, 'contract')
  const { Permission_id: given = 0 } = Object.fromEntries(outer)
  refuseDifferences({ Permission_id: given }, { Permission_id: Number(permissionId) }, 'contract')
  const place: Place = { where: type, visible }
  refuseDifferences(readTronJson(inner.get('value'), contracts[type].shape, place), value, type)
}

type Values = Readonly<Record<string, unknown>>

function refuseDifferences(said: Values, executed: Values, where: string): void {
  const other = Object.keys(executed).find(name => !isDeepStrictEqual(said[name], executed[name]))
  if (other === undefined) return
  throw refused(`${where}.${other} is not what raw_data_hex says, which is what is executed`)
}

function refuseForeign({ contract }: TronRaw, owner: string): void {
  const { owner_address: from } = contract.value
  if (from === owner) return
  const [payer, own] = [from, owner].map(tronAddressText)
  throw refused(`owner_address is ${payer}, but the wallet that signs is ${own}`)
}

/** Nodes tell the address of a contract that is made; it follows from who makes it. */
function refuseOtherContract(json: Members, { contract }: TronRaw, txId: string): void {
  const given = json.get('contract_address')
  if (given === undefined) return
  if (contract.type !== 'CreateSmartContract') {
    throw malformed("transaction has an unknown member 'contract_address'")
  }
  const maker = fromHex(`${txId}${contract.value.owner_address}`) ?? new Uint8Array()
  const made = `41${hex(keccak_256(maker).subarray(12))}`
  if (given === made || given === tronAddressText(made)) return
  throw refused('contract_address is not the address of the contract that is made')
}
