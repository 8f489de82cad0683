import type { Chain } from '../chains/chain.ts'
import { chainNames } from '../chains/names.ts'
import type { Journal } from './journal.ts'

export type ForgettingDeps = {
  readonly journal: Pick<Journal, 'forget'>
  readonly findChain: (id: string) => Chain | undefined
  /** How long a payment that is over stays in the journal. */
  readonly keepPaymentsMs: number
  readonly now: () => number
  readonly monotonic: () => number
}

const everyMs = 60 * 60_000

/**
 * Lets go of payments that were over long ago, so that the journal does not grow for ever: a few rows
 * in a round, and after those nothing for an hour.
 */
export function createForgetting(deps: ForgettingDeps): () => Promise<void> {
  const { journal, keepPaymentsMs, now, monotonic } = deps
  const numbered = chainNames.map(([id]) => id).filter(id => deps.findChain(id)?.numbering)
  let due = monotonic()
  return async () => {
    if (monotonic() < due) return
    const isMore = await journal.forget(now() - keepPaymentsMs, numbered)
    if (!isMore) due = monotonic() + everyMs
  }
}
