import { fromHex, utf8 } from '../../base/bytes.ts'
import { asRecord, asString } from '../../base/json.ts'
import { parseStrictJson } from '../../base/strict-json.ts'
import type { Own } from '../chain.ts'
import { readAddress } from './evm-address.ts'
import { checkPayload, readWeb3 } from './evm-json.ts'
import { checkChainId, maxNonce, readData, readGas, unlessZero } from './evm-members.ts'
import { asHex, type Hex } from './evm-tx.ts'
import { readAccountKey } from './klay-account-key.ts'
import { decodeRaw } from './klay-raw.ts'
import type { KlayAction, KlayTx } from './klay-tx.ts'
import { findTypeByByte, findTypeByName, type KlayType } from './klay-types.ts'
import { type Members, maxUint256, readMembers, readQuantity } from './members.ts'
import { denyUnlessLifted, malformed, refused } from './refusals.ts'

/** The wallet that is to sign, as sender or as fee payer. */
type Signer = { readonly address: Hex; readonly settings: Own['settings'] }

/** Reads caver's JSON (protocol 4.5): a legacy transaction, one of Kaia's types, or one to pay for. */
export function decodeKlayJson(serialized: string, chainId: number, signer: Signer): KlayTx {
  const value = parseStrictJson(serialized)
  const json = asRecord(value)
  if (json?.has('senderRawTransaction')) return readPayerHalf(value, chainId, signer)
  const type = asString(json?.get('type'))
  if (json === undefined || type === undefined || !/^[A-Z]/.test(type)) {
    return readLegacy(value, chainId)
  }
  if (type !== 'LEGACY') return readSenderHalf(value, type, chainId, signer)
  return readLegacy(Object.fromEntries([...json].filter(([name]) => name !== 'type')), chainId)
}

function readLegacy(value: unknown, chainId: number): KlayTx {
  const tx = readWeb3(value, { chainId })
  if (tx.type !== 'legacy') throw refused('KLAY takes no accessList and no maxFeePerGas')
  return { kind: 'legacy', tx }
}

const commonMembers = ['type', 'from', 'nonce', 'gas', 'gasLimit', 'gasPrice', 'chainId']

const membersOf: Readonly<Record<KlayAction, readonly string[]>> = {
  transfer: ['to', 'value'],
  memo: ['to', 'value', 'data', 'input'],
  deploy: ['to', 'value', 'data', 'input', 'humanReadable', 'codeFormat'],
  execution: ['to', 'value', 'data', 'input'],
  cancel: [],
  // As klay_sendTransaction takes it.
  update: ['key'],
}

/** `from` means nothing: the wallet says who signs. */
function readSenderHalf(
  value: unknown,
  name: string,
  chainId: number,
  { address: from, settings }: Signer,
): KlayTx {
  const type = findTypeByName(name)
  if (type === undefined) throw malformed('type is none of a payment, a call or a cancellation')
  denyUpdate(type, settings)
  const ratio = type.delegation === 'ratio' ? ['feeRatio'] : []
  const members = [...commonMembers, ...membersOf[type.action], ...ratio]
  const json = readMembers(value, `transaction of type ${name}`, members)
  checkChainId(json, chainId)
  const nonce = readQuantity(json, 'nonce', maxNonce)
  const gas = readGas(json)
  const price = unlessZero(readQuantity(json, 'gasPrice', maxUint256))
  const body = {
    action: type.action,
    payerShare: readShare(json, type),
    ...(nonce !== undefined && { nonce: Number(nonce) }),
    ...(gas !== undefined && { gas }),
    ...(price !== undefined && { price }),
    from,
    ...readRecipient(json, type),
    value: readValue(json, type),
    data: readInput(json, type),
  }
  if (type.action === 'update' && gas === undefined) throw malformed('gas is missing')
  if (type.action !== 'cancel' && type.action !== 'update')
    checkPayload({ ...body, accessList: [] }, {})
  return { kind: 'sender', chainId, body }
}

function readShare(json: Members, { delegation }: KlayType): number {
  if (delegation !== 'ratio') return delegation === 'none' ? 0 : 100
  const ratio = readQuantity(json, 'feeRatio', maxUint256)
  if (ratio === undefined || ratio < 1n || ratio > 99n) {
    throw malformed('feeRatio is not a whole number from 1 to 99')
  }
  return Number(ratio)
}

function readRecipient(json: Members, { action }: KlayType): { readonly to?: Hex } {
  if (action === 'cancel' || action === 'update') return {}
  if (action !== 'deploy') return { to: readAddress(json.get('to'), 'to') }
  if (json.has('to') && json.get('to') !== '0x') {
    throw malformed('a transaction that creates a contract has a recipient')
  }
  if (json.has('humanReadable') && json.get('humanReadable') !== false) {
    throw malformed('humanReadable is not false')
  }
  const format = json.get('codeFormat') ?? 'EVM'
  if (![0, 'EVM', '0x', '0x0'].some(known => known === format)) {
    throw malformed('codeFormat is not EVM')
  }
  return {}
}

function readValue(json: Members, { action }: KlayType): bigint {
  const value = readQuantity(json, 'value', maxUint256)
  if (value !== undefined) return value
  if (action !== 'transfer' && action !== 'memo' && action !== 'deploy') return 0n
  throw malformed('value is missing')
}

function readInput(json: Members, { action }: KlayType): Hex {
  if (action === 'transfer' || action === 'cancel') return '0x'
  if (action === 'update') return readKey(json)
  if (!json.has('data') && !json.has('input')) throw malformed('data is missing')
  const text = asString(json.get('data') ?? json.get('input'))
  if (action !== 'memo' || text === undefined || text.startsWith('0x')) return readData(json)
  // As caver: what is not hex is text. What could be both is neither.
  if (/^-?[0-9a-f]+$/i.test(text)) throw malformed('data may be hex or text: begin hex with 0x')
  return asHex(utf8(text))
}

function readKey(json: Members): Hex {
  const text = asString(json.get('key')) ?? ''
  const bytes = text.startsWith('0x') ? fromHex(text.slice(2)) : undefined
  if (bytes === undefined) throw malformed('key is not 0x and bytes in hex')
  const key = asHex(bytes)
  readAccountKey(key)
  return key
}

/** DESIGN 6 */
function denyUpdate({ action }: KlayType, settings: Own['settings']): void {
  if (action !== 'update') return
  const reason = 'an account update replaces the keys of an account'
  denyUnlessLifted(settings, 'KLAY.AccountUpdate', reason)
}

/** Nodes relay nothing larger than 128 KiB; half a megabyte of lists would keep us busy. */
const maxRawBytes = 128 * 1024

/** Gas and its price, which the original needed here to ask for less, stand in the raw transaction. */
const payerMembers = [
  'senderRawTransaction',
  'feePayer',
  'from',
  'gas',
  'gasLimit',
  'gasPrice',
  'chainId',
]

function readPayerHalf(
  value: unknown,
  chainId: number,
  { address: own, settings }: Signer,
): KlayTx {
  const json = readMembers(value, 'transaction', payerMembers)
  checkChainId(json, chainId)
  const feePayer = readAddress(json.get('feePayer'), 'feePayer')
  if (feePayer !== own) throw refused('feePayer is not the address of the wallet that is to sign')
  const text = asString(json.get('senderRawTransaction')) ?? ''
  if (text.length > 2 + 2 * maxRawBytes) throw brokenRaw(`is longer than ${maxRawBytes} bytes`)
  const bytes = text.startsWith('0x') ? fromHex(text.slice(2)) : undefined
  if (bytes === undefined) throw brokenRaw('is not 0x and bytes in hex')
  const type = findTypeByByte(bytes[0])
  if (type !== undefined) denyUpdate(type, settings)
  if (type?.delegation === 'none') throw brokenRaw('is of a type without a fee payer')
  const raw = decodeRaw(bytes, chainId, brokenRaw)
  if (raw.signatures.length === 0) throw brokenRaw('is not signed by its sender')
  if ((raw.feePayer ?? own) !== own) throw brokenRaw('names another fee payer')
  if (raw.body.action === 'update') readAccountKey(raw.body.data)
  if (raw.feePayer === undefined && raw.payerSignatures.length > 0) {
    throw brokenRaw('is signed by a fee payer whom it does not name')
  }
  return { ...raw, kind: 'payer', feePayer }
}

function brokenRaw(what: string) {
  return malformed(`senderRawTransaction ${what}`)
}
