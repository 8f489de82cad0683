import assert from 'node:assert/strict'
import type { Hex } from 'viem'
import { recoverSigner } from './recover.ts'
import { type Item, readRlp, writeRlp } from './rlp.ts'

/** A transaction of Kaia's own types, read by the specification (docs.kaia.io, "Transactions"). */
export type ReadKlay = {
  readonly type: number
  readonly nonce: bigint
  readonly gasPrice: bigint
  readonly gas: bigint
  readonly from: Hex
  readonly to: Hex
  readonly value: bigint
  readonly data: Hex
  readonly feeRatio: bigint
  /** What signed it as sender, and as fee payer: addresses of keys. */
  readonly senders: readonly Hex[]
  readonly feePayer: Hex
  readonly payers: readonly Hex[]
  /** The list up to the senders' signatures. */
  readonly sent: readonly Item[]
}

export function readKlay(txData: string, chainId: number): ReadKlay {
  const [type = 0, ...rest] = Buffer.from(txData.slice(2), 'hex')
  const items = listOf(readRlp(Uint8Array.from(rest)))
  // The lowest bits: 0 without a fee payer, 1 with one, 2 with one and a ratio.
  const signaturesAt = items.length - (type % 8 === 0 ? 1 : 3)
  const body = items.slice(0, signaturesAt)
  const [signatures = [], feePayer = new Uint8Array(), payerSignatures = []] =
    items.slice(signaturesAt)
  const inner = writeRlp([Uint8Array.of(type), ...body])
  const tail = [Buffer.from(chainId.toString(16).padStart(4, '0'), 'hex'), empty, empty]
  const recover = (list: Item, signed: readonly Item[]) =>
    listOf(list)
      .filter(isSigned)
      .map(each => signerOf(each, signed, chainId))
  return {
    type,
    ...membersOf(type, body),
    senders: recover(signatures, [inner, ...tail]),
    feePayer: hexOf(feePayer),
    payers: recover(payerSignatures, [inner, feePayer, ...tail]),
    sent: items.slice(0, signaturesAt + 1),
  }
}

const empty = new Uint8Array()

function membersOf(type: number, [nonce, gasPrice, gas, ...body]: readonly Item[]) {
  const common = { nonce: numberOf(nonce), gasPrice: numberOf(gasPrice), gas: numberOf(gas) }
  const feeRatio = numberOf(type % 8 === 2 ? body.at(isDeploy(type) ? -2 : -1) : empty)
  if (type >= 0x38) {
    return { ...common, from: hexOf(body[0]), to: '0x', value: 0n, data: '0x', feeRatio } as const
  }
  if (type >= 0x20 && type < 0x28) {
    const [from = '0x', key = '0x'] = body.map(hexOf)
    return { ...common, from, to: '0x', value: 0n, data: key, feeRatio } as const
  }
  const [to, value, from, data] = body
  const hasData = type >= 0x10
  return {
    ...common,
    to: hexOf(to),
    value: numberOf(value),
    from: hexOf(from),
    data: hasData ? hexOf(data) : '0x',
    feeRatio,
  } as const
}

function isDeploy(type: number): boolean {
  return type >= 0x28 && type < 0x30
}

/** [1, '', ''] stands where nobody has signed yet. */
function isSigned(signature: Item): boolean {
  return numberOf(listOf(signature)[1]) > 0n
}

function signerOf(signature: Item, signed: readonly Item[], chainId: number): Hex {
  const [v = 0n, r = 0n, s = 0n] = listOf(signature).map(numberOf)
  const parity = Number(v) - 35 - 2 * chainId
  assert(parity === 0 || parity === 1, 'signed for another chain')
  return recoverSigner(writeRlp(signed), r, s, parity)
}

function numberOf(item: Item | undefined): bigint {
  const digits = hexOf(item)
  assert(!digits.startsWith('0x00'), 'a number has leading zeros')
  return digits === '0x' ? 0n : BigInt(digits)
}

function hexOf(item: Item | undefined): Hex {
  assert(item instanceof Uint8Array, 'a list is in the place of bytes')
  return `0x${Buffer.from(item).toString('hex')}`
}

function listOf(item: Item): readonly Item[] {
  assert(!(item instanceof Uint8Array), 'bytes are in the place of a list')
  return item
}
