import type { Metrics } from './metrics.ts'

/** What a try of a payment came to; one that is tried again counts again. */
export type PaymentOutcome =
  | 'signed'
  | 'sent'
  | 'unconfirmed'
  | 'denied'
  | 'policy_denied'
  | 'refused'
  | 'failed'
  | 'expired'

/** What is known of a chain's polls, for whoever looks after the daemon. */
export type ChainFacts = {
  readonly chain: string
  /** False where it has no wallet to ask about, but bytes that are still to go out. */
  readonly isPolled: boolean
  /** Milliseconds since 1970, and what came of it; null before the first one. */
  readonly polledAt: number | null
  readonly outcome: 'ok' | 'failed' | null
  /** Milliseconds since the last one that worked; null when none has. */
  readonly age: number | null
  readonly listed: number
  readonly unsent: number
}

/** Hears of all that happens to payments, and answers how the daemon is. */
export type Observer = {
  payment(chain: string, outcome: PaymentOutcome): void
  polled(chain: string, outcome: 'ok' | 'failed', listed: number): void
  /** Payments whose bytes may not have arrived. */
  unsent(chain: string, ids: readonly string[]): void
  pastExpiry(chain: string): void
  reportsPending(chain: string, count: number): void
  /** From now on these chains are looked after, and no others; those with wallets are polled. */
  follow(wallets: ReadonlyMap<string, readonly string[]>): void
  chains(): readonly ChainFacts[]
  outcomes(): Readonly<Record<string, number>>
  /** Sets what changes by time passing. */
  refresh(): void
}

type Times = {
  /** Milliseconds since 1970. */
  readonly now: () => number
  /** Milliseconds since some time, whatever the clock is set to. */
  readonly monotonic: () => number
}

export function createObserver(metrics: Metrics, { now, monotonic }: Times): Observer {
  const known = new Map<string, Known>()
  const outcomes = new Map<PaymentOutcome, number>()
  const chainOf = (chain: string): Known => {
    const found = known.get(chain) ?? newChain(monotonic())
    known.set(chain, found)
    return found
  }
  return {
    payment(chain, outcome) {
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1)
      metrics.count('payments_total', { chain, outcome })
    },
    polled(chain, outcome, listed) {
      const facts = chainOf(chain)
      Object.assign(facts, { polledAt: now(), outcome })
      if (outcome === 'ok') Object.assign(facts, { workedAt: monotonic(), listed })
      metrics.count('polls_total', { chain, outcome })
    },
    unsent(chain, ids) {
      const before = chainOf(chain).unsent
      const time = monotonic()
      chainOf(chain).unsent = new Map(ids.map(id => [id, before.get(id) ?? time]))
    },
    pastExpiry: chain => metrics.count('payments_past_expiry_total', { chain }),
    reportsPending: (chain, count) => metrics.set('reports_pending', { chain }, count),
    follow(wallets) {
      for (const chain of known.keys()) if (!wallets.has(chain)) known.delete(chain)
      for (const [chain, { length }] of wallets) {
        const facts = chainOf(chain)
        facts.isPolled = length > 0
        // Should it have wallets again, its polls begin then.
        if (length === 0) Object.assign(facts, { since: monotonic(), workedAt: null })
      }
    },
    chains: () => [...known].map(([chain, facts]) => factsOf(chain, facts, monotonic())),
    outcomes: () => Object.fromEntries(outcomes),
    refresh: () => setGauges(metrics, known, monotonic()),
  }
}

type Known = {
  isPolled: boolean
  polledAt: number | null
  outcome: 'ok' | 'failed' | null
  readonly since: number
  workedAt: number | null
  listed: number
  /** By pending id, since when. */
  unsent: ReadonlyMap<string, number>
}

function newChain(since: number): Known {
  const polls = { isPolled: true, polledAt: null, outcome: null, since, workedAt: null }
  return { ...polls, listed: 0, unsent: new Map() }
}

function factsOf(chain: string, facts: Known, time: number): ChainFacts {
  const { isPolled, polledAt, outcome, workedAt, listed, unsent } = facts
  const age = workedAt === null ? null : time - workedAt
  return { chain, isPolled, polledAt, outcome, age, listed, unsent: unsent.size }
}

function setGauges(metrics: Metrics, known: ReadonlyMap<string, Known>, time: number): void {
  const ofChains = [
    'payments_listed',
    'payments_unsent',
    'oldest_unsent_seconds',
    'poll_age_seconds',
  ] as const
  // Of a chain that is not polled any more nothing is left that could raise an alarm.
  for (const name of ofChains) metrics.clear(name)
  for (const [chain, { isPolled, since, workedAt, listed, unsent }] of known) {
    const oldest = unsent.values().reduce((a, b) => Math.min(a, b), time)
    metrics.set('payments_listed', { chain }, listed)
    metrics.set('payments_unsent', { chain }, unsent.size)
    metrics.set('oldest_unsent_seconds', { chain }, (time - oldest) / 1000)
    const age = (time - (workedAt ?? since)) / 1000
    if (isPolled) metrics.set('poll_age_seconds', { chain }, age)
  }
}
