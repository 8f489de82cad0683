import { hex } from '../base/bytes.ts'
import { KmsError } from '../base/errors.ts'
import { asArray, asRecord } from '../base/json.ts'
import type { KeyRef } from '../base/model.ts'
import type { SignerDeps } from './job.ts'
import type { StoredSignature } from './ledger.ts'
import { decodeKeyRef, type OrderedPayment } from './messages.ts'

type LedgerDeps = Pick<SignerDeps, 'ledger' | 'network'>

/** What the ledger has of the payment that a person gave an order about; null where nothing. */
export function describePayment(deps: LedgerDeps, id: string): OrderedPayment | null {
  const history = historyOf(deps, id)
  const [newest, before = null] = history.toReversed()
  if (newest === undefined) return null
  const wallets = new Set(keysOf(deps, id).map(({ signatureId }) => signatureId))
  return {
    chain: newest.chain,
    contents: hex(newest.serializedHash),
    txData: newest.txData,
    txId: newest.txId,
    before: before && { txData: before.txData, txId: before.txId },
    wallets: [...wallets],
  }
}

/** All bytes of the payment, the oldest first. */
export function historyOf({ ledger, network }: LedgerDeps, id: string): readonly StoredSignature[] {
  const history = ledger.history(id)
  const [first] = history
  if (first === undefined || first.network === network) return history
  const reason = `this payment is one of ${first.network}, not of ${network}`
  throw new KmsError('transaction-refused', reason)
}

/** The keys it was signed with. */
export function keysOf({ ledger }: Pick<SignerDeps, 'ledger'>, id: string): readonly KeyRef[] {
  const keys = asArray(asRecord(ledger.facts(id))?.get('keys')) ?? []
  return keys.map(decodeKeyRef)
}
