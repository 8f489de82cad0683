import { concatHex, toRlp } from 'viem/utils'
import { decodeRlp, type Rlp } from '../codec/rlp.ts'
import { type RlpItems, readItems } from '../codec/rlp-items.ts'
import { isWeakSignature, rlpNumber } from './evm-signature.ts'
import { asHex, type Hex } from './evm-tx.ts'
import type { FilledBody, KlaySignature, RawTx } from './klay-tx.ts'
import {
  type BodyItem,
  bodyItems,
  byteOf,
  type Delegation,
  findTypeByByte,
  type KlayType,
} from './klay-types.ts'

type Items = readonly (Hex | Items)[]

const noAddress: Hex = `0x${'00'.repeat(20)}`

/** Stands in the place of signatures that are to come. */
const noSignatures: Items = [['0x01', '0x', '0x']]

/** What the sender signs, and a fee payer with their address behind it (docs.kaia.io, SigRLP). */
export function signedPart(
  { body, chainId }: Pick<RawTx, 'body' | 'chainId'>,
  feePayer?: Hex,
): Hex {
  const inner = toRlp([typeOf(body), ...encodeBody(body)])
  const payer = feePayer === undefined ? [] : [feePayer]
  return toRlp([inner, ...payer, rlpNumber(chainId), '0x', '0x'])
}

export function encodeRaw(tx: RawTx): Hex {
  if (tx.body.payerShare === 0) return senderPart(tx)
  const { feePayer = noAddress, payerSignatures, chainId } = tx
  const payer =
    payerSignatures.length === 0 ? noSignatures : encodeSignatures(payerSignatures, chainId)
  return concatHex([typeOf(tx.body), toRlp([...senderItems(tx), feePayer, payer])])
}

/** The whole without what concerns a fee payer; its hash finds the transaction from the sender's side. */
export function senderPart(tx: RawTx): Hex {
  return concatHex([typeOf(tx.body), toRlp(senderItems(tx))])
}

/**
 * The transaction that `bytes` are, signed for `chainId`; `broken` makes the error for anything else,
 * from what is wrong with it.
 */
export function decodeRaw(
  bytes: Uint8Array,
  chainId: number,
  broken: (what: string) => Error,
): RawTx {
  const damaged = () => broken('is damaged')
  const { type, items } = openRaw(bytes, broken)
  const read = (name: string) => readSignatures(items.list(name), chainId, broken)
  const feePayer = items.has('feePayer') ? readAddress(items, 'feePayer', damaged) : undefined
  return {
    chainId,
    body: decodeBody(items, type, damaged),
    signatures: read('signatures'),
    ...(feePayer !== undefined && feePayer !== noAddress && { feePayer }),
    payerSignatures: items.has('payerSignatures') ? read('payerSignatures') : [],
  }
}

/** The network that the first signature of signed bytes is for (EIP-155). */
export function chainIdIn(bytes: Uint8Array, broken: (what: string) => Error): number {
  const damaged = () => broken('is damaged')
  const [first] = openRaw(bytes, broken).items.list('signatures')
  return Math.floor((readItems(first, 'v r s', damaged).integer('v') - 35) / 2)
}

function openRaw(
  bytes: Uint8Array,
  broken: (what: string) => Error,
): { readonly type: KlayType; readonly items: RlpItems } {
  const type = findTypeByByte(bytes[0])
  if (type === undefined) throw broken('is not of a type that pays or calls')
  const layout = [...bodyItems(type), 'signatures']
  if (type.delegation !== 'none') layout.push('feePayer', 'payerSignatures')
  const list = decodeRlp(bytes.subarray(1))
  return { type, items: readItems(list, layout.join(' '), () => broken('is damaged')) }
}

function typeOf({ action, payerShare }: FilledBody): Hex {
  return asHex(Uint8Array.of(byteOf({ action, delegation: delegationOf(payerShare) })))
}

function delegationOf(payerShare: number): Delegation {
  if (payerShare === 0) return 'none'
  return payerShare === 100 ? 'full' : 'ratio'
}

function encodeBody(body: FilledBody): readonly Hex[] {
  const { action, payerShare, nonce, price, gas, to = '0x', value, from, data } = body
  const encoded: Readonly<Record<BodyItem, Hex>> = {
    nonce: rlpNumber(nonce),
    price: rlpNumber(price),
    gas: rlpNumber(gas),
    to,
    value: rlpNumber(value),
    from,
    data,
    // Not supported by the network.
    humanReadable: '0x',
    ratio: rlpNumber(payerShare),
    // 0: EVM, the only one.
    codeFormat: '0x',
  }
  return bodyItems({ action, delegation: delegationOf(payerShare) }).map(item => encoded[item])
}

function decodeBody(items: RlpItems, type: KlayType, damaged: () => Error): FilledBody {
  const { action } = type
  const to = items.has('to') ? readAddress(items, 'to', damaged) : undefined
  if ((to === undefined) !== (action === 'deploy' || action === 'cancel' || action === 'update'))
    throw damaged()
  for (const zero of ['humanReadable', 'codeFormat']) {
    if (items.has(zero) && items.number(zero) !== 0n) throw damaged()
  }
  const from = readAddress(items, 'from', damaged)
  if (from === undefined) throw damaged()
  return {
    action,
    payerShare: readShare(items, type, damaged),
    nonce: items.integer('nonce'),
    price: items.number('price'),
    gas: items.number('gas'),
    from,
    ...(to !== undefined && { to }),
    value: items.has('value') ? items.number('value') : 0n,
    data: items.has('data') ? asHex(items.bytes('data')) : '0x',
  }
}

function readShare(items: RlpItems, { delegation }: KlayType, damaged: () => Error): number {
  if (delegation !== 'ratio') return delegation === 'none' ? 0 : 100
  const ratio = items.integer('ratio')
  if (ratio < 1 || ratio > 99) throw damaged()
  return ratio
}

/** Undefined where there is none. */
function readAddress(items: RlpItems, name: string, damaged: () => Error): Hex | undefined {
  const bytes = items.bytes(name)
  if (bytes.length === 0) return undefined
  if (bytes.length !== 20) throw damaged()
  return asHex(bytes)
}

function senderItems({ body, signatures, chainId }: RawTx): Items {
  return [...encodeBody(body), encodeSignatures(signatures, chainId)]
}

function encodeSignatures(signatures: readonly KlaySignature[], chainId: number): Items {
  return signatures.map(({ parity, r, s }) => [
    rlpNumber(2 * chainId + 35 + parity),
    rlpNumber(r),
    rlpNumber(s),
  ])
}

/** Without the entry that says that there are none yet. */
function readSignatures(
  entries: readonly Rlp[],
  chainId: number,
  broken: (what: string) => Error,
): readonly KlaySignature[] {
  return entries.flatMap(entry => {
    const items = readItems(entry, 'v r s', () => broken('is damaged'))
    const [v, r, s] = [items.integer('v'), items.number('r'), items.number('s')]
    if (v === 1 && r === 0n && s === 0n) return []
    const parity = v - 35 - 2 * chainId
    if ((parity !== 0 && parity !== 1) || isWeakSignature(items)) {
      throw broken(`has a signature that is not one for chain id ${chainId}`)
    }
    return [{ parity, r, s }]
  })
}
