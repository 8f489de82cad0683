import type { Own } from '../chain.ts'
import {
  bytesField,
  decodeMessage,
  type Message,
  messagesField,
  numberField,
  textField,
} from '../codec/protobuf.ts'
import { denyUnlessLifted, malformed, refused } from './refusals.ts'
import { contracts, isTronType, type TronContract, type TronType } from './tron-contracts.ts'
import { hexBytes, required, whole } from './tron-fields.ts'

/** What stands in `raw_data` beside the contract (Transaction.raw in java-tron's Tron.proto). */
export const headShape = {
  ref_block_bytes: required(hexBytes(1)),
  ref_block_hash: required(hexBytes(4)),
  expiration: required(whole(8)),
  data: hexBytes(10),
  timestamp: whole(14),
  fee_limit: whole(18),
}

const contractShape = {
  type: numberField(1),
  parameter: messagesField(2, { type_url: textField(1), value: bytesField(2) }),
  Permission_id: numberField(5),
}

const rawShape = { ...headShape, contract: messagesField(11, contractShape) }

/** A transaction as the bytes say it that the network executes. */
export type TronRaw = {
  readonly head: Message<typeof headShape>
  readonly permissionId: bigint
  readonly contract: TronContract
}

export const typeUrlOf = (type: string): string => `type.googleapis.com/protocol.${type}`

export function decodeTronRaw(bytes: Uint8Array, settings: Own['settings']): TronRaw {
  const raw = decodeMessage(bytes, rawShape)
  if (raw === undefined) throw unreadable('raw_data_hex')
  const { contract: found, ...head } = raw
  const [contract, ...others] = found
  if (contract === undefined || others.length > 0) {
    throw refused(`raw_data_hex holds ${found.length} contracts instead of one`)
  }
  const { parameter, Permission_id: permissionId } = contract
  const [any, ...more] = parameter
  if (any === undefined || more.length > 0) throw unreadable('raw_data_hex')
  const type = typeOf(contract.type, any.type_url, settings)
  const value = decodeMessage(any.value, contracts[type].shape)
  if (value === undefined) throw unreadable(`the ${type} in raw_data_hex`)
  return { head, permissionId, contract: { type, value } as TronContract }
}

/** It gives the account to other keys (DESIGN 6). */
const permissionUpdate = 'AccountPermissionUpdateContract'

/** The number is what is executed, the URL is what the message is packed as. */
function typeOf(number: bigint, url: string, settings: Own['settings']): TronType {
  const name = url.slice(typeUrlOf('').length)
  if (number === contracts[permissionUpdate].number || name === permissionUpdate) {
    const reason = `a transaction of type ${permissionUpdate} hands over the account`
    denyUnlessLifted(settings, 'TRON.AccountPermissionUpdate', reason)
  }
  if (isTronType(name) && url === typeUrlOf(name) && contracts[name].number === number) return name
  const quoted = /^\w{1,40}$/.test(name) ? ` (${name})` : ''
  throw refused(`contracts of type ${number}${quoted} are not signed here`)
}

function unreadable(what: string): Error {
  return malformed(`${what} has a field that is unknown, repeated, out of order or misspelled`)
}
