import assert from 'node:assert/strict'
import { blake2b } from '@noble/hashes/blake2.js'
import { readBech32 } from './bech32.ts'
import { verifiesEd25519 } from './ed25519.ts'

export type ReadEgld = {
  readonly nonce: number
  readonly value: string
  readonly receiver: string
  readonly sender: string
  readonly gasPrice: number
  readonly gasLimit: number
  readonly data?: string
  readonly chainID: string
  readonly version: number
  readonly signature: string
}

const order = 'nonce value receiver sender gasPrice gasLimit data chainID version signature'.split(
  ' ',
)

/** A signed transaction of MultiversX; throws unless its signature verifies. */
export function readEgld(txData: string): ReadEgld {
  const tx: ReadEgld = JSON.parse(txData)
  const names = Object.keys(tx)
  assert.deepEqual(
    names,
    order.filter(name => names.includes(name)),
    'not its members in their order',
  )
  const { signature, ...signed } = tx
  const message = Buffer.from(JSON.stringify(signed))
  assert(txData === JSON.stringify(tx), 'not compact')
  const key = pubkeyOf(tx.sender)
  assert(verifiesEd25519(key, message, Buffer.from(signature, 'hex')), 'a wrong signature')
  return tx
}

/** What `value`, a decimal number of EGLD, is in its smallest unit. */
export function denominated(value: unknown): string {
  const [whole = '0', fraction = ''] = String(value ?? 0).split('.')
  return BigInt(whole + fraction.padEnd(18, '0')).toString()
}

/** The hash of the transaction as a protocol buffer, by hand (mx-chain-core-go). */
export function egldHashOf(tx: ReadEgld): string {
  const digits = BigInt(tx.value).toString(16)
  const value = Buffer.from(`00${digits.length % 2 ? '0' : ''}${digits}`, 'hex')
  const parts = [
    tx.nonce === 0 ? [] : [0x08, ...varint(tx.nonce)],
    bytes(0x12, value),
    bytes(0x1a, pubkeyOf(tx.receiver)),
    bytes(0x2a, pubkeyOf(tx.sender)),
    [0x38, ...varint(tx.gasPrice)],
    [0x40, ...varint(tx.gasLimit)],
    tx.data === undefined ? [] : bytes(0x4a, Buffer.from(tx.data, 'base64')),
    bytes(0x52, Buffer.from(tx.chainID)),
    [0x58, ...varint(tx.version)],
    bytes(0x62, Buffer.from(tx.signature, 'hex')),
  ]
  return Buffer.from(blake2b(Uint8Array.from(parts.flat()), { dkLen: 32 })).toString('hex')
}

function bytes(tag: number, content: Buffer): readonly number[] {
  return [tag, ...varint(content.length), ...content]
}

function varint(value: number): readonly number[] {
  return value < 128 ? [value] : [(value % 128) + 128, ...varint(Math.floor(value / 128))]
}

function pubkeyOf(address: string): Buffer {
  const { prefix, bytes: key } = readBech32(address)
  assert(prefix === 'erd' && key.length === 32, `${address} is not an address`)
  return key
}
