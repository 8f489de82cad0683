import { KmsError } from '../../base/errors.ts'
import type { KeyRef, PendingTx, WithdrawalInput } from '../../base/model.ts'

/** The keys a payment names, one for each time it does: keys by id, then keys by id and index. */
export function namedKeys(pending: PendingTx): readonly KeyRef[] {
  const refs = pending.withdrawalId === undefined ? onchainKeys(pending) : offchainKeys(pending)
  if (refs.length === 0) {
    throw new KmsError('transaction-refused', 'the pending transaction names no key to sign with')
  }
  return refs
}

function onchainKeys({ hashes, signatures }: PendingTx): readonly KeyRef[] {
  const indexed = new Set(signatures.map(({ id }) => id))
  return [
    ...hashes.filter(id => !indexed.has(id)).map(signatureId => ({ signatureId })),
    ...signatures.map(({ id, index }) => ({ signatureId: id, index })),
  ]
}

/** Protocol 3.5: the first wallet pays, one derived key per spent deposit. */
function offchainKeys(pending: PendingTx): readonly KeyRef[] {
  const [signatureId] = pending.hashes
  if (signatureId === undefined || pending.withdrawalResponses === undefined) {
    throw new KmsError(
      'transaction-refused',
      'the withdrawal names no wallet or does not say which deposits it spends',
    )
  }
  return depositsOf(pending).map(({ derivationKey }) => ({
    signatureId,
    index: derivationKey ?? 0,
  }))
}

/** The deposits that an off-chain payment spends; the entry '-1' is change for the pool. */
export function depositsOf({ withdrawalResponses = [] }: PendingTx): readonly WithdrawalInput[] {
  return withdrawalResponses.filter(({ vIn }) => vIn !== '-1')
}
