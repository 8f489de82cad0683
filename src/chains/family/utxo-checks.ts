import { refused } from './refusals.ts'
import { isWitnessProgram } from './utxo-script.ts'
import { feeOf, totalOf, type UtxoInput, type UtxoTx } from './utxo-tx.ts'

/**
 * Virtual bytes above which no node relays a transaction: 400,000 weight units, four to the byte
 * (Bitcoin Core, MAX_STANDARD_TX_WEIGHT). It also bounds legacy hashing, which is quadratic.
 */
export const maxTxSize = 100_000

/** One that was signed and is relayed by nobody would hold what it spends for ever. */
export function refuseTooLarge(signedSize: number): void {
  if (signedSize <= maxTxSize) return
  throw refused(`the signed transaction would have ${signedSize} bytes, the most is ${maxTxSize}`)
}

/** Refuses what no node of a chain with at most `maxAmount` satoshi would take. */
export function refuseImpossible(tx: UtxoTx, maxAmount: bigint): void {
  refuseRepeatedInputs(tx.inputs)
  // Consensus of all these chains: the sum of the inputs is an amount, too (MoneyRange).
  if (totalOf(tx.inputs) > maxAmount) throw refused('the inputs hold more than there can be')
  if (feeOf(tx) < 0n) throw refused('the outputs hold more than the inputs')
}

function refuseRepeatedInputs(inputs: readonly UtxoInput[]): void {
  const seen = new Set<string>()
  for (const [i, { txId, index }] of inputs.entries()) {
    const outpoint = `${txId}:${index}`
    if (seen.has(outpoint)) throw refused(`inputs[${i}] spends an output a second time`)
    seen.add(outpoint)
  }
}

/** Without segwit anybody can spend what a witness program holds, and no node relays it. */
export function refuseWitnessOutputs({ outputs }: UtxoTx): void {
  const lost = outputs.findIndex(({ script }) => isWitnessProgram(script))
  if (lost !== -1) throw refused(`output ${lost} needs segwit, which this chain lacks`)
}
