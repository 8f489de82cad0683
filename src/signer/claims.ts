import { KmsError } from '../base/errors.ts'
import type { Network } from '../base/model.ts'
import type { Ledger } from './ledger.ts'
import { nonceOf } from './ledger-tables.ts'

/** Which payment of a batch has a nonce or output, before the ledger knows. */
export type BatchClaims = Map<string, string>

export type Claimed = {
  readonly pendingId: string
  readonly chain: string
  readonly network: Network
  readonly claims: readonly string[]
  /** See `Prepared`. */
  readonly isDated: boolean
}

/** How far a nonce may be ahead of the ledger (DESIGN 6): one that is never reached blocks its address. */
const maxNonceLead = 1_000n
/** The most for an address that the ledger does not know: no account has sent that much. */
const maxFirstNonce = 10_000_000n

/** A person took the payment back: nothing of it is signed or handed out any more. */
export function refuseCancelled(ledger: Ledger, pendingId: string): void {
  if (ledger.cancellation(pendingId) === undefined) return
  throw refused('this payment was cancelled by its owner')
}

/**
 * Whether a claim of a payment that a person gave up is free for others: no network carries out two
 * transactions with one sequence number or one output, so that nobody can be paid twice.
 */
export function isReleasable(claim: string): boolean {
  return /^(sequence|output)\//.test(claim)
}

/**
 * Refuses a nonce or an output that another payment has (DESIGN 2), and a nonce out of all
 * proportion, wherever it came from: the front may lie, and so may Tatum.
 *
 * @param acceptNonces addresses whose nonce the owner has looked up
 */
export function refuseClaims(
  { ledger, acceptNonces }: { readonly ledger: Ledger; readonly acceptNonces: readonly string[] },
  { pendingId, chain, network, claims, isDated }: Claimed,
  batch: BatchClaims,
): void {
  for (const claim of claims) {
    const owner = batch.get(`${chain}/${claim}`) ?? ledger.claimant(chain, network, claim)
    // Of a payment that is signed anew: it uses what it has used before.
    if (owner === pendingId) continue
    if (owner !== undefined) throw isDated ? twin(owner) : alreadyUsed(claim, owner)
    const nonce = nonceOf(claim)
    if (nonce === undefined || acceptNonces.includes(nonce.address.toLowerCase())) continue
    const { address, number } = nonce
    refuseFarNonce(number, ledger.nextNonce(chain, network, address))
  }
}

export function takeClaims({ pendingId, chain, claims }: Claimed, batch: BatchClaims): void {
  for (const claim of claims) batch.set(`${chain}/${claim}`, pendingId)
}

function alreadyUsed(claim: string, owner: string): KmsError {
  const hint = isReleasable(claim) ? ` (see tatum-kms tx cancel ${owner})` : ''
  return refused(`${claim} is already used by payment ${owner}${hint}`)
}

/** No refusal: nothing is wrong with the payment, and with a newer block it is another transaction. */
function twin(owner: string): KmsError {
  const reason = `it would be the same transaction as payment ${owner}: it is made of a newer block later`
  return new KmsError('too-early', reason)
}

function refuseFarNonce(nonce: bigint, next: bigint | undefined): void {
  if (next === undefined) {
    if (nonce <= maxFirstNonce) return
    throw refused(
      `nonce ${nonce} is above ${maxFirstNonce}, the most for a new address (see --accept-nonce)`,
    )
  }
  if (nonce <= next + maxNonceLead) return
  throw refused(
    `nonce ${nonce} is more than ${maxNonceLead} ahead of ${next}, the ledger's next (see --accept-nonce)`,
  )
}

function refused(reason: string): KmsError {
  return new KmsError('transaction-refused', reason)
}
