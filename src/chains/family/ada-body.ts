import { blake2b } from '@noble/hashes/blake2.js'
import { fromHex, hex } from '../../base/bytes.ts'
import type { Network } from '../../base/model.ts'
import { type Cbor, decodeCbor } from '../codec/cbor.ts'
import { describeAddress } from './ada-address.ts'
import { type AdaOutput, outpointOf } from './ada-tx.ts'
import { refused } from './refusals.ts'

/** A transaction's body as its bytes say it, with nothing in it but a payment. */
export type AdaBody = {
  readonly bytes: Uint8Array
  /** BLAKE2b-256 of the bytes, in hex: the transaction's id, and what is signed. */
  readonly id: string
  /** `<id>:<index>` */
  readonly spent: readonly string[]
  readonly outputs: readonly AdaOutput[]
  readonly fee: bigint
  readonly ttl: bigint
}

/** Public key and signature, in hex. */
export type AdaWitness = { readonly publicKey: string; readonly signature: string }

/** Conway's CDDL, transaction_body: inputs, outputs, fee and ttl. All else does more than pay. */
const fields = { inputs: 0n, outputs: 1n, fee: 2n, ttl: 3n }
/** Conway's CDDL: sets may be marked as such. */
const setTag = 258n
/** A slot is a second: some 130 years, so that nothing can be valid for ever. */
const maxSlot = 2n ** 32n

/** The body in `unsigned_transaction`: bare, as gateways write it, or in a transaction not signed. */
export function readUnsigned(envelope: string, network: Network): AdaBody {
  const item = openEnvelope(envelope)
  if (item.kind === 'map') return readBody(item, network)
  const { body, witnesses } = readTransaction(item)
  if (entriesOf(witnesses).size > 0) throw refused('the unsigned transaction has witnesses')
  return readBody(body, network)
}

/** The bytes of the body in `signed_transaction`, and who signed them. */
export function readSigned(envelope: string): {
  readonly body: Uint8Array
  readonly witnesses: readonly AdaWitness[]
} {
  const { body, witnesses } = readTransaction(openEnvelope(envelope))
  const sets = entriesOf(witnesses)
  const signatures = sets.get(0n)
  if (signatures === undefined || sets.size > 1) {
    throw refused('the signed transaction has other witnesses than signatures')
  }
  return { body: body.raw, witnesses: setOf(signatures).map(readWitness) }
}

/** cardano-rosetta's envelope: a transaction in hex, and what it was made of. */
function openEnvelope(envelope: string): Cbor {
  const [content, extra, ...rest] = listOf(readHex(envelope))
  if (content?.kind !== 'text' || extra === undefined || rest.length > 0) throw unreadable()
  return readHex(content.text)
}

function readHex(text: string): Cbor {
  const bytes = fromHex(text)
  const item = bytes && decodeCbor(bytes)
  if (item === undefined) throw unreadable()
  return item
}

/** What follows body and witnesses: null, or true and null since Alonzo (valid, no metadata). */
const plainMarks = ['f6', 'f5 f6']

function readTransaction(item: Cbor): { readonly body: Cbor; readonly witnesses: Cbor } {
  const [body, witnesses, ...rest] = listOf(item)
  if (body === undefined || witnesses === undefined) throw unreadable()
  const marks = rest.map(mark => hex(mark.raw)).join(' ')
  if (!plainMarks.includes(marks))
    throw refused('the transaction carries more than a body and witnesses')
  return { body, witnesses }
}

function readBody(body: Cbor, network: Network): AdaBody {
  const entries = entriesOf(body)
  const field = (name: keyof typeof fields): Cbor => {
    const value = entries.get(fields[name])
    if (value === undefined) throw refused(`the body of the transaction has no ${name}`)
    return value
  }
  const known = Object.values(fields)
  const other = [...entries.keys()].find(key => !known.includes(key))
  if (other !== undefined) {
    throw refused(`the transaction does more than pay: its body has the field ${other}`)
  }
  const ttl = amountOf(field('ttl'))
  if (ttl === 0n || ttl > maxSlot) throw refused(`the transaction has no good ttl: ${ttl}`)
  return {
    bytes: body.raw,
    id: hex(blake2b(body.raw, { dkLen: 32 })),
    spent: setOf(field('inputs')).map(readInput),
    outputs: listOf(field('outputs')).map((output, at) => readOutput(output, network, at)),
    fee: amountOf(field('fee')),
    ttl,
  }
}

function readInput(input: Cbor): string {
  const [txId, index, ...rest] = listOf(input)
  if (txId === undefined || index === undefined || rest.length > 0) throw unreadable()
  return outpointOf({ txId: hex(bytesOf(txId, 32)), index: Number(amountOf(index)) })
}

/**
 * A list, or since Babbage a map, which could also hold a datum or a script. An amount with native
 * tokens is a list.
 */
function readOutput(output: Cbor, network: Network, at: number): AdaOutput {
  const parts = output.kind === 'map' ? entriesOf(output) : new Map(numbered(listOf(output)))
  const [address, lovelace] = [parts.get(0n), parts.get(1n)]
  if (address === undefined || lovelace?.kind !== 'integer' || parts.size > 2) {
    throw refused(`output ${at} of the body holds more than an address and an amount`)
  }
  return {
    address: describeAddress(bytesOf(address), network, `output ${at} of the body`),
    lovelace: amountOf(lovelace),
  }
}

function readWitness(witness: Cbor): AdaWitness {
  const [publicKey, signature, ...rest] = listOf(witness)
  if (publicKey === undefined || signature === undefined || rest.length > 0) throw unreadable()
  return { publicKey: hex(bytesOf(publicKey, 32)), signature: hex(bytesOf(signature, 64)) }
}

function numbered(items: readonly Cbor[]): readonly (readonly [bigint, Cbor])[] {
  return items.map((item, at) => [BigInt(at), item])
}

function entriesOf(item: Cbor): ReadonlyMap<bigint, Cbor> {
  if (item.kind !== 'map') throw unreadable()
  return new Map(item.entries.map(([key, value]) => [integerOf(key), value]))
}

function setOf(item: Cbor): readonly Cbor[] {
  return listOf(item.kind === 'tag' && item.tag === setTag ? item.item : item)
}

function listOf(item: Cbor): readonly Cbor[] {
  if (item.kind !== 'list') throw unreadable()
  return item.items
}

function bytesOf(item: Cbor, length?: number): Uint8Array {
  if (item.kind !== 'bytes') throw unreadable()
  if (length !== undefined && item.bytes.length !== length) throw unreadable()
  return item.bytes
}

function amountOf(item: Cbor): bigint {
  const value = integerOf(item)
  if (value < 0n) throw unreadable()
  return value
}

function integerOf(item: Cbor): bigint {
  if (item.kind !== 'integer') throw unreadable()
  return item.value
}

function unreadable(): Error {
  return refused('the gateway answered something that is not a transaction that can be read')
}
