import { KmsError } from '../../base/errors.ts'
import type { KeyRef, PendingTx, PublicKey, Signature } from '../../base/model.ts'
import type { Own } from '../chain.ts'

/** A chain on which one key signs one message: the original takes the first of several, too. */
export function firstKey({ hashes, signatures, index }: PendingTx): readonly KeyRef[] {
  const [signatureId] = hashes
  if (signatureId !== undefined) return [{ signatureId, ...(index !== undefined && { index }) }]
  const [derived] = signatures
  if (derived !== undefined) return [{ signatureId: derived.id, index: derived.index }]
  throw new KmsError('transaction-refused', 'the pending transaction names no wallet to sign with')
}

export function ownKey({ keys: [key] }: Own): PublicKey {
  if (key === undefined) throw new KmsError('unexpected', 'a transaction came without its key')
  return key
}

export function onlySignature(signatures: readonly Signature[]): Signature {
  const [signature, ...rest] = signatures
  if (signature === undefined || rest.length > 0) {
    throw new KmsError('unexpected', 'a transaction of this chain takes one signature')
  }
  return signature
}
