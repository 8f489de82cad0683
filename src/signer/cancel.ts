import { KmsError } from '../base/errors.ts'
import type { Signed } from '../base/model.ts'
import type { Chain, Own, Prepared } from '../chains/chain.ts'
import { isReleasable } from './claims.ts'
import {
  factsOf,
  needChain,
  refuseUnlockedMemory,
  requireAll,
  type SignerDeps,
  verifyAll,
} from './job.ts'
import type { LedgerEntry, StoredSignature } from './ledger.ts'
import { cancellationId } from './ledger-ids.ts'
import { nonceOf } from './ledger-tables.ts'
import type { Answers } from './messages.ts'
import { describePayment, historyOf, keysOf } from './ordered-payment.ts'
import { holdKeys, type OwnKey, openKeys, ownKeys } from './own-keys.ts'

/** What the ledger has of the payment to be cancelled, and of what took its place. */
export function findCancellation(deps: SignerDeps): Answers['cancellation'] {
  const id = needId(deps)
  return {
    payment: describePayment(deps, id),
    replacement: replacementIn(deps.ledger.cancellation(id)),
  }
}

/**
 * Cancels the one payment that this signer was started for: from now on nothing of it is signed or
 * handed out. Bytes it has already are replaced by others that use up their number for nothing, where
 * the chain has such numbers; else they are given up. What is answered is in the ledger, for ever.
 *
 * @param price what a unit of gas costs now, in decimals, as far as the front knows
 */
export async function cancelPayment(
  deps: SignerDeps,
  price: string | null,
): Promise<Answers['cancel']> {
  const { ledger } = deps
  const id = needId(deps)
  if (ledger.cancellation(id) === undefined) {
    const stored = historyOf(deps, id).at(-1)
    ledger.commit([await cancellationOf(deps, id, stored, price)])
  }
  return { replacement: replacementIn(ledger.cancellation(id)), released: ledger.released(id) }
}

async function cancellationOf(
  deps: SignerDeps,
  id: string,
  stored: StoredSignature | undefined,
  price: string | null,
): Promise<LedgerEntry> {
  if (stored === undefined) return withoutBytes(deps, id, never, [])
  const chain = needChain(deps, stored.chain)
  if (chain.numbering !== undefined) return replace(deps, id, stored, price)
  const claims = deps.ledger.claims(id)
  // A network that counts takes nothing behind a number that is left out.
  if (claims.some(claim => nonceOf(claim) !== undefined)) {
    throw refused(`a payment of ${chain.name} that was signed cannot be cancelled`)
  }
  return withoutBytes(deps, id, stored, claims.filter(isReleasable))
}

/** Of a payment that was never signed. */
const never = { chain: '', serializedHash: new Uint8Array() } as const

/** Takes the place of a payment without any bytes of its own, so that it is signed no more. */
function withoutBytes(
  { network, now }: SignerDeps,
  id: string,
  { chain, serializedHash }: Pick<StoredSignature, 'chain' | 'serializedHash'>,
  releases: readonly string[],
): LedgerEntry {
  const pendingId = cancellationId(id)
  const signed = { txData: '', txId: '', facts: { cancels: id }, claims: [], releases }
  return { pendingId, chain, network, serializedHash, ...signed, signedAt: now() }
}

async function replace(
  deps: SignerDeps,
  id: string,
  stored: StoredSignature,
  price: string | null,
): Promise<LedgerEntry> {
  const { network, now } = deps
  const chain = needChain(deps, stored.chain)
  if (chain.numbering === undefined) throw refused(`${chain.name} has no replacements`)
  if (price === null) throw refused('a replacement needs the price of gas')
  refuseUnlockedMemory(deps.lockingFailed())
  const owned = await ownKeys(deps, chain, keysOf(deps, id))
  const keys = owned.map(({ publicKey }) => publicKey)
  const own: Own = { network, keys, settings: deps.policy.chainSettings }
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
  using opened = holdKeys()
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
  const owners = claims.map(claim => ledger.claimant(chain, network, claim))
  if (owners.length > 0 && owners.every(owner => owner === pendingId)) return
  const [successor] = owners
  if (successor !== undefined && ledger.claims(pendingId).length === 0) {
    throw refused(`payment ${successor} has taken its place: cancel that one`)
  }
  throw new KmsError('unexpected', 'the ledger does not have the number of these bytes')
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
