/** When a chain is polled: every round, or more rarely while nothing comes (DESIGN 6, `--idle-period`). */
export type Rhythm = {
  /** Whether the chain's turn has come. Called once per round; other wallets than before wake it. */
  isDue(chain: string, walletIds: readonly string[]): boolean
  /** Has it polled in the next round. */
  wake(chain: string): void
  /** What the poll brought: nothing lets the chain rest longer, anything wakes it. */
  brought(chain: string, what: Brought): void
}

/** `arrivals`: nothing, but what was sent is still to be looked for. */
export type Brought = 'payments' | 'arrivals' | 'nothing' | 'unknown'

/**
 * @param longestRest in rounds; 1 polls in every round
 * @param longestWatch as `longestRest`, while there are arrivals to look for
 */
export function createRhythm(longestRest: number, longestWatch: number): Rhythm {
  const longest = {
    payments: 1,
    arrivals: Math.min(longestRest, longestWatch),
    nothing: longestRest,
  }
  const pauses = new Map<string, Pause>()
  return {
    isDue(chain, walletIds) {
      // A new wallet is the last one, and none comes without another number of them.
      const wallets = `${walletIds.length} ${walletIds.at(-1)}`
      const before = pauses.get(chain)
      const pause = before?.wallets === wallets ? before : { wallets, rest: 1, left: 0 }
      pauses.set(chain, pause)
      pause.left--
      if (pause.left > 0) return false
      pause.left = pause.rest
      return true
    },
    wake(chain) {
      const pause = pauses.get(chain)
      if (pause !== undefined) Object.assign(pause, { rest: 1, left: 1 })
    },
    brought(chain, what) {
      const pause = pauses.get(chain)
      if (pause === undefined || what === 'unknown') return
      pause.rest = Math.min(2 * pause.rest, longest[what])
      pause.left = pause.rest
    },
  }
}

/** In rounds: from one poll to the next, and until the next. */
type Pause = { readonly wallets: string; rest: number; left: number }
