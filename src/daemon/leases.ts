import { KmsError } from '../base/errors.ts'
import { inBatches } from './batches.ts'

/** Keeps daemons that share a journal out of each other's way. */
export type Leases = {
  /** False where one daemon has the journal to itself: then all is granted, and nothing written. */
  readonly isShared: boolean
  /**
   * False while another daemon has it. One that is taken is this daemon's until it is let go, as
   * often as it was taken, or until it is lost: by a process that stood still, or a database that
   * did not answer.
   */
  take(name: string): Promise<boolean>
  letGo(name: string): void
  /** False once it may be another daemon's. Asks nobody. */
  isHeld(name: string): boolean
}

export const alone: Leases = {
  isShared: false,
  take: async () => true,
  letGo: () => {},
  isHeld: () => true,
}

/** Of what is done with one payment. */
export function paymentLease(pendingId: string): string {
  return `payment/${pendingId}`
}

/** Of the payments that a sender numbers: one machine at a time gives out the numbers. */
export function laneLease(chain: string, lane: string): string {
  return `lane/${chain}/${lane}`
}

/** Another daemon has the payment, or may have: nothing has failed. */
export class LeftToOthers extends KmsError {
  constructor(reason = 'another daemon has it') {
    super('too-early', reason)
  }
}

/** A process that stood still may wake up long after its lease: what it had goes on elsewhere. */
export function requireHeld({ isHeld }: Leases, name: string): void {
  if (!isHeld(name)) throw new LeftToOthers()
}

/** Where leases are written down; it goes by its own clock. */
export type LeaseStore = {
  /** Takes those that are free, each under a number that no lease ever had: its epoch. */
  take(names: readonly string[]): Promise<ReadonlyMap<string, Epoch>>
  /** Prolongs those that have not run out, and answers them. */
  renew(epochs: readonly Epoch[]): Promise<ReadonlyMap<string, Epoch>>
  drop(epochs: readonly Epoch[]): Promise<void>
}

export type Epoch = string

export type HeldLeases = Leases & {
  /** What a write must prove to the database; throws once it is lost. */
  epoch(name: string): Epoch
  close(): Promise<void>
}

type Times = {
  readonly leaseMs: number
  readonly monotonic: () => number
  readonly sleep: (ms: number, signal?: AbortSignal) => Promise<void>
}

type Held = { readonly epoch: Epoch; until: number; takers: number }

/** Leases of this process, prolonged as long as it runs. */
export function holdLeases(store: LeaseStore, { leaseMs, monotonic, sleep }: Times): HeldLeases {
  const held = new Map<string, Held>()
  const asked = new Map<string, Promise<boolean>>()
  const dropping = new Map<string, Promise<void>>()
  const closing = new AbortController()
  const isAlive = ({ until }: Held): boolean => monotonic() < until
  const askFor = inBatches(
    async (names: readonly string[]) => {
      const from = monotonic()
      const granted = await store.take(names)
      return names.map(name => ({ epoch: granted.get(name), until: from + leaseMs }))
    },
    { maxItems: 200 },
  )
  const drop = inBatches(
    async (epochs: readonly Epoch[]) => {
      await store.drop(epochs)
      return epochs.map(() => undefined)
    },
    { maxItems: 200 },
  )
  const take = async (name: string): Promise<boolean> => {
    // The table would say that it is taken as long as it is not gone.
    await dropping.get(name)
    const { epoch, until } = await askFor(name)
    if (epoch === undefined) return false
    held.set(name, { epoch, until, takers: 0 })
    return true
  }
  const giveBack = (name: string, { epoch }: Held): void => {
    held.delete(name)
    // One that is not dropped runs out by itself.
    const dropped: Promise<void> = drop(epoch).catch(() => {})
    dropping.set(name, dropped)
    void dropped.then(() => dropping.delete(name))
  }
  const renew = async (): Promise<void> => {
    if (held.size === 0) return
    const from = monotonic()
    // No others of this daemon: what it does not know that it has must run out.
    const granted = await store.renew([...held.values()].map(({ epoch }) => epoch))
    for (const [name, lease] of held) {
      // What has run out meanwhile stays lost: another may have had it.
      if (granted.get(name) === lease.epoch && isAlive(lease)) lease.until = from + leaseMs
    }
  }
  const renewed = keepRenewing(renew, { leaseMs, sleep }, closing.signal)

  return {
    isShared: true,
    async take(name) {
      if (!held.has(name)) {
        const asking = asked.get(name) ?? take(name).finally(() => asked.delete(name))
        asked.set(name, asking)
        if (!(await asking)) return false
      }
      const lease = held.get(name)
      if (lease === undefined) return false
      if (isAlive(lease)) {
        lease.takers++
        return true
      }
      // While a work goes on that has lost it, no other one of this process begins. Where the answer
      // came too late there is no such work, and nobody who would let go.
      if (lease.takers === 0) giveBack(name, lease)
      return false
    },
    letGo(name) {
      const lease = held.get(name)
      if (lease !== undefined && --lease.takers <= 0) giveBack(name, lease)
    },
    isHeld(name) {
      const lease = held.get(name)
      return lease !== undefined && isAlive(lease)
    },
    epoch(name) {
      const lease = held.get(name)
      if (lease !== undefined && isAlive(lease)) return lease.epoch
      throw new LeftToOthers()
    },
    async close() {
      closing.abort()
      await renewed
      const epochs = [...held.values()].map(({ epoch }) => epoch)
      held.clear()
      await Promise.all([...dropping.values(), store.drop(epochs).catch(() => {})])
    },
  }
}

/**
 * Three times before a lease runs out, and more often where it fails at once. A database that does not
 * answer is told of by those who wait for it.
 */
async function keepRenewing(
  renew: () => Promise<void>,
  { leaseMs, sleep }: Pick<Times, 'leaseMs' | 'sleep'>,
  closed: AbortSignal,
): Promise<void> {
  let hasFailed = false
  while (true) {
    await sleep(hasFailed ? leaseMs / 30 : leaseMs / 4, closed)
    if (closed.aborted) return
    hasFailed = await renew().then(
      () => false,
      () => true,
    )
  }
}
