/** A compiled program's sources are in a file system of its own. */
export function isCompiled(): boolean {
  return Bun.main.startsWith('/$bunfs/') || /^[A-Z]:[\\/]~BUN/.test(Bun.main)
}

/**
 * What the engine of a process that lives for years is told: its last compiler, which takes longer
 * over a function than a thousand payments do, is to begin when it has run twenty times as often as
 * usual. Measured: an eighth less time for 1,000 payments, and no more for 6,000.
 */
export const engineVariables = { BUN_JSC_thresholdForFTLOptimizeAfterWarmUp: '2000000' } as const
