import { field, readBytes, u16, u32, u64 } from '../base/binary.ts'
import { concat, concatAll, utf8, uuidBytes, uuidText } from '../base/bytes.ts'
import type { Network, WalletId, WalletKind } from '../base/model.ts'
import { type BodyIndex, indexStarts } from './body-index.ts'
import { damaged } from './header.ts'

/** What a vault knows of a wallet without opening its secret. */
export type WalletInfo = {
  readonly id: WalletId
  /** Text, not a known chain: a vault of a newer version opens in an older binary. */
  readonly chain: string
  readonly network: Network
  readonly kind: WalletKind
  /** Milliseconds since 1970. */
  readonly createdAt: number
  /** Mnemonic wallets: the account node's path and extended public key. */
  readonly path?: string
  readonly xpub?: string
  /** Key wallets: address and public key. */
  readonly address?: string
  readonly publicKey?: Uint8Array
}

/** A wallet as it stands in the body: public facts and the sealed secrets (nonce, ciphertext, tag). */
export type WalletRecord = {
  readonly info: WalletInfo
  readonly sealedSecret: Uint8Array
  /** Mnemonic wallets: the account node, so that an index costs one derivation. */
  readonly sealedNode?: Uint8Array
}

const tags = {
  chain: 1,
  network: 2,
  kind: 3,
  path: 4,
  xpub: 5,
  address: 6,
  publicKey: 7,
  secret: 8,
  node: 9,
} as const
const networks: readonly Network[] = ['mainnet', 'testnet']
const kinds: readonly WalletKind[] = ['mnemonic', 'key']

/** Attributes of the whole vault. */
export const attributes = {
  /** The ledger's key, kept over a rotation: nonce, ciphertext, tag. */
  audit: 1,
} as const

/** A record's id and date. */
const headLength = 24

/** An empty body: no attributes, no records. */
export const emptyBody = concat(u32(0), u32(0))

/**
 * Where each wallet's record begins in a decrypted body, oldest first. Records are decoded when
 * asked for: a vault of half a million wallets costs an index, not half a million objects.
 */
export function indexBody(body: Uint8Array): BodyIndex {
  const reader = readBytes(body, tooShort)
  reader.skip(reader.u32())
  const count = reader.u32()
  const view = new DataView(body.buffer, body.byteOffset, body.length)
  const starts: number[] = []
  let at = reader.position
  while (starts.length < count) {
    const left = body.length - at - 4
    const length = left < headLength ? 0 : view.getUint32(at)
    if (length < headLength || length > left) throw tooShort()
    starts.push(at)
    at += 4 + length
  }
  if (at < body.length) throw damaged('there are bytes behind the last wallet')
  return indexStarts(body, starts)
}

/** The record that begins at `start`. */
export function recordAt(body: Uint8Array, start: number): WalletRecord {
  const content = contentAt(body, start)
  const fields = findFields(content, headLength)
  const text = (tag: number): string | undefined => {
    const span = fields.get(tag)
    return span && content.toString('utf8', span.from, span.to)
  }
  const bytes = (tag: number): Uint8Array | undefined => {
    const span = fields.get(tag)
    return span && body.subarray(start + 4 + span.from, start + 4 + span.to)
  }
  const firstByte = (tag: number): number => {
    const span = fields.get(tag)
    return (span && span.to > span.from ? content[span.from] : undefined) ?? -1
  }
  const id = uuidText(content.subarray(0, 16))
  const createdAt = Number(content.readBigUInt64BE(16))
  const chain = text(tags.chain)
  const network = networks[firstByte(tags.network)]
  const kind = kinds[firstByte(tags.kind)]
  const sealedSecret = bytes(tags.secret)
  if (!chain || !network || !kind || !sealedSecret) throw damaged('a wallet lacks a field')
  const path = text(tags.path)
  const xpub = text(tags.xpub)
  const address = text(tags.address)
  const publicKey = bytes(tags.publicKey)
  const sealedNode = bytes(tags.node)
  return {
    info: {
      id,
      chain,
      network,
      kind,
      createdAt,
      ...(path !== undefined && { path }),
      ...(xpub !== undefined && { xpub }),
      ...(address !== undefined && { address }),
      ...(publicKey !== undefined && { publicKey }),
    },
    sealedSecret,
    ...(sealedNode !== undefined && { sealedNode }),
  }
}

/** The body with `records` behind those it has. */
export function appendRecords(body: Uint8Array, records: readonly WalletRecord[]): Uint8Array {
  return rebuild(body, [bodyRecords(body), ...records.map(encodeRecord)], records.length)
}

/** The body without the record that begins at `start`. */
export function withoutRecord(body: Uint8Array, start: number): Uint8Array {
  const length = 4 + readBytes(body.subarray(start), tooShort).u32()
  const from = bodyRecords(body).byteOffset - body.byteOffset
  return rebuild(body, [body.subarray(from, start), body.subarray(start + length)], -1)
}

/** The vault's own fields, by tag. */
export function attributesOf(body: Uint8Array): ReadonlyMap<number, Uint8Array> {
  const reader = readBytes(body, tooShort)
  return readFields(reader.take(reader.u32()))
}

/** The body with one attribute set. */
export function withAttribute(body: Uint8Array, tag: number, value: Uint8Array): Uint8Array {
  const fields = new Map(attributesOf(body)).set(tag, value)
  const encoded = concat(...[...fields].map(([name, content]) => field(name, content)))
  const reader = readBytes(body, tooShort)
  reader.take(reader.u32())
  return concat(u32(encoded.length), encoded, reader.take(reader.remaining))
}

/**
 * The body with every sealed part replaced, all else to the byte as it was: fields of a later
 * version included.
 */
export function resealBody(
  body: Uint8Array,
  reseal: (info: WalletInfo, part: 'secret' | 'node', sealed: Uint8Array) => Uint8Array,
): Uint8Array {
  const parts = [...indexBody(body).values()].map(start => {
    const { info } = recordAt(body, start)
    const record = contentAt(body, start)
    const fields = [...readFields(record, headLength)].map(([tag, value]) => {
      if (tag === tags.secret) return field(tag, reseal(info, 'secret', value))
      if (tag === tags.node) return field(tag, reseal(info, 'node', value))
      return field(tag, value)
    })
    const content = concat(record.subarray(0, headLength), ...fields)
    return concat(u32(content.length), content)
  })
  return rebuild(body, parts, 0)
}

/** What an attribute is bound to. */
export function attributeAad(vaultId: Uint8Array, name: keyof typeof attributes): Uint8Array {
  return concat(utf8('tatum-kms attribute'), vaultId, utf8(name))
}

/** What a wallet's sealed secret and node are bound to. */
export function recordAad(
  vaultId: Uint8Array,
  info: Pick<WalletInfo, 'id' | 'chain' | 'network' | 'kind'>,
  part: 'secret' | 'node',
): Uint8Array {
  const texts = [info.id, info.chain, info.network, info.kind, part].map(utf8)
  return concat(
    utf8('tatum-kms record'),
    vaultId,
    ...texts.flatMap(text => [u16(text.length), text]),
  )
}

function encodeRecord({ info, sealedSecret, sealedNode }: WalletRecord): Uint8Array {
  const content = concat(
    uuidBytes(info.id) ?? new Uint8Array(16),
    u64(BigInt(info.createdAt)),
    field(tags.chain, utf8(info.chain)),
    field(tags.network, Uint8Array.of(networks.indexOf(info.network))),
    field(tags.kind, Uint8Array.of(kinds.indexOf(info.kind))),
    ...(info.path === undefined ? [] : [field(tags.path, utf8(info.path))]),
    ...(info.xpub === undefined ? [] : [field(tags.xpub, utf8(info.xpub))]),
    ...(info.address === undefined ? [] : [field(tags.address, utf8(info.address))]),
    ...(info.publicKey === undefined ? [] : [field(tags.publicKey, info.publicKey)]),
    field(tags.secret, sealedSecret),
    ...(sealedNode === undefined ? [] : [field(tags.node, sealedNode)]),
  )
  return concat(u32(content.length), content)
}

/** The record behind its length. */
function contentAt(body: Uint8Array, start: number): Buffer {
  const rest = Buffer.from(body.buffer, body.byteOffset + start, body.length - start)
  const length = rest.length < 4 ? 0 : rest.readUInt32BE()
  if (length < headLength || length > rest.length - 4) throw tooShort()
  return rest.subarray(4, 4 + length)
}

type Span = { readonly from: number; readonly to: number }

/**
 * Where each field's value is: to list half a million wallets, no view is made of what nobody looks
 * at. Fields with tags of a later version are passed over here and kept by every rewrite.
 */
function findFields(bytes: Uint8Array, start: number): ReadonlyMap<number, Span> {
  const fields = new Map<number, Span>()
  for (let at = start; at < bytes.length; ) {
    const [tag = 0, high = 0, low = 0] = [bytes[at], bytes[at + 1], bytes[at + 2]]
    const from = at + 3
    const to = from + ((high << 8) | low)
    if (to > bytes.length) throw tooShort()
    if (fields.has(tag)) throw damaged('a wallet has a field twice')
    fields.set(tag, { from, to })
    at = to
  }
  return fields
}

function readFields(bytes: Uint8Array, start = 0): ReadonlyMap<number, Uint8Array> {
  const spans = [...findFields(bytes, start)]
  return new Map(spans.map(([tag, { from, to }]) => [tag, bytes.subarray(from, to)]))
}

function bodyRecords(body: Uint8Array): Uint8Array {
  const reader = readBytes(body, tooShort)
  reader.take(reader.u32())
  reader.u32()
  return reader.take(reader.remaining)
}

function rebuild(body: Uint8Array, parts: readonly Uint8Array[], added: number): Uint8Array {
  const reader = readBytes(body, tooShort)
  const attributes = reader.take(reader.u32())
  const count = reader.u32()
  return concatAll([u32(attributes.length), attributes, u32(count + added), ...parts])
}

function tooShort(): Error {
  return damaged('its index ends too early')
}
