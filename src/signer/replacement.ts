import { isDeepStrictEqual } from 'node:util'
import { asArray, asRecord, asString, type Json } from '../base/json.ts'

/** What the ledger keeps beside the bytes of a payment; see `factsOf`. */
type Facts = Json

/** Of two payments with one of these, a network takes one at most, whatever else is in them. */
function isExclusive(claim: string): boolean {
  return /^(nonce|sequence|output)\//.test(claim)
}

/** A payment, and what the ledger has of it or would have. */
type Compared = { readonly claims: readonly string[]; readonly facts: unknown }

/**
 * Why `next` is no fee bump of `earlier`; undefined where it is one: the same keys pay the same
 * recipients the same for a higher fee, and with all that the earlier one uses up. With less of it
 * the two, and those that take the place of one of them, might both be carried out.
 */
export function whyNoFeeBump(
  earlier: Compared,
  next: { readonly claims: readonly string[]; readonly facts: Facts; readonly unread: boolean },
): string | undefined {
  const before = asRecord(earlier.facts)
  const after = asRecord(next.facts)
  const isSame = (name: string): boolean => isDeepStrictEqual(before?.get(name), after?.get(name))
  const kind = asString(after?.get('kind')) ?? ''
  if (!kinds.includes(kind) || !isSame('kind') || next.unread) return 'it is not a plain transfer'
  if (!earlier.claims.every(claim => isExclusive(claim) && next.claims.includes(claim))) {
    return 'it does not use all that the other one does'
  }
  if (!isSame('keys') || !isSame('from')) return 'others pay'
  const isChangeFree = next.claims.every(claim => claim.startsWith('output/'))
  if (!isDeepStrictEqual(paid(before, isChangeFree), paid(after, isChangeFree))) {
    return 'recipients, amounts or assets differ'
  }
  return isHigher(feeOf(before), feeOf(after)) ? undefined : 'its fee is not higher'
}

/** Kinds of which the outputs say everything. */
const kinds: readonly string[] = ['transfer', 'token-transfer', 'nft-transfer']

type Members = ReturnType<typeof asRecord>

/** Without the change, where there is such: it follows from the inputs and the fee. */
function paid(facts: Members, isChangeFree: boolean): readonly unknown[] {
  const outputs = asArray(facts?.get('outputs')) ?? []
  return isChangeFree ? outputs.filter(output => asRecord(output)?.get('own') !== true) : outputs
}

type Fee = { readonly amount: bigint; readonly asset: string }

function feeOf(facts: Members): Fee | undefined {
  const fee = asRecord(facts?.get('fee'))
  const amount = asString(fee?.get('amount'))
  const asset = asString(fee?.get('asset'))
  return amount === undefined || asset === undefined ? undefined : { amount: BigInt(amount), asset }
}

function isHigher(before: Fee | undefined, after: Fee | undefined): boolean {
  if (before === undefined || after === undefined) return false
  return before.asset === after.asset && after.amount > before.amount
}
