import { secp256k1 } from '@noble/curves/secp256k1.js'
import { CompactSize, Script } from '@scure/btc-signer'
import { RawInput, RawOutput, RawWitness, VarBytes } from '@scure/btc-signer/script.js'
import { hash160, sha256x2 } from '@scure/btc-signer/utils.js'
import { concat, equalBytes, fromHex, hex } from '../../base/bytes.ts'
import { KmsError } from '../../base/errors.ts'
import type { Signature, Signed, SigningRequest } from '../../base/model.ts'
import { p2pkhScript, redeemScript, type Spend } from './utxo-script.ts'
import { bytesOf, decodeTx, encodeTx, txIdOf, type Unlock, type UtxoTx } from './utxo-tx.ts'

const SIGHASH_ALL = Uint8Array.of(1)
const hashTypeAll = Uint8Array.of(1, 0, 0, 0)

/** One digest per input: `spends[i]` says how input i is spent. */
export function signingRequests(tx: UtxoTx, spends: readonly Spend[]): readonly SigningRequest[] {
  const unsigned = encodeTx(tx)
  const bip143 = prepareBip143(tx, hashTypeAll)
  return spends.map((spend, i) => ({
    key: spend.key,
    algorithm: 'ecdsa-secp256k1',
    message: isSegwit(spend) ? bip143(i, spend.publicKey) : legacyDigest(tx, unsigned, i),
  }))
}

/** Its signature commits to the amount (BIP-143). */
export function isSegwit({ form }: Spend): boolean {
  return form === 'p2wpkh' || form === 'p2sh-p2wpkh'
}

/** The unsigned transaction with the spent script in the empty place of input `i`, then the type. */
function legacyDigest(tx: UtxoTx, unsigned: Uint8Array, i: number): Uint8Array {
  const before = 4 + CompactSize.encode(BigInt(tx.inputs.length)).length
  const at = before + i * (36 + 1 + 4) + 36
  const script = bytesOf(tx.inputs[i]?.script ?? '')
  return sha256x2(
    unsigned.subarray(0, at),
    VarBytes.encode(script),
    unsigned.subarray(at + 1),
    hashTypeAll,
  )
}

/**
 * The digest of BIP-143 for input `i`, unlocked by a key's hash. The three hashes over all inputs and
 * outputs are made once, not once per input.
 */
export function prepareBip143(
  tx: UtxoTx,
  hashType: Uint8Array,
): (i: number, publicKey: Uint8Array) => Uint8Array {
  const inputs = tx.inputs.map(({ txId, index, sequence }) => {
    const finalScriptSig = new Uint8Array()
    const bytes = RawInput.encode({ txid: bytesOf(txId), index, finalScriptSig, sequence })
    return { outpoint: bytes.subarray(0, 36), sequence: bytes.subarray(37) }
  })
  const outputs = tx.outputs.map(({ satoshis, script }) =>
    RawOutput.encode({ amount: satoshis, script: bytesOf(script) }),
  )
  const hashPrevouts = sha256x2(...inputs.map(({ outpoint }) => outpoint))
  const hashSequence = sha256x2(...inputs.map(({ sequence }) => sequence))
  const hashOutputs = sha256x2(...outputs)
  return (i, publicKey) =>
    sha256x2(
      uint32(tx.version),
      hashPrevouts,
      hashSequence,
      inputs[i]?.outpoint ?? new Uint8Array(),
      VarBytes.encode(bytesOf(p2pkhScript(hex(hash160(publicKey))))),
      uint64(tx.inputs[i]?.satoshis ?? 0n),
      inputs[i]?.sequence ?? new Uint8Array(),
      hashOutputs,
      uint32(tx.lockTime),
      hashType,
    )
}

function uint32(value: number): Uint8Array {
  const bytes = new Uint8Array(4)
  new DataView(bytes.buffer).setUint32(0, value, true)
  return bytes
}

function uint64(value: bigint): Uint8Array {
  const bytes = new Uint8Array(8)
  new DataView(bytes.buffer).setBigUint64(0, value, true)
  return bytes
}

export function assembleSigned(
  tx: UtxoTx,
  spends: readonly Spend[],
  signatures: readonly Signature[],
): Signed {
  if (signatures.length !== spends.length) {
    throw new KmsError('unexpected', 'there is not one signature for each input')
  }
  const unlocks = spends.map((spend, i) => unlock(spend, encodeSignature(signatures[i])))
  const bare = unlocks.map(({ scriptSig }) => ({ scriptSig, witness: [] }))
  return { txData: hex(encodeTx(tx, unlocks)), txId: txIdOf(encodeTx(tx, bare)) }
}

function unlock({ form, publicKey }: Spend, signature: Uint8Array): Unlock {
  switch (form) {
    case 'p2pk':
      return { scriptSig: Script.encode([signature]), witness: [] }
    case 'p2pkh':
      return { scriptSig: Script.encode([signature, publicKey]), witness: [] }
    case 'p2wpkh':
      return { scriptSig: new Uint8Array(), witness: [signature, publicKey] }
    case 'p2sh-p2wpkh':
      return {
        scriptSig: Script.encode([redeemScript(publicKey)]),
        witness: [signature, publicKey],
      }
    default:
      return form satisfies never
  }
}

/** Strict DER (BIP-66) and the hash type. */
function encodeSignature(signature: Signature | undefined): Uint8Array {
  const parsed = parseSignature(signature?.bytes ?? new Uint8Array(), 'compact')
  if (parsed === undefined) throw new KmsError('unexpected', 'a signature is not 64 bytes, low s')
  return concat(parsed.toBytes('der'), SIGHASH_ALL)
}

/** Undefined unless r and s are in range and s is low (BIP-62 rule 5, policy on every node). */
function parseSignature(bytes: Uint8Array, format: 'compact' | 'der') {
  try {
    const signature = secp256k1.Signature.fromBytes(bytes, format)
    return signature.hasHighS() ? undefined : signature
  } catch {
    return undefined
  }
}

/**
 * What signed bytes say, in the shape of `tx`; only what the spent outputs were comes from `tx`.
 * Throws unless each input is unlocked exactly as its `spends[i]` asks.
 */
export function readSigned(txData: string, tx: UtxoTx, spends: readonly Spend[]): UtxoTx {
  const { version, inputs, outputs, lockTime } = decodeTx(fromHex(txData) ?? new Uint8Array())
  return {
    version,
    inputs: inputs.map(({ txId, index, sequence, ...unlocked }, i) => {
      const [asked, spend] = [tx.inputs[i], spends[i]]
      if (asked === undefined || spend === undefined || !isUnlocked(spend, unlocked)) {
        throw new KmsError('unexpected', `input ${i} of the signed bytes is not signed as asked`)
      }
      return { txId, index, sequence, satoshis: asked.satoshis, script: asked.script }
    }),
    outputs,
    lockTime,
  }
}

function isUnlocked(spend: Spend, found: Unlock): boolean {
  // In a scriptSig the signature is the first push, of fewer than 76 bytes.
  const pushed = found.scriptSig.subarray(1, 1 + (found.scriptSig[0] ?? 0))
  const signature = isSegwit(spend) ? (found.witness[0] ?? new Uint8Array()) : pushed
  const der = signature.subarray(0, -1)
  const strict = parseSignature(der, 'der')?.toBytes('der')
  if (strict === undefined || !equalBytes(concat(strict, SIGHASH_ALL), signature)) return false
  const expected = unlock(spend, signature)
  return (
    equalBytes(found.scriptSig, expected.scriptSig) &&
    found.witness.length === expected.witness.length &&
    expected.witness.every((item, i) => equalBytes(item, found.witness[i] ?? new Uint8Array()))
  )
}

/** DER with both numbers at their longest (BIP-66, low s), and the hash type. */
const longestSignature = new Uint8Array(72)

/**
 * Virtual bytes of the transaction once signed, at most two less for each input (BIP-141): weight is
 * three times the size without witnesses plus the whole size; four to a vbyte.
 */
export function signedSize(tx: UtxoTx, spends: readonly Spend[]): number {
  const unlocks = spends.map(spend => unlock(spend, longestSignature))
  const size = encodeTx(tx, unlocks).length
  if (unlocks.every(({ witness }) => witness.length === 0)) return size
  const marker = 2
  const witnessBytes = unlocks.reduce((sum, { witness }) => sum + sizeOf(witness), marker)
  return Math.ceil((4 * size - 3 * witnessBytes) / 4)
}

function sizeOf(witness: readonly Uint8Array[]): number {
  return RawWitness.encode([...witness]).length
}
