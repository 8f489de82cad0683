import type { Cap, Judged } from './policy.ts'
import { amountUnder, capOwners } from './policy-amounts.ts'
import type { Spent } from './policy-judge.ts'
import { createRollingSum, type RollingSum } from './policy-window.ts'

/** What went out under each cap that has a window, by the clock of whoever counts. */
export type Sums = {
  count(payment: Judged, at: number): void
  spentAt(now: number): Spent
}

const fewest = 1_000

export function createSums(caps: readonly Cap[]): Sums {
  const sums = new Map<string, RollingSum>()
  let most = fewest
  /** Where each wallet has a sum, those that paid nothing lately need none. */
  const forgetIdle = (now: number): void => {
    for (const [key, sum] of sums) if (sum.sum(now) === 0n) sums.delete(key)
    most = Math.max(fewest, 2 * sums.size)
  }
  return {
    count(payment, at) {
      for (const cap of caps) {
        if (cap.window === undefined) continue
        const amount = amountUnder(cap, payment)
        if (amount === 0n) continue
        for (const owner of capOwners(cap, payment)) {
          const sum = sums.get(keyOf(cap, owner)) ?? createRollingSum(cap.window.ms)
          sum.add(at, amount)
          sums.set(keyOf(cap, owner), sum)
        }
      }
      if (sums.size > most) forgetIdle(at)
    },
    spentAt: now => (cap, owner) => sums.get(keyOf(cap, owner))?.sum(now) ?? 0n,
  }
}

/** Names of caps are told apart by the file; no owner has a slash in it. */
function keyOf({ name }: Cap, owner: string): string {
  return `${owner}/${name}`
}
