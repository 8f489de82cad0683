import type { KeyRef } from '../base/model.ts'

/**
 * Runs `check`, which verifies the signatures of a payment made with `keys`, when it is due: for the
 * first payment of each wallet in the signer's life, and for one payment in 64. Checking every one
 * would cost three quarters of the throughput; a wallet whose keys are not those of its public side is
 * found at once.
 */
export type SpotCheck = (keys: readonly KeyRef[], check: () => void) => void

const checkEvery = 64
/** The memory of a signer that runs for years; forgetting costs a check more. */
const maxKnown = 100_000

export function createSpotCheck(): SpotCheck {
  const known = new Set<string>()
  let payments = 0
  return (keys, check) => {
    const fresh = keys.map(({ signatureId }) => signatureId).filter(id => !known.has(id))
    const isTurn = payments++ % checkEvery === 0
    if (!isTurn && fresh.length === 0) return
    check()
    // Only now: a wallet that failed is checked again the next time.
    if (known.size + fresh.length > maxKnown) known.clear()
    for (const id of fresh) known.add(id)
  }
}
