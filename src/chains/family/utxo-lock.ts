import type { Intent } from '../../base/model.ts'
import type { UtxoInput, UtxoTx } from './utxo-tx.ts'

/** Bitcoin Core, LOCKTIME_THRESHOLD: lock times below are heights of blocks, others are seconds. */
const firstTime = 500_000_000
/** CTxIn::SEQUENCE_FINAL; where all inputs have it, nobody looks at the lock time. */
const finalSequence = 0xffff_ffff

/** BIP-68 */
const relativeLock = { disabled: 1 << 31, seconds: 1 << 22, length: 0xffff, secondsPerUnit: 512 }

/** What keeps a transaction out of blocks, where anything does. */
export function describeLocks(tx: UtxoTx): Pick<Intent, 'notBefore'> & {
  readonly words: readonly string[]
} {
  const { version, inputs, lockTime } = tx
  const isLocked = lockTime > 0 && inputs.some(({ sequence }) => sequence !== finalSequence)
  const isTime = isLocked && lockTime >= firstTime
  const after = version < 2 ? [] : inputs.flatMap(describeRelative)
  return {
    ...(isTime && { notBefore: lockTime * 1000 }),
    words: [
      ...(isLocked && !isTime ? [`locked until block ${lockTime}`] : []),
      ...new Set(after.map(time => `an input locked for ${time}`)),
    ],
  }
}

/** How long after the block of what it spends an input is locked. */
function describeRelative({ sequence }: UtxoInput): readonly string[] {
  const { disabled, seconds, length, secondsPerUnit } = relativeLock
  const units = sequence & length
  if ((sequence & disabled) !== 0 || units === 0) return []
  return [(sequence & seconds) === 0 ? `${units} blocks` : `${units * secondsPerUnit} seconds`]
}
