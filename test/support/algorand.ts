import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { verifiesEd25519 } from './ed25519.ts'

/** Anything MessagePack holds, with maps as objects in the order they came in. */
export type Unpacked = bigint | string | boolean | Buffer | { readonly [name: string]: Unpacked }

export type ReadAlgo = Readonly<Record<string, Unpacked>>

/** A signed transaction of Algorand, by the specification; throws unless it would be accepted. */
export function readAlgo(txData: string): { readonly txn: ReadAlgo; readonly txId: string } {
  const bytes = Buffer.from(txData, 'hex')
  assert(bytes.toString('hex') === txData, 'not hex')
  const { sig, txn, ...rest } = objectOf(unpack(bytes))
  assert(Buffer.isBuffer(sig) && sig.length === 64, 'not with one signature')
  assert(Object.keys(rest).length === 0, 'with something else in it')
  const fields = objectOf(txn)
  refuseUnsorted({ sig, txn: fields })
  // The head of the map is one byte, `sig` is 4 + 2 + 64, the name of the transaction 4.
  const message = Buffer.concat([Buffer.from('TX'), bytes.subarray(1 + 70 + 4)])
  assert(verifiesEd25519(bytesOf(fields['snd']), message, sig), 'a signature that does not verify')
  return { txn: fields, txId: base32(sha512256(message)) }
}

export function algoAddressOf(publicKey: Uint8Array): string {
  return base32(Buffer.concat([publicKey, sha512256(publicKey).subarray(28)]))
}

export function bytesOf(value: Unpacked | undefined): Buffer {
  assert(Buffer.isBuffer(value), 'not bytes')
  return value
}

function objectOf(value: Unpacked | undefined): ReadAlgo {
  assert(typeof value === 'object' && !Buffer.isBuffer(value), 'not a map')
  return value
}

/** Canonical: names in order, nothing empty. */
function refuseUnsorted(map: ReadAlgo): void {
  const names = Object.keys(map)
  assert.deepEqual(names, names.toSorted(), 'names out of order')
  for (const value of Object.values(map)) {
    const empty = value === 0n || value === '' || value === false
    assert(!empty && !(Buffer.isBuffer(value) && value.length === 0), 'something empty is written')
    if (typeof value === 'object' && !Buffer.isBuffer(value)) refuseUnsorted(value)
  }
}

function unpack(bytes: Buffer): Unpacked {
  let at = 0
  const number = (size: number): bigint => {
    const value = BigInt(`0x${bytes.toString('hex', at, at + size)}`)
    at += size
    return value
  }
  const take = (length: number): Buffer => {
    assert(at + length <= bytes.length, 'cut off')
    at += length
    return bytes.subarray(at - length, at)
  }
  const map = (length: number): Unpacked =>
    Object.fromEntries(Array.from({ length }, () => [String(read()), read()]))
  const read = (): Unpacked => {
    const first = Number(number(1))
    if (first < 0x80) return BigInt(first)
    if (first < 0x90) return map(first - 0x80)
    if (first >= 0xa0 && first < 0xc0) return take(first - 0xa0).toString()
    const readers = new Map<number, () => Unpacked>([
      [0xc3, () => true],
      [0xc4, () => take(Number(number(1)))],
      [0xc5, () => take(Number(number(2)))],
      [0xcc, () => number(1)],
      [0xcd, () => number(2)],
      [0xce, () => number(4)],
      [0xcf, () => number(8)],
      [0xd9, () => take(Number(number(1))).toString()],
      [0xde, () => map(Number(number(2)))],
    ])
    const reader = readers.get(first)
    assert(reader !== undefined, `something that starts with ${first}`)
    return reader()
  }
  const value = read()
  assert(at === bytes.length, 'with bytes behind it')
  return value
}

function sha512256(bytes: Uint8Array): Buffer {
  return createHash('sha512-256').update(bytes).digest()
}

function base32(bytes: Uint8Array): string {
  const bits = [...bytes].map(byte => byte.toString(2).padStart(8, '0')).join('')
  const groups = bits.match(/.{1,5}/g) ?? []
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'
  return groups.map(group => letters[Number.parseInt(group.padEnd(5, '0'), 2)]).join('')
}
