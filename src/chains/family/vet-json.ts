import { sha256 } from '@noble/hashes/sha2.js'
import { hex, utf8 } from '../../base/bytes.ts'
import { asString } from '../../base/json.ts'
import type { PendingTx } from '../../base/model.ts'
import { parseStrictJson } from '../../base/strict-json.ts'
import { readAddress } from './evm-address.ts'
import { readData, unlessZero } from './evm-members.ts'
import type { Hex } from './evm-tx.ts'
import { type Members, maxUint256, readMembers, readQuantity } from './members.ts'
import { malformed, refused } from './refusals.ts'
import type { VetTx } from './vet-tx.ts'

const members = [
  'from',
  'to',
  'value',
  'data',
  'gas',
  'nonce',
  'gasPriceCoef',
  'expiration',
  'dependsOn',
  'chainTag',
  'blockRef',
]

const maxUint64 = 2n ** 64n - 1n
const maxInteger = BigInt(Number.MAX_SAFE_INTEGER)
/** What the original gives every payment: 2 hours. */
const usualExpiration = 720n
/** 24 hours (DESIGN 6). */
const maxExpiration = 8_640n
/** Nodes relay nothing above 64 KiB (thor, txpool.maxTxSize). */
const maxDataBytes = 64_000

/** Whose payment it is, and where. */
export type VetPlace = {
  readonly chainTag: number
  readonly from: Hex
  readonly pendingId: PendingTx['id']
}

/** Reads web3's JSON with VeChain's own members (protocol 4), which count where they are not 0. */
export function decodeVetJson(serialized: string, place: VetPlace): VetTx {
  const json = readMembers(parseStrictJson(serialized), 'transaction', members)
  checkSender(json, place.from)
  checkChainTag(json, place.chainTag)
  const givenGas = unlessZero(readQuantity(json, 'gas', maxInteger))
  const blockRef = readFixedHex(json, 'blockRef', 8)
  const dependsOn = readFixedHex(json, 'dependsOn', 32)
  const tx: VetTx = {
    chainTag: place.chainTag,
    ...(blockRef !== undefined && { blockRef }),
    expiration: readExpiration(json),
    ...(json.has('to') && { to: readAddress(json.get('to'), 'to') }),
    value: readQuantity(json, 'value', maxUint256) ?? 0n,
    data: readData(json),
    gasPriceCoef: Number(readQuantity(json, 'gasPriceCoef', 255n) ?? 0n),
    ...(dependsOn !== undefined && { dependsOn }),
    nonce: unlessZero(readQuantity(json, 'nonce', maxUint64)) ?? nonceOf(place.pendingId),
    ...(givenGas !== undefined && { givenGas: Number(givenGas) }),
  }
  checkPayload(tx)
  return tx
}

/** `from` is 0 where the sender was not known when the payment was made. */
function checkSender(json: Members, own: Hex): void {
  const from = json.get('from')
  if (from === undefined || from === 0) return
  if (readAddress(from, 'from') === own) return
  throw refused('from is not the address of the wallet that is to sign')
}

function checkChainTag(json: Members, chainTag: number): void {
  const given = unlessZero(readQuantity(json, 'chainTag', 255n))
  if (given === undefined || given === BigInt(chainTag)) return
  throw refused(`chainTag is ${given}, but this wallet's network has chain tag ${chainTag}`)
}

function readExpiration(json: Members): number {
  const expiration = unlessZero(readQuantity(json, 'expiration', maxInteger)) ?? usualExpiration
  if (expiration > maxExpiration) {
    throw refused(`expiration is ${expiration} blocks, more than the ${maxExpiration} of 24 hours`)
  }
  return Number(expiration)
}

/** VeChain's libraries write null for a transaction that depends on none. */
function readFixedHex(json: Members, name: string, bytes: number): Hex | undefined {
  const value = json.get(name)
  if (value === undefined || value === null) return undefined
  const [, digits] = /^0x([0-9a-fA-F]+)$/.exec(asString(value) ?? '') ?? []
  if (digits?.length !== 2 * bytes) throw malformed(`${name} is not 0x and ${2 * bytes} hex digits`)
  return `0x${digits.toLowerCase()}`
}

function checkPayload({ to, data }: VetTx): void {
  const bytes = data.length / 2 - 1
  if (bytes > maxDataBytes) throw refused(`data holds more than ${maxDataBytes} bytes`)
  if (to === undefined && bytes === 0) {
    throw refused('transaction has neither a recipient nor the code of a contract')
  }
}

/**
 * Any number serves as a nonce that tells two payments apart. This one comes of the pending id, so
 * that a payment has the same one however often it is prepared; the original's is random.
 */
function nonceOf(pendingId: string): bigint {
  const digest = sha256(utf8(`tatum-kms VET nonce ${pendingId}`))
  return BigInt(`0x${hex(digest.subarray(0, 8))}`)
}
