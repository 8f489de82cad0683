import { KmsError } from '../base/errors.ts'
import type { Json } from '../base/json.ts'
import type { Network } from '../base/model.ts'
import type { Ledger } from './ledger.ts'
import { nonceOf } from './ledger-tables.ts'
import { whyNoFeeBump } from './replacement.ts'

/** Which payment of a batch has a nonce or output, before the ledger knows. */
export type BatchClaims = Map<string, string>

export type Claimed = {
  readonly pendingId: string
  readonly chain: string
  readonly network: Network
  readonly claims: readonly string[]
  /** See `Prepared`. */
  readonly isDated: boolean
  /** What the ledger is to keep of it; see `factsOf`. */
  readonly facts: Json
  /** See `Intent`. */
  readonly unread: boolean
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

export type ClaimRules = {
  readonly ledger: Ledger
  /** Addresses whose nonce the owner has looked up. */
  readonly acceptNonces: readonly string[]
  /** A payment may take the place of another one that it is a fee bump of. */
  readonly allowReplacement: boolean
  /** Signers on other machines use numbers of these addresses: this ledger has not seen them. */
  readonly othersSign?: boolean
}

/**
 * Refuses a nonce or an output that another payment has (DESIGN 2), and a nonce out of all
 * proportion, wherever it came from: the front may lie, and so may Tatum. Answers the claims that
 * the payment takes over from the one whose place it takes, as a rule none.
 */
export function settleClaims(
  rules: ClaimRules,
  payment: Claimed,
  batch: BatchClaims,
): readonly string[] {
  const { ledger, acceptNonces, othersSign = false } = rules
  const { pendingId, chain, network, claims } = payment
  const taken: string[] = []
  const earlier = new Set<string>()
  for (const claim of claims) {
    const owner = batch.get(`${chain}/${claim}`) ?? ledger.claimant(chain, network, claim)
    // Of a payment that is signed anew: it uses what it has used before.
    if (owner === pendingId) continue
    if (owner !== undefined) {
      refuseTaken(rules, payment, { claim, owner, isInBatch: batch.has(`${chain}/${claim}`) })
      earlier.add(owner)
      if (earlier.size > 1) throw alreadyUsed(claim, owner, 'one payment replaces one other')
      taken.push(claim)
      continue
    }
    const nonce = nonceOf(claim)
    if (nonce === undefined || acceptNonces.includes(nonce.address.toLowerCase())) continue
    const { address, number } = nonce
    if (othersSign && number <= maxFirstNonce) continue
    refuseFarNonce(number, ledger.nextNonce(chain, network, address))
  }
  return taken
}

export function takeClaims({ pendingId, chain, claims }: Claimed, batch: BatchClaims): void {
  for (const claim of claims) batch.set(`${chain}/${claim}`, pendingId)
}

type Taken = { readonly claim: string; readonly owner: string; readonly isInBatch: boolean }

/** Unless the payment may take the place of the one that has the claim. */
function refuseTaken(
  { ledger, allowReplacement }: ClaimRules,
  { claims, facts, unread, isDated }: Claimed,
  { claim, owner, isInBatch }: Taken,
): void {
  if (isDated) throw twin(owner)
  // What is signed at the same moment is not in the ledger yet: a later try finds it there.
  if (isInBatch || ledger.cancellation(owner) !== undefined) throw alreadyUsed(claim, owner)
  const earlier = { claims: ledger.claims(owner), facts: ledger.facts(owner) }
  const why = whyNoFeeBump(earlier, { claims, facts, unread })
  if (why === undefined && allowReplacement) return
  if (why === undefined) throw alreadyUsed(claim, owner, 'to pay a higher fee: --allow-replacement')
  throw alreadyUsed(claim, owner, allowReplacement ? `no replacement: ${why}` : undefined)
}

function alreadyUsed(claim: string, owner: string, more?: string): KmsError {
  const hint = isReleasable(claim) ? `see tatum-kms tx cancel ${owner}` : undefined
  const remarks = [hint, more].filter(remark => remark !== undefined).join('; ')
  const remark = remarks === '' ? '' : ` (${remarks})`
  return refused(`${claim} is already used by payment ${owner}${remark}`)
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
