import { hex } from '../base/bytes.ts'
import { KmsError } from '../base/errors.ts'
import { asArray, asRecord } from '../base/json.ts'
import type { KeyRef, Signed } from '../base/model.ts'
import type { Chain, Own, Prepared } from '../chains/chain.ts'
import { cancellationId, type LedgerEntry, type StoredSignature } from './ledger.ts'
import { type Answers, decodeKeyRef } from './messages.ts'
import { type OwnKey, openKeys, ownKeys } from './own-keys.ts'
import {
  factsOf,
  needChain,
  refuseUnlockedMemory,
  requireAll,
  type SignerDeps,
  verifyAll,
} from './sign-batch.ts'

/** What the ledger has of the payment to be cancelled, and of what took its place. */
export function findCancellation(deps: SignerDeps): Answers['cancellation'] {
  const id = needId(deps)
  const stored = findPayment(deps, id)
  return {
    payment: stored && {
      chain: stored.chain,
      contents: hex(stored.serializedHash),
      txData: stored.txData,
      txId: stored.txId,
    },
    replacement: replacementIn(deps.ledger.cancellation(id)),
  }
}

/**
 * Cancels the one payment that this signer was started for: from now on nothing of it is signed or
 * handed out. Bytes it has already are replaced by others that use up their number for nothing. The
 * replacement is in the ledger when it is answered, and the same for ever.
 *
 * @param price what a unit of gas costs now, in decimals, as far as the front knows
 */
export async function cancelPayment(
  deps: SignerDeps,
  price: string | null,
): Promise<Answers['cancel']> {
  const { ledger, network, now } = deps
  const id = needId(deps)
  const before = ledger.cancellation(id)
  if (before !== undefined) return { replacement: replacementIn(before) }
  const stored = findPayment(deps, id)
  const entry: LedgerEntry =
    stored === null
      ? {
          ...nothing,
          pendingId: cancellationId(id),
          network,
          facts: { cancels: id },
          signedAt: now(),
        }
      : await replace(deps, id, stored, price)
  ledger.commit([entry])
  return { replacement: replacementIn(entry) }
}

/** Takes the place of a payment that was never signed, so that it never is. */
const nothing = {
  chain: '',
  serializedHash: new Uint8Array(),
  txData: '',
  txId: '',
  claims: [],
} as const

async function replace(
  deps: SignerDeps,
  id: string,
  stored: StoredSignature,
  price: string | null,
): Promise<LedgerEntry> {
  const { network, now } = deps
  const chain = needChain(deps, stored.chain)
  if (chain.numbering === undefined) throw refused(`a signed payment of ${chain.name} stays one`)
  if (price === null) throw refused('a replacement needs the price of gas')
  refuseUnlockedMemory(deps.lockingFailed())
  const owned = await ownKeys(deps, chain, keysOf(deps, id))
  const keys = owned.map(({ publicKey }) => publicKey)
  const own: Own = { network, keys, settings: deps.chainSettings }
  const prepared = chain.numbering.replace(stored.txData, own, BigInt(price))
  refuseOtherNumber(deps, chain, id, prepared)
  const signed = await sign(deps, chain, { owned, own, prepared })
  return {
    pendingId: cancellationId(id),
    chain: chain.id,
    network,
    serializedHash: stored.serializedHash,
    ...signed,
    facts: { ...factsOf(prepared.intent, owned), cancels: id },
    // Its number stays claimed by the payment: it is declared to take nothing but its place.
    claims: [],
    signedAt: now(),
  }
}

async function sign(
  deps: SignerDeps,
  chain: Chain,
  {
    owned,
    own,
    prepared,
  }: {
    readonly owned: readonly OwnKey[]
    readonly own: Own
    readonly prepared: Prepared
  },
): Promise<Signed> {
  using opened = new DisposableStack()
  const tasks = await openKeys(deps, chain, owned, prepared, opened)
  refuseUnlockedMemory(deps.lockingFailed())
  const signatures = requireAll(await deps.room.signAll(tasks))
  const { txData, txId } = prepared.seal(signatures)
  verifyAll(prepared, signatures, own)
  return { txData, txId }
}

/** A replacement may use what the payment has used, and nothing else. */
function refuseOtherNumber(
  { ledger, network }: SignerDeps,
  { id: chain }: Chain,
  pendingId: string,
  { claims }: Prepared,
): void {
  const isOwned = claims.every(claim => ledger.claimant(chain, network, claim) === pendingId)
  if (claims.length > 0 && isOwned) return
  throw new KmsError('unexpected', 'the ledger does not have the number of these bytes')
}

function keysOf({ ledger }: SignerDeps, id: string): readonly KeyRef[] {
  const keys = asArray(asRecord(ledger.facts(id))?.get('keys')) ?? []
  return keys.map(decodeKeyRef)
}

function findPayment({ ledger, network }: SignerDeps, id: string): StoredSignature | null {
  const stored = ledger.find(id)
  if (stored !== undefined && stored.network !== network) {
    throw refused(`this payment is one of ${stored.network}, not of ${network}`)
  }
  return stored ?? null
}

function replacementIn(entry: Signed | undefined): Signed | null {
  if (entry === undefined || entry.txData === '') return null
  const { txData, txId } = entry
  return { txData, txId }
}

/** The front may have been taken over: which payment is cancelled is none of its business. */
function needId({ cancel }: SignerDeps): string {
  if (cancel !== null) return cancel
  throw refused('this signer was not started to cancel a payment')
}

function refused(reason: string): KmsError {
  return new KmsError('transaction-refused', reason)
}
