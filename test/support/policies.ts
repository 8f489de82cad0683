import type { Output } from '../../src/base/model.ts'
import type { Judged, Policy } from '../../src/guard/policy.ts'
import { readPolicy, type Vocabulary } from '../../src/guard/policy-file.ts'
import { type Judgement, judge, type Spent } from '../../src/guard/policy-judge.ts'

/** The names that the policies of tests use. */
export const vocabulary: Vocabulary = {
  chains: ['BTC', 'ETH', 'XRP', 'XLM', 'XDC', 'SOL', 'KLAY'],
  kinds: ['transfer', 'token-transfer', 'contract-call', 'approve', 'approve-all', 'trust'],
  liftable: ['XRP.SetRegularKey'],
}

/** A policy of these members, which are those of a file. */
export function policyOf(members: object = {}, share?: number): Policy {
  return readPolicy({ version: 1, default: 'deny', ...members }, vocabulary, share)
}

export const walletA = '00000000-0000-4000-8000-00000000000a'
export const walletB = '00000000-0000-4000-8000-00000000000b'

export const alice = '0x9858effd232b4033e47d90003d41ec34ecaeda94'
export const bob = '0x687422eea2cb73b5d3e242ba5456b782919afc85'

export function output(more: Partial<Output> = {}): Output {
  return { to: bob, amount: 100n, asset: 'ETH', own: false, ...more }
}

/** Pays Bob 100 wei for a fee of 7 at most, unless it says otherwise. */
export function payment({
  chain = 'ETH',
  wallets = [walletA],
  ...intent
}: Partial<Judged> & Partial<Judged['intent']> = {}): Judged {
  const usual = { kind: 'transfer', outputs: [output()], fee: { amount: 7n, asset: 'ETH' } }
  return { chain, wallets, intent: { ...usual, ...intent } }
}

export const nothingSpent: Spent = () => 0n

/** What the policy of these members says, with nothing spent before. */
export function verdictOn(members: object, judged: Judged, spent = nothingSpent): Judgement {
  return judge(policyOf(members), judged, spent)
}
