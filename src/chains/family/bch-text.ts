import { fromHex } from '../../base/bytes.ts'
import { KmsError } from '../../base/errors.ts'
import type { PendingTx, PublicKey } from '../../base/model.ts'
import { ownScript } from './bch-script.ts'
import { malformed, refused } from './refusals.ts'
import { maxTxSize, refuseImpossible } from './utxo-checks.ts'
import { depositsOf } from './utxo-keys.ts'
import { decodeTx, type RawUtxoTx, type UtxoTx } from './utxo-tx.ts'

/** The original writes and signs this version, whatever it was given (protocol 3.3). */
const signedVersion = 2

const maxAmount = 21n * 10n ** 14n

/**
 * Reads `<unsigned transaction, hex>:[<satoshi of each input>]` (protocol 3.3). What the inputs spend
 * is not in the text: outputs of `keys`, one for one.
 */
export function decodeBchText(serialized: string, keys: readonly PublicKey[]): UtxoTx {
  const colon = serialized.indexOf(':')
  if (colon === -1) throw malformed('there is no colon between the transaction and its amounts')
  const raw = readUnsigned(serialized.slice(0, colon))
  const amounts = readAmounts(serialized.slice(colon + 1), raw.inputs.length)
  refuseCount('keys', keys.length, raw.inputs.length)
  const tx = {
    version: signedVersion,
    inputs: raw.inputs.map(({ txId, index, sequence }, i) => ({
      txId,
      index,
      sequence,
      ...spentBy(keys[i], amounts[i]),
    })),
    outputs: raw.outputs,
    lockTime: raw.lockTime,
  }
  refuseImpossible(tx, maxAmount)
  return tx
}

function spentBy(key: PublicKey | undefined, satoshis: bigint | undefined) {
  if (key === undefined || satoshis === undefined) {
    throw new KmsError('unexpected', 'an input has no key or no amount')
  }
  return { satoshis, script: ownScript(key) }
}

function readUnsigned(text: string): RawUtxoTx {
  if (text.length > 2 * maxTxSize) {
    throw refused(`the transaction is larger than ${maxTxSize} bytes`)
  }
  const bytes = fromHex(text)
  if (bytes === undefined) throw malformed('the transaction is not hex')
  const tx = readTransaction(bytes)
  if (tx.outputs.length === 0) throw malformed('the transaction has no outputs')
  for (const [i, { scriptSig }] of tx.inputs.entries()) {
    if (scriptSig.length > 0) {
      throw refused(`inputs[${i}].script is not empty, but the transaction is to be signed here`)
    }
  }
  for (const [i, { satoshis }] of tx.outputs.entries()) {
    if (satoshis > maxAmount) throw malformed(`outputs[${i}] pays more than ${maxAmount} satoshi`)
  }
  return tx
}

/** Bytes of a transaction without the segwit form, whose marker says here: no inputs (BIP-144). */
export function readTransaction(bytes: Uint8Array): RawUtxoTx {
  if (bytes[4] === 0) throw malformed('the transaction has no inputs')
  return decodeTx(bytes)
}

/** Read as text, so that no amount goes through a float. */
function readAmounts(text: string, inputs: number): readonly bigint[] {
  const list = /^[ \t\r\n]*\[([^[\]]*)\][ \t\r\n]*$/.exec(text)?.[1]
  if (list === undefined) throw malformed('the amounts are not a JSON list')
  const amounts = list.split(',')
  refuseCount('amounts', amounts.length, inputs)
  return amounts.map((amount, i) => {
    const digits = /^[ \t\r\n]*(0|[1-9][0-9]{0,15})[ \t\r\n]*$/.exec(amount)?.[1]
    const satoshis = digits === undefined ? undefined : BigInt(digits)
    if (satoshis === undefined || satoshis > maxAmount) {
      throw malformed(`amounts[${i}] is not a whole number from 0 to ${maxAmount}`)
    }
    return satoshis
  })
}

function refuseCount(of: 'keys' | 'amounts', given: number, inputs: number): void {
  if (given === inputs) return
  throw refused(`the number of ${of} is ${given}, of inputs ${inputs}: each input has its own`)
}

/**
 * Protocol 3.5: the deposits of a withdrawal stand in the order of the inputs; each names the key of
 * its input. One that names another output is of another payment.
 */
export function refuseOtherDeposits(tx: UtxoTx, pending: PendingTx): void {
  if (pending.withdrawalId === undefined) return
  for (const [i, { vIn, vInIndex }] of depositsOf(pending).entries()) {
    const input = tx.inputs[i]
    const isSame = vIn.toLowerCase() === input?.txId && (vInIndex ?? input.index) === input.index
    if (!isSame) throw refused(`input ${i} is not the deposit that the withdrawal names for it`)
  }
}
