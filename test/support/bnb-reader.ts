import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { bech32Of } from './bech32.ts'

/** Transactions of the Beacon Chain by the specification of Amino, of which protobuf is a part. */

type Fields = readonly (readonly [number: number, value: bigint | Buffer])[]

export type ReadTransfer = {
  readonly inputs: readonly ReadSide[]
  readonly outputs: readonly ReadSide[]
  readonly memo: string
  readonly publicKey: Buffer
  readonly signature: Buffer
  readonly accountNumber: bigint
  readonly sequence: bigint
  readonly txId: string
}

export type ReadSide = {
  readonly address: string
  readonly coins: readonly { readonly denom: string; readonly amount: bigint }[]
}

export function readBnb(txData: string, prefix: string): ReadTransfer {
  const bytes = Buffer.from(txData, 'hex')
  assert(/^[0-9a-f]+$/.test(txData) && bytes.toString('hex') === txData, 'not lower-case hex')
  const [length, start] = varint(bytes, 0)
  assert(Number(length) === bytes.length - start, 'another length than it says')
  const tx = fields(behind('f0625dee', bytes.subarray(start)))
  assert(
    tx.every(([number]) => number <= 3),
    'a field of a transaction that is not sent',
  )
  const msg = fields(behind('2a2c87fa', buffer(tx, 1)))
  const signed = fields(buffer(tx, 2))
  const side = (entry: bigint | Buffer): ReadSide => {
    assert(typeof entry !== 'bigint')
    const coins = all(fields(entry), 2).map(coin => {
      assert(typeof coin !== 'bigint')
      const denom = buffer(fields(coin), 1).toString()
      return { denom, amount: number(fields(coin), 2) }
    })
    return { address: bech32Of(prefix, buffer(fields(entry), 1)), coins }
  }
  return {
    inputs: all(msg, 1).map(side),
    outputs: all(msg, 2).map(side),
    memo: all(tx, 3).length === 0 ? '' : buffer(tx, 3).toString(),
    publicKey: behind('eb5ae98721', buffer(signed, 1)),
    signature: buffer(signed, 2),
    accountNumber: number(signed, 3),
    sequence: number(signed, 4),
    txId: createHash('sha256').update(bytes).digest('hex').toUpperCase(),
  }
}

/** JSON with the names of every object in the order of the alphabet. */
export function sortedJson(value: unknown): string {
  return JSON.stringify(value, (_, inner) =>
    inner !== null && typeof inner === 'object' && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  )
}

function fields(bytes: Buffer): Fields {
  const found: (readonly [number, bigint | Buffer])[] = []
  for (let at = 0; at < bytes.length; ) {
    const [tag, head] = varint(bytes, at)
    const [value, end] = varint(bytes, head)
    const isBytes = tag % 8n === 2n
    at = end + (isBytes ? Number(value) : 0)
    assert((isBytes || tag % 8n === 0n) && at <= bytes.length, 'not amino')
    found.push([Number(tag / 8n), isBytes ? bytes.subarray(end, at) : value])
  }
  return found
}

function varint(bytes: Buffer, at: number): readonly [value: bigint, end: number] {
  const end = bytes.findIndex((byte, i) => i >= at && byte < 128) + 1
  assert(end > at, 'cut short')
  const digits = [...bytes.subarray(at, end)].toReversed()
  return [digits.reduce((value, digit) => value * 128n + BigInt(digit % 128), 0n), end]
}

function all(list: Fields, wanted: number): readonly (bigint | Buffer)[] {
  return list.filter(([number]) => number === wanted).map(([, value]) => value)
}

function buffer(list: Fields, wanted: number): Buffer {
  const [value, ...others] = all(list, wanted)
  assert(Buffer.isBuffer(value) && others.length === 0, `field ${wanted} is not there once`)
  return value
}

/** Zero is not written. */
function number(list: Fields, wanted: number): bigint {
  const [value = 0n, ...others] = all(list, wanted)
  assert(typeof value === 'bigint' && others.length === 0, `field ${wanted} is no number`)
  return value
}

function behind(prefix: string, bytes: Buffer): Buffer {
  const start = Buffer.from(prefix, 'hex')
  assert(bytes.subarray(0, start.length).equals(start), 'another type than expected')
  return bytes.subarray(start.length)
}
