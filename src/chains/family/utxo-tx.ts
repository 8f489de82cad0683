import { RawTx } from '@scure/btc-signer'
import { sha256x2 } from '@scure/btc-signer/utils.js'
import { fromHex, hex } from '../../base/bytes.ts'
import { KmsError } from '../../base/errors.ts'

/** An output being spent. Amounts are in satoshi; ids and scripts are lower-case hex. */
export type UtxoInput = {
  /** In display order, as explorers show it. */
  readonly txId: string
  readonly index: number
  readonly sequence: number
  readonly satoshis: bigint
  readonly script: string
}

export type UtxoOutput = { readonly satoshis: bigint; readonly script: string }

/** A transaction without signatures. Scripts are text, so that equal ones are `===`. */
export type UtxoTx = {
  readonly version: number
  readonly inputs: readonly UtxoInput[]
  readonly outputs: readonly UtxoOutput[]
  readonly lockTime: number
}

/** What makes one input valid; both parts are empty in an unsigned transaction. */
export type Unlock = { readonly scriptSig: Uint8Array; readonly witness: readonly Uint8Array[] }

/** A transaction as its bytes say it: without what the spent outputs were. */
export type RawUtxoTx = {
  readonly version: number
  readonly inputs: readonly (Pick<UtxoInput, 'txId' | 'index' | 'sequence'> & Unlock)[]
  readonly outputs: readonly UtxoOutput[]
  readonly lockTime: number
}

const locked: Unlock = { scriptSig: new Uint8Array(), witness: [] }

/** Bytes of `tx`; with the segwit marker (BIP-144) only where an input has a witness. */
export function encodeTx(tx: UtxoTx, unlocks: readonly Unlock[] = []): Uint8Array {
  const witnesses = tx.inputs.map((_, i) => [...(unlocks[i] ?? locked).witness])
  return RawTx.encode({
    // The coder takes the version as a signed number, which is the same four bytes.
    version: tx.version | 0,
    segwitFlag: witnesses.some(witness => witness.length > 0),
    inputs: tx.inputs.map(({ txId, index, sequence }, i) => ({
      txid: bytesOf(txId),
      index,
      finalScriptSig: (unlocks[i] ?? locked).scriptSig,
      sequence,
    })),
    outputs: tx.outputs.map(({ satoshis, script }) => ({
      amount: satoshis,
      script: bytesOf(script),
    })),
    witnesses,
    lockTime: tx.lockTime,
  })
}

/** Throws `transaction-malformed` for anything but one whole transaction. */
export function decodeTx(bytes: Uint8Array): RawUtxoTx {
  const { version, inputs, outputs, witnesses, lockTime } = parseRaw(bytes)
  return {
    version: version >>> 0,
    inputs: inputs.map(({ txid, index, finalScriptSig, sequence }, i) => ({
      txId: hex(txid),
      index,
      sequence,
      scriptSig: finalScriptSig,
      witness: witnesses?.[i] ?? [],
    })),
    outputs: outputs.map(({ amount, script }) => ({ satoshis: amount, script: hex(script) })),
    lockTime,
  }
}

function parseRaw(bytes: Uint8Array): ReturnType<typeof RawTx.decode> {
  try {
    return RawTx.decode(bytes)
  } catch (cause) {
    throw new KmsError('transaction-malformed', 'bytes are not one whole transaction', { cause })
  }
}

/** The id, in display order, of a transaction given without its witnesses. */
export function txIdOf(withoutWitness: Uint8Array): string {
  return hex(sha256x2(withoutWitness).reverse())
}

/** What the inputs hold beyond the outputs; negative when they hold too little. */
export function feeOf(tx: UtxoTx): bigint {
  return totalOf(tx.inputs) - totalOf(tx.outputs)
}

export function totalOf(parts: readonly { readonly satoshis: bigint }[]): bigint {
  return parts.reduce((sum, { satoshis }) => sum + satoshis, 0n)
}

/** Bytes of hex that `decode` of this family let through. */
export function bytesOf(text: string): Uint8Array {
  const bytes = fromHex(text)
  if (bytes === undefined) throw new KmsError('unexpected', 'a script or id is not hex')
  return bytes
}
