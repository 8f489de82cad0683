import { asString } from '../../base/json.ts'
import { parseStrictJson } from '../../base/strict-json.ts'
import type { Own } from '../chain.ts'
import { readNewOwner } from './egld-call.ts'
import { addressBytes, type EgldTx, isContract } from './egld-tx.ts'
import { readValue } from './egld-value.ts'
import { type Members, maxUint256, readMembers, readQuantity } from './members.ts'
import { denyUnlessLifted, malformed, refused } from './refusals.ts'

const members = ['from', 'to', 'value', 'data', 'gasPrice', 'gasLimit']

/** More than the fee cap pays for. */
const maxDataBytes = 100_000

/**
 * Reads the JSON that Tatum makes of a payment (protocol 5). Its gas price and limit are guesses: the
 * network is asked again, as the original does.
 */
export function decodeEgldJson(
  serialized: string,
  sender: string,
  settings: Own['settings'],
): EgldTx {
  const json = readMembers(parseStrictJson(serialized), 'transaction', members)
  for (const guess of ['gasPrice', 'gasLimit']) readQuantity(json, guess, maxUint256)
  checkSender(json, sender)
  const data = readData(json)
  const receiver = readAddress(json, 'to')
  refuseGivingAway({ data, receiver }, settings)
  return { sender, receiver, value: readValue(json.get('value')), data }
}

/** `from` is 0 where the sender was not known when the payment was made. */
function checkSender(json: Members, own: string): void {
  const from = json.get('from')
  if (from === undefined || from === 0 || readAddress(json, 'from') === own) return
  throw refused('from is not the address of the wallet that is to sign')
}

function readAddress(json: Members, name: string): string {
  if (!json.has(name)) throw malformed(`${name} is missing`)
  const text = asString(json.get(name)) ?? ''
  if (addressBytes(text) !== undefined) return text
  throw malformed(`${name} is not an address: erd1 and 58 more letters with a right checksum`)
}

function readData(json: Members): string {
  const value = json.get('data')
  if (value === undefined) return ''
  const data = asString(value)
  // Half a surrogate pair has no bytes.
  if (data === undefined || !data.isWellFormed()) throw malformed('data is not text')
  if (Buffer.byteLength(data) <= maxDataBytes) return data
  throw refused(`data holds more than ${maxDataBytes} bytes`)
}

/** DESIGN 6 */
function refuseGivingAway(
  { data, receiver }: Pick<EgldTx, 'data' | 'receiver'>,
  settings: Own['settings'],
): void {
  if (data.split('@', 1)[0] !== 'ChangeOwnerAddress') return
  const reason = 'ChangeOwnerAddress hands a contract over to another owner'
  denyUnlessLifted(settings, 'EGLD.ChangeOwnerAddress', reason)
  if (isContract(receiver) && readNewOwner(data) !== undefined) return
  throw malformed('ChangeOwnerAddress does not name a contract and its new owner')
}
