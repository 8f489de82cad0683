import { asKmsError, KmsError } from '../base/errors.ts'
import type { Network } from '../base/model.ts'
import type { ChainSettings } from '../chains/chain.ts'
import type { Judged, Policy } from '../guard/policy.ts'
import { judge } from '../guard/policy-judge.ts'
import { createSums, type Sums } from '../guard/policy-sums.ts'
import type { Ledger, LedgerEntry } from './ledger.ts'
import { judgedFrom } from './policy-facts.ts'

/** The owner's policy at work: as its file was when it was read last. */
export type SignerPolicy = {
  /** Those from the command line, with what the policy lifts and the fees that it allows. */
  readonly chainSettings: ChainSettings
  /** As the policy is now: what is decided by one batch is decided by one policy. */
  openBatch(): PolicyBatch
  /** Adds what was signed to the sums of windows, once the ledger has it. */
  count(entries: readonly Pick<LedgerEntry, 'chain' | 'facts' | 'signedAt'>[]): void
  /** Reads the file again. One that is wrong changes nothing: a daemon without rules is worse. */
  reload(): void
}

/** Payments that are signed together: under one policy, each finding what those before it take. */
export type PolicyBatch = {
  /** Of the policy that judges here, whatever was read since. */
  readonly chainSettings: ChainSettings
  /** Throws unless the policy approves. */
  refuse(payment: Judged): void
  /** Counts a payment that nothing refuses any more, until the ledger has it. */
  take(payment: Judged): void
}

export type PolicyWorld = {
  readonly ledger: Pick<Ledger, 'signedSince'>
  readonly network: Network
  readonly chainSettings: ChainSettings
  readonly now: () => number
  /** Reads the owner's policy; undefined where there is none. */
  readonly read: () => Policy | undefined
  readonly warn: (text: string) => void
  readonly note: (text: string) => void
  /** The payment that is signed anew: what it was to pay before does not go out beside it. */
  readonly resign: string | null
}

/** @param first undefined where the owner has none: then everything is approved */
export function openPolicy(world: PolicyWorld, first: Policy | undefined): SignerPolicy {
  let current = first && startCounting(world, first)
  return {
    get chainSettings() {
      return settingsUnder(current?.policy, world)
    },
    openBatch: () => (current === undefined ? unjudgedBatch(world) : judgedBatch(current, world)),
    count(entries) {
      for (const { chain, facts, signedAt } of entries) {
        if (current !== undefined) countAt(current, judgedFrom(chain, facts), signedAt)
      }
    },
    reload() {
      try {
        const policy = world.read()
        current = policy && startCounting(world, policy)
        world.note(policy ? `the policy was read again: ${extent(policy)}` : 'there is no policy')
      } catch (thrown) {
        const { message } = asKmsError(thrown)
        world.warn(`the policy was not read again, the one before stays in use: ${message}`)
      }
    },
  }
}

function extent({ rules, caps }: Policy): string {
  return `${rules.length} rules, ${caps.length} caps`
}

function settingsUnder(policy: Policy | undefined, { chainSettings }: PolicyWorld): ChainSettings {
  if (policy === undefined) return chainSettings
  const { lifted, feeCaps } = policy
  return { ...chainSettings, lifted, feeCaps }
}

function unjudgedBatch({ chainSettings }: PolicyWorld): PolicyBatch {
  return { chainSettings, refuse() {}, take() {} }
}

type Counted = {
  readonly policy: Policy
  readonly sums: Sums
  /** A clock that is set back must not empty a window: time goes on from the newest signature. */
  newest: number
}

function startCounting({ ledger, network, now, warn, resign }: PolicyWorld, policy: Policy) {
  const counted: Counted = { policy, sums: createSums(policy.caps), newest: 0 }
  const longest = Math.max(0, ...policy.caps.map(({ window }) => window?.ms ?? 0))
  if (longest === 0) return counted
  for (const row of ledger.signedSince(now() - longest)) {
    const isCounted = row.network === network && row.pendingId !== resign
    if (isCounted) countAt(counted, judgedFrom(row.chain, row.facts), row.signedAt)
  }
  const behind = Math.round((counted.newest - now()) / 1000)
  if (behind > tolerated) {
    warn(
      `the clock is ${behind} seconds behind the newest signature: until it has caught up, what ` +
        'was signed before counts in the windows of the policy as if it were new',
    )
  }
  return counted
}

/** Seconds; clocks are adjusted. */
const tolerated = 60

function countAt(counted: Counted, payment: Judged, signedAt: number): void {
  counted.newest = Math.max(counted.newest, signedAt)
  counted.sums.count(payment, counted.newest)
}

function judgedBatch(counted: Counted, world: PolicyWorld): PolicyBatch {
  const { now } = world
  const { policy, sums } = counted
  const taken = createSums(policy.caps)
  return {
    chainSettings: settingsUnder(policy, world),
    refuse(payment) {
      const time = Math.max(now(), counted.newest)
      const before = sums.spentAt(time)
      const beside = taken.spentAt(time)
      const verdict = judge(policy, payment, (cap, of) => before(cap, of) + beside(cap, of))
      if (verdict.kind !== 'approved') throw new KmsError('policy-denied', verdict.reason)
    },
    take(payment) {
      taken.count(payment, Math.max(now(), counted.newest))
    },
  }
}
