import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'

/** Transactions of Bitcoin's kind, read by the specifications alone: no library that writes them. */

export type ReadInput = {
  /** In display order. */
  readonly txId: string
  readonly index: number
  readonly sequence: number
  readonly scriptSig: Buffer
  readonly witness: readonly Buffer[]
}

export type ReadTransaction = {
  readonly version: number
  readonly inputs: readonly ReadInput[]
  readonly outputs: readonly { readonly amount: bigint; readonly script: string }[]
  readonly lockTime: number
  readonly hasWitness: boolean
  readonly txId: string
}

/** What is hashed of an input: where it points, and what stands in place of its signature. */
type HashedInput = Pick<ReadInput, 'txId' | 'index' | 'sequence'> & { readonly scriptSig: Buffer }

/** Everything an unsigned transaction says. */
export type Unsigned = Pick<ReadTransaction, 'version' | 'outputs' | 'lockTime'> & {
  readonly inputs: readonly Pick<ReadInput, 'txId' | 'index' | 'sequence'>[]
}

/** Throws unless `data` is the hex of one whole transaction in its only spelling (BIP-144). */
export function readTransaction(data: string): ReadTransaction {
  assert(/^([0-9a-f]{2})+$/.test(data), 'not lower-case hex')
  const read = readerOf(Buffer.from(data, 'hex'))
  const version = read.uint32()
  const hasWitness = read.skip(Buffer.of(0, 1))
  const bare = read.list(() => ({
    txId: read.bytes(32).toReversed(),
    index: read.uint32(),
    scriptSig: read.chunk(),
    sequence: read.uint32(),
  }))
  const outputs = read.list(() => ({ amount: read.uint64(), script: hexOf(read.chunk()) }))
  const inputs = bare.map(input => ({
    ...input,
    txId: hexOf(input.txId),
    witness: hasWitness ? read.list(read.chunk) : [],
  }))
  const lockTime = read.uint32()
  read.end()
  assert(inputs.length > 0 && outputs.length > 0, 'nothing is spent or nobody is paid')
  assert(!hasWitness || inputs.some(({ witness }) => witness.length > 0), 'a superfluous witness')
  const txId = idOf(serialize({ version, inputs, outputs, lockTime }))
  return { version, inputs, outputs, lockTime, hasWitness, txId }
}

/** The id before anything is signed: what `hash` of a pending transaction must be. */
export function unsignedId(tx: Unsigned): string {
  return idOf(unsignedBytes(tx))
}

export function unsignedBytes({ inputs, ...rest }: Unsigned): Buffer {
  const bare = inputs.map(input => ({ ...input, scriptSig: Buffer.of() }))
  return serialize({ ...rest, inputs: bare })
}

/** What SIGHASH_ALL signs before segwit: the spent script stands in place of the signature. */
export function legacyDigest(tx: Unsigned, at: number, script: Buffer): Buffer {
  const inputs = tx.inputs.map((input, i) => ({
    ...input,
    scriptSig: i === at ? script : Buffer.of(),
  }))
  return sha256d(Buffer.concat([serialize({ ...tx, inputs }), uint32(1)]))
}

/** What SIGHASH_ALL signs for a witness of version 0 (BIP-143), and FORKID on Bitcoin Cash. */
export function witnessDigest(
  tx: Unsigned,
  at: number,
  code: Buffer,
  amount: bigint,
  hashType = 1,
): Buffer {
  const input = tx.inputs[at]
  assert(input !== undefined, 'no such input')
  const preimage = [
    uint32(tx.version),
    sha256d(Buffer.concat(tx.inputs.map(outpoint))),
    sha256d(Buffer.concat(tx.inputs.map(({ sequence }) => uint32(sequence)))),
    outpoint(input),
    chunk(code),
    uint64(amount),
    uint32(input.sequence),
    sha256d(Buffer.concat(tx.outputs.map(output))),
    uint32(tx.lockTime),
    uint32(hashType),
  ]
  return sha256d(Buffer.concat(preimage))
}

export function hash160(bytes: Uint8Array): Buffer {
  return createHash('ripemd160').update(createHash('sha256').update(bytes).digest()).digest()
}

function serialize(
  tx: Pick<ReadTransaction, 'version' | 'outputs' | 'lockTime'> & {
    readonly inputs: readonly HashedInput[]
  },
): Buffer {
  const inputs = tx.inputs.map(input =>
    Buffer.concat([outpoint(input), chunk(input.scriptSig), uint32(input.sequence)]),
  )
  return Buffer.concat([
    uint32(tx.version),
    list(inputs),
    list(tx.outputs.map(output)),
    uint32(tx.lockTime),
  ])
}

function outpoint({ txId, index }: Pick<ReadInput, 'txId' | 'index'>): Buffer {
  return Buffer.concat([Buffer.from(txId, 'hex').reverse(), uint32(index)])
}

function output({ amount, script }: ReadTransaction['outputs'][number]): Buffer {
  return Buffer.concat([uint64(amount), chunk(Buffer.from(script, 'hex'))])
}

function list(parts: readonly Buffer[]): Buffer {
  return Buffer.concat([compactSize(parts.length), ...parts])
}

function chunk(bytes: Uint8Array): Buffer {
  return Buffer.concat([compactSize(bytes.length), bytes])
}

function compactSize(size: number): Buffer {
  if (size < 0xfd) return Buffer.of(size)
  const wide = Buffer.alloc(size > 0xffff ? 5 : 3)
  wide[0] = size > 0xffff ? 0xfe : 0xfd
  wide.writeUIntLE(size, 1, wide.length - 1)
  return wide
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value)
  return bytes
}

function uint64(value: bigint): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64LE(value)
  return bytes
}

function idOf(bytes: Buffer): string {
  return hexOf(sha256d(bytes).reverse())
}

function sha256d(bytes: Buffer): Buffer {
  return createHash('sha256').update(createHash('sha256').update(bytes).digest()).digest()
}

function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}

function readerOf(bytes: Buffer) {
  let at = 0
  const take = (length: number): Buffer => {
    assert(length <= bytes.length - at, 'cut short')
    at += length
    return bytes.subarray(at - length, at)
  }
  const size = (): number => {
    const [first = 0] = take(1)
    if (first < 0xfd) return first
    assert(first < 0xff, 'a size of more than 32 bits')
    const value = first === 0xfd ? take(2).readUInt16LE() : take(4).readUInt32LE()
    assert(value > (first === 0xfd ? 0xfc : 0xffff), 'a size that is not spelled the short way')
    return value
  }
  return {
    bytes: take,
    uint32: () => take(4).readUInt32LE(),
    uint64: () => take(8).readBigUInt64LE(),
    chunk: () => take(size()),
    list: <T>(read: () => T): readonly T[] => Array.from({ length: size() }, read),
    skip(mark: Buffer): boolean {
      const found = bytes.subarray(at, at + mark.length).equals(mark)
      if (found) at += mark.length
      return found
    },
    end: () => assert(at === bytes.length, 'more bytes than one transaction'),
  }
}
