import { Script } from '@scure/btc-signer'
import { concat, equalBytes, fromHex, hex } from '../../base/bytes.ts'
import { KmsError } from '../../base/errors.ts'
import type { PublicKey, Signature, Signed, SigningRequest } from '../../base/model.ts'
import { ownScript } from './bch-script.ts'
import { readTransaction } from './bch-text.ts'
import { prepareBip143 } from './utxo-signing.ts'
import { encodeTx, txIdOf, type Unlock, type UtxoTx } from './utxo-tx.ts'

/** SIGHASH_ALL | SIGHASH_FORKID, fork id 0 (spec/replay-protected-sighash.md). */
const hashType = Uint8Array.of(0x41)
const hashTypeWord = Uint8Array.of(0x41, 0, 0, 0)
const signatureLength = 64

/** Input i is signed by key i, which may stand there more than once. */
export function signingRequests(tx: UtxoTx, keys: readonly PublicKey[]): readonly SigningRequest[] {
  const digest = prepareBip143(tx, hashTypeWord)
  const firstAt = new Map<string, number>()
  return keys.map(({ bytes }, i) => {
    // One name for the same key, so that it is opened once however many inputs it signs.
    const key = firstAt.get(hex(bytes)) ?? i
    firstAt.set(hex(bytes), key)
    return { key, algorithm: 'schnorr-bch', message: digest(i, bytes) }
  })
}

export function assembleSigned(
  tx: UtxoTx,
  keys: readonly PublicKey[],
  signatures: readonly Signature[],
): Signed {
  if (signatures.length !== keys.length) {
    throw new KmsError('unexpected', 'there is not one signature for each input')
  }
  if (signatures.some(({ bytes }) => bytes.length !== signatureLength)) {
    throw new KmsError('unexpected', `a signature is not ${signatureLength} bytes`)
  }
  const bytes = encodeTx(
    tx,
    keys.map((key, i) => unlock(key, signatures[i]?.bytes ?? new Uint8Array())),
  )
  return { txData: hex(bytes), txId: txIdOf(bytes) }
}

/** P2PKH; 64 bytes tell the network that it is no ECDSA (2019-05-15-schnorr). */
function unlock({ bytes }: PublicKey, signature: Uint8Array): Unlock {
  return { scriptSig: Script.encode([concat(signature, hashType), bytes]), witness: [] }
}

/**
 * What signed bytes say, in the shape of `tx`; of the spent outputs, which are not in them, only the
 * amounts come from `tx`. Throws unless input i is unlocked by a signature and key i.
 */
export function readSigned(txData: string, tx: UtxoTx, keys: readonly PublicKey[]): UtxoTx {
  const { version, inputs, outputs, lockTime } = readTransaction(
    fromHex(txData) ?? new Uint8Array(),
  )
  return {
    version,
    inputs: inputs.map(({ txId, index, sequence, scriptSig }, i) => {
      const [asked, key] = [tx.inputs[i], keys[i]]
      if (asked === undefined || key === undefined || !isUnlocked(key, scriptSig)) {
        throw new KmsError('unexpected', `input ${i} of the signed bytes is not signed as asked`)
      }
      return { txId, index, sequence, satoshis: asked.satoshis, script: ownScript(key) }
    }),
    outputs,
    lockTime,
  }
}

function isUnlocked(key: PublicKey, scriptSig: Uint8Array): boolean {
  const signature = scriptSig.subarray(1, 1 + signatureLength)
  return equalBytes(scriptSig, unlock(key, signature).scriptSig)
}

/** Bytes of the transaction once signed: a signature is never shorter or longer. */
export function signedSize(tx: UtxoTx, keys: readonly PublicKey[]): number {
  const signature = new Uint8Array(signatureLength)
  return encodeTx(
    tx,
    keys.map(key => unlock(key, signature)),
  ).length
}
