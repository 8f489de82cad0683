import assert from 'node:assert/strict'
import { hash160, legacyDigest, type ReadTransaction, witnessDigest } from './bitcoin-reader.ts'
import { type EcdsaSignature, isLowS, verifyEcdsa } from './secp256k1.ts'

/** An output that an input spends. */
export type Spent = { readonly amount: bigint; readonly script: string }

/** What unlocks one input: a signature with its hash type, and the key it is of. */
type Unlocked = {
  readonly signature: Buffer
  readonly publicKey: Buffer
  readonly digest: () => Buffer
}

/** Throws an Error that says why input `at` does not spend `spent`: one key, all of it signed. */
export function verifySpend(tx: ReadTransaction, at: number, spent: Spent): void {
  const { signature, publicKey, digest } = unlock(tx, at, spent)
  assert(signature.at(-1) === 1, `input ${at} does not sign all of the transaction`)
  const parsed = readDer(signature.subarray(0, -1))
  assert(parsed !== undefined, `input ${at} has a signature that is not strict DER`)
  assert(isLowS(parsed), `input ${at} has a signature of high s`)
  const valid = verifyEcdsa(parsed, digest(), publicKey)
  assert(valid, `input ${at} has a signature that does not verify`)
}

function unlock(tx: ReadTransaction, at: number, { amount, script }: Spent): Unlocked {
  const input = tx.inputs[at]
  assert(input !== undefined, `there is no input ${at}`)
  const legacy = () => legacyDigest(tx, at, Buffer.from(script, 'hex'))
  const [paidKey] = /(?<=^(?:21|41))(?:[0-9a-f]{66}|[0-9a-f]{130})(?=ac$)/.exec(script) ?? []
  if (paidKey !== undefined) {
    const [signature] = unlockedBy(at, input.scriptSig, input.witness, 1)
    return { signature, publicKey: Buffer.from(paidKey, 'hex'), digest: legacy }
  }
  if (script.startsWith('76')) {
    const [signature, publicKey] = unlockedBy(at, input.scriptSig, input.witness, 2)
    assertOwner(at, script, `76a914${hash160(publicKey).toString('hex')}88ac`)
    return { signature, publicKey, digest: legacy }
  }
  const [signature, publicKey] = input.witness
  assert(signature !== undefined && publicKey !== undefined, `input ${at} is not signed`)
  assert(input.witness.length === 2, `input ${at} has more in its witness than it takes`)
  assert(publicKey.length === 33, `input ${at} has an uncompressed key in a witness`)
  const hash = hash160(publicKey).toString('hex')
  const program = `0014${hash}`
  const nested = `a914${hash160(Buffer.from(program, 'hex')).toString('hex')}87`
  assertOwner(at, script, script.startsWith('a9') ? nested : program)
  const scriptSig = script === nested ? `16${program}` : ''
  assert(input.scriptSig.toString('hex') === scriptSig, `input ${at} has a malformed scriptSig`)
  const code = Buffer.from(`76a914${hash}88ac`, 'hex')
  return { signature, publicKey, digest: () => witnessDigest(tx, at, code, amount) }
}

function assertOwner(at: number, script: string, expected: string): void {
  assert(script === expected, `input ${at} is signed with a key that does not own it`)
}

/** The one or two chunks a scriptSig pushes, and nothing beside them. */
function unlockedBy(
  at: number,
  scriptSig: Buffer,
  witness: readonly Buffer[],
  count: 1 | 2,
): readonly [Buffer, Buffer] {
  assert(witness.length === 0, `input ${at} has a witness it does not take`)
  const chunks: Buffer[] = []
  for (let rest = scriptSig; rest.length > 0; ) {
    const length = rest.readUInt8()
    assert(length > 0 && length < 76 && length < rest.length, `input ${at} has an odd scriptSig`)
    chunks.push(rest.subarray(1, 1 + length))
    rest = rest.subarray(1 + length)
  }
  const [signature, publicKey = Buffer.of()] = chunks
  assert(signature !== undefined && chunks.length === count, `input ${at} is not signed`)
  return [signature, publicKey]
}

/** BIP-66: both numbers positive, none with a zero it does not need, nothing behind them. */
function readDer(der: Buffer): EcdsaSignature | undefined {
  const [mark, length, ...body] = der
  if (mark !== 0x30 || length !== body.length) return undefined
  const r = readInteger(Buffer.from(body))
  const s = r && readInteger(r.rest)
  if (r === undefined || s === undefined || s.rest.length > 0) return undefined
  return { r: r.value, s: s.value }
}

function readInteger(der: Buffer): { readonly value: bigint; readonly rest: Buffer } | undefined {
  const [mark, length = 0] = der
  const bytes = der.subarray(2, 2 + length)
  const [first = 0x80, second = 0x80] = bytes
  if (mark !== 2 || bytes.length !== length || length === 0) return undefined
  if (first >= 0x80 || (first === 0 && length > 1 && second < 0x80)) return undefined
  return { value: BigInt(`0x${bytes.toString('hex')}`), rest: der.subarray(2 + length) }
}
