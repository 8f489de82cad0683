import { isDeepStrictEqual } from 'node:util'
import { utf8 } from '../../base/bytes.ts'
import { asArray, asInteger, asString } from '../../base/json.ts'
import { parseStrictJson } from '../../base/strict-json.ts'
import { decodeBech32, encodeBech32 } from '../codec/bech32.ts'
import { type BnbTx, type Coin, coinsOf, type Side } from './bnb-tx.ts'
import { type Members, readMembers } from './members.ts'
import { malformed, refused } from './refusals.ts'

/** The Beacon Chain takes 128 characters (its `MaxMemoCharacters`). */
const maxMemoBytes = 128
/** More recipients than any payment has; each costs a fee. */
const maxOutputs = 300

/**
 * Reads the JSON of the original (protocol 10). `msg` is what is executed, `signMsg` what is signed:
 * they must be the same transfer.
 */
export function decodeBnbJson(serialized: string, own: string): BnbTx {
  const [prefix = ''] = own.split('1')
  const json = readMembers(parseStrictJson(serialized), 'transaction', ['msg', 'signMsg', 'memo'])
  const msg = readMembers(json.get('msg'), 'msg', ['inputs', 'outputs', 'aminoPrefix'])
  if (msg.get('aminoPrefix') !== '2A2C87FA') throw refused('msg is not a transfer (2A2C87FA)')
  const signMsg = readMembers(json.get('signMsg'), 'signMsg', ['inputs', 'outputs'])
  const executed = readTransfer(msg, 'msg', (value, where) => readBuffer(value, where, prefix))
  const signed = readTransfer(signMsg, 'signMsg', (value, where) => readText(value, where, prefix))
  if (!isDeepStrictEqual(executed, signed))
    throw refused('msg and signMsg are not the same transfer')
  refuseUnbalanced(executed)
  const [input, ...others] = executed.inputs
  if (input?.address !== own || others.length > 0) {
    throw refused(`msg.inputs is not the wallet that signs, ${own}, alone`)
  }
  return { ...executed, memo: readMemo(json) }
}

type AddressReader = (value: unknown, where: string) => string
type Transfer = Pick<BnbTx, 'inputs' | 'outputs'>

function readTransfer(json: Members, where: string, readAddress: AddressReader): Transfer {
  const sides = (name: 'inputs' | 'outputs') =>
    readList(json.get(name), `${where}.${name}`).map((side, i) =>
      readSide(side, `${where}.${name}[${i}]`, readAddress),
    )
  return { inputs: sides('inputs'), outputs: sides('outputs') }
}

function readSide(value: unknown, where: string, readAddress: AddressReader): Side {
  const json = readMembers(value, where, ['address', 'coins'])
  const coins = readList(json.get('coins'), `${where}.coins`).map((coin, i) =>
    readCoin(coin, `${where}.coins[${i}]`),
  )
  if (new Set(coins.map(({ denom }) => denom)).size < coins.length) {
    throw malformed(`${where}.coins names a coin twice`)
  }
  return { address: readAddress(json.get('address'), `${where}.address`), coins }
}

function readCoin(value: unknown, where: string): Coin {
  const json = readMembers(value, where, ['denom', 'amount'])
  const denom = asString(json.get('denom')) ?? ''
  // BEP-2 and BEP-8: a symbol, for tokens a dash and the beginning of a transaction id.
  if (!/^[A-Z0-9.]{2,10}(-[A-Z0-9]{3}M?)?$/.test(denom)) {
    throw malformed(`${where}.denom is not the name of a coin`)
  }
  const amount = asInteger(json.get('amount'))
  if (amount === undefined || amount < 1) {
    throw malformed(`${where}.amount is not a whole number from 1 to 2^53`)
  }
  return { denom, amount: BigInt(amount) }
}

/** A `Buffer` of Node.js in JSON. */
function readBuffer(value: unknown, where: string, prefix: string): string {
  const json = readMembers(value, where, ['type', 'data'])
  const data = asArray(json.get('data')) ?? []
  const bytes = data.map(byte => asInteger(byte) ?? -1)
  const isAddress = bytes.length === 20 && bytes.every(byte => byte >= 0 && byte < 256)
  if (json.get('type') === 'Buffer' && isAddress) {
    return encodeBech32(prefix, Uint8Array.from(bytes))
  }
  throw malformed(`${where} is not a Buffer of 20 bytes`)
}

function readText(value: unknown, where: string, prefix: string): string {
  const text = asString(value) ?? ''
  if (decodeBech32(prefix, text)?.length === 20) return text
  throw malformed(`${where} is not an address that begins with ${prefix}1`)
}

function readList(value: unknown, where: string): readonly unknown[] {
  const list = asArray(value) ?? []
  if (list.length > 0 && list.length <= maxOutputs) return list
  throw malformed(`${where} is not a list of 1 to ${maxOutputs}`)
}

/** What goes in comes out; fees are taken from the account beside it. */
function refuseUnbalanced({ inputs, outputs }: Transfer): void {
  const [paid, received] = [coinsOf(inputs), coinsOf(outputs)]
  if (isDeepStrictEqual(paid, received)) return
  throw refused('msg.outputs do not add up to msg.inputs')
}

function readMemo(json: Members): string {
  const memo = json.has('memo') ? asString(json.get('memo')) : ''
  if (memo === undefined || !memo.isWellFormed()) throw malformed('memo is not text')
  if (utf8(memo).length > maxMemoBytes) throw malformed(`memo is longer than ${maxMemoBytes} bytes`)
  return memo
}
