import { createLanes, createTurns, type Lanes, type Turns } from './lanes.ts'

/**
 * The ways of a chain's payments, kept over its cycles: one that stalls holds up the payments behind
 * it in its lane, and neither the others nor the next poll.
 */
export type Roads = {
  /** Payments under way, by pending id, and other work of which there is one at a time. */
  readonly underWay: Set<string>
  readonly signing: Lanes
  readonly delivering: Lanes
  readonly reporting: Lanes
  readonly approvals: Turns
  readonly completions: Turns
  readonly deliveries: Turns
  /** Lanes in which a delivery failed: what is behind it waits for the next cycle. */
  readonly held: Set<string>
  /** When it was last looked whether the payments of a sender have arrived. */
  readonly lookedAt: Map<string, number>
}

/** An approver is somebody's own small server; the others are Tatum's. */
const approvalsAtOnce = 8
const exchangesAtOnce = 16

export function createRoads(): Roads {
  return {
    underWay: new Set(),
    signing: createLanes(),
    delivering: createLanes(),
    reporting: createLanes(),
    approvals: createTurns(approvalsAtOnce),
    completions: createTurns(exchangesAtOnce),
    deliveries: createTurns(exchangesAtOnce),
    held: new Set(),
    lookedAt: new Map(),
  }
}
