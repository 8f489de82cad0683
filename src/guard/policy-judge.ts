import type { Cap, Judged, Policy } from './policy.ts'
import { amountUnder, capOwners } from './policy-amounts.ts'
import { matches } from './policy-match.ts'
import type { Verdict } from './verdict.ts'

/** What went out under a cap within its window, of one wallet where each has its own. */
export type Spent = (cap: Cap, owner: string) => bigint

/** A verdict and what it comes from: a rule, a cap or the default. */
export type Judgement = Verdict & { readonly by: string }

/** Approved is what no deny rule matches, what a rule or the default allows, and every cap holds. */
export function judge(policy: Policy, payment: Judged, spent: Spent): Judgement {
  const ruled = judgeByRules(policy, payment)
  if (ruled.kind !== 'approved') return ruled
  const capped = policy.caps.map(cap => judgeByCap(cap, payment, spent))
  return capped.find(judgement => judgement !== undefined) ?? ruled
}

function judgeByRules(policy: Policy, payment: Judged): Judgement {
  const matching = policy.rules.filter(rule => matches(rule, payment))
  const denying = matching.find(({ action }) => action === 'deny')
  if (denying !== undefined) return denied(`rule "${denying.name}"`, 'it denies this payment')
  const [allowing] = matching
  if (allowing !== undefined) return { kind: 'approved', by: `rule "${allowing.name}"` }
  if (policy.default === 'allow') return { kind: 'approved', by: 'default' }
  return denied('default', 'no rule allows this payment')
}

function judgeByCap(cap: Cap, payment: Judged, spent: Spent): Judgement | undefined {
  const { name, asset, transaction, window } = cap
  const by = `cap "${name}"`
  for (const owner of capOwners(cap, payment)) {
    const amount = amountUnder(cap, payment)
    if (amount === 0n) continue
    if (transaction !== undefined && amount > transaction) {
      return denied(by, `${amount} of ${asset} is more than ${transaction} in one payment`)
    }
    if (window !== undefined && spent(cap, owner) + amount > window.total) {
      const whose = owner === '' ? '' : ` of wallet ${owner}`
      return denied(by, `${amount} of ${asset}${whose} is more than its window has room for`)
    }
  }
  return undefined
}

function denied(by: string, reason: string): Judgement {
  return { kind: 'denied', by, reason: `the policy denies it: ${by}: ${reason}` }
}
