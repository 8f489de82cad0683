import { equalBytes, fromHex } from '../base/bytes.ts'
import { KmsError } from '../base/errors.ts'
import { refuseCancelled } from './claims.ts'
import type { SignerDeps } from './job.ts'
import type { StoredSignature } from './ledger.ts'
import type { LookUp, LookUpResult } from './messages.ts'
import { orRefused } from './refusal.ts'

/** What the ledger has for payments; refuses an id that it has with other contents. */
export function lookUp(
  deps: Pick<SignerDeps, 'ledger' | 'network'>,
  payments: readonly LookUp[],
): readonly LookUpResult[] {
  const known = deps.ledger.known(payments.map(({ pendingId }) => pendingId))
  return payments.map(({ pendingId: id, chain, contents }) => {
    if (!known.has(id)) return { kind: 'none' }
    return orRefused((): LookUpResult => {
      const serializedHash = fromHex(contents) ?? new Uint8Array()
      const stored = storedFor(deps, { pending: { id, chain }, serializedHash })
      if (stored === undefined) return { kind: 'none' }
      return { kind: 'found', txData: stored.txData, txId: stored.txId }
    })
  })
}

/** What the ledger has for a payment; refuses one that it has otherwise. */
export function storedFor(
  deps: Pick<SignerDeps, 'ledger' | 'network'>,
  payment: Contents & { readonly pending: { readonly id: string } },
): StoredSignature | undefined {
  refuseCancelled(deps.ledger, payment.pending.id)
  const stored = deps.ledger.find(payment.pending.id)
  if (stored !== undefined) refuseOtherContents(deps, stored, payment)
  return stored
}

/** One id, one transaction: the same id with other contents is a fault or an attack. */
export function refuseOtherContents(
  { network }: Pick<SignerDeps, 'network'>,
  before: Pick<StoredSignature, 'chain' | 'network' | 'serializedHash'>,
  { pending, serializedHash }: Contents,
): void {
  const isSame =
    before.chain === pending.chain &&
    before.network === network &&
    equalBytes(before.serializedHash, serializedHash)
  if (isSame) return
  throw new KmsError(
    'transaction-refused',
    'this pending id was signed before with another transaction',
  )
}

type Contents = {
  readonly pending: { readonly chain: string }
  readonly serializedHash: Uint8Array
}
