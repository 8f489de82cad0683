import { createLanes, createTurns, type Lanes, type Turns } from './lanes.ts'

/**
 * The ways of a chain's payments, kept over its cycles: one that stalls holds up the payments behind
 * it in its lane, and neither the others nor the next poll.
 */
export type Roads = {
  /** Payments under way, by pending id, and other work of which there is one at a time. */
  readonly underWay: Set<string>
  readonly signing: Lanes
  /** What is being signed, the last of each lane: a number may be given out when it is done. */
  readonly lastSigned: Map<string, Promise<unknown>>
  readonly delivering: Lanes
  readonly reporting: Lanes
  readonly approvals: Turns
  readonly completions: Turns
  readonly deliveries: Turns
  /** Payments that Tatum lists and this daemon has, where others share its journal. */
  readonly shares: Turns
  /** Lanes in which a delivery failed: what is behind it waits for the next cycle. */
  readonly held: Set<string>
  /** When it was last looked whether the payments of a sender have arrived. */
  readonly lookedAt: Map<string, number>
}

/** Answers that take 50 ms: some 1,200 in a second. Those that wait for a person keep a place each. */
const approvalsAtOnce = 64
/** What Tatum is asked at once, per chain. */
const exchangesAtOnce = 32
/** Of daemons that share a journal each has so many; the rest is left to the others. */
const paymentsAtOnce = 200

export function createRoads(): Roads {
  return {
    underWay: new Set(),
    signing: createLanes(),
    lastSigned: new Map(),
    delivering: createLanes(),
    reporting: createLanes(),
    approvals: createTurns(approvalsAtOnce),
    completions: createTurns(exchangesAtOnce),
    deliveries: createTurns(exchangesAtOnce),
    shares: createTurns(paymentsAtOnce),
    held: new Set(),
    lookedAt: new Map(),
  }
}
