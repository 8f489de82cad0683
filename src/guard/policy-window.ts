/** A sum over a stretch of time that moves on. Its memory does not grow with what is added. */
export type RollingSum = {
  add(at: number, amount: bigint): void
  /** What was added within the window before `now`, and up to a hundredth of the window earlier. */
  sum(now: number): bigint
}

/** The window is cut into so many parts, each of which is forgotten as a whole. */
const parts = 100

/** @param ms how long what is added counts at least */
export function createRollingSum(ms: number): RollingSum {
  const width = Math.ceil(ms / parts)
  const sums = new Map<number, bigint>()
  let newest = Number.NEGATIVE_INFINITY
  return {
    add(at, amount) {
      const part = Math.floor(at / width)
      if (part < newest - parts) return
      sums.set(part, (sums.get(part) ?? 0n) + amount)
      if (part <= newest) return
      newest = part
      for (const old of sums.keys()) if (old < newest - parts) sums.delete(old)
    },
    sum(now) {
      const oldest = Math.floor((now - ms) / width)
      let total = 0n
      for (const [part, amount] of sums) if (part >= oldest) total += amount
      return total
    },
  }
}
