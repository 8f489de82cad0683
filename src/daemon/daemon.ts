import type { Disk } from '../base/disk.ts'
import type { SignerClient } from '../signer/client.ts'
import { arriveWithinMs } from './arrivals.ts'
import { startCycle } from './cycle.ts'
import { createForgetting } from './forgetting.ts'
import { createMemory } from './memory.ts'
import { createPause } from './pause.ts'
import type { Pulse } from './pulse.ts'
import { takeRetries } from './retries.ts'
import { createRhythm } from './rhythm.ts'
import { createRoads } from './roads.ts'
import type { Cycle, CycleDeps, CycleReport, Endings } from './run.ts'
import { watchWallets } from './watch-wallets.ts'

export type DaemonDeps = CycleDeps & {
  readonly signer: SignerClient
  /** The chains to poll; those without a wallet are left out each time. */
  readonly chains: readonly string[]
  /** The wallets to ask Tatum about; undefined for all. */
  readonly onlyWallets?: ReadonlySet<string> | undefined
  readonly periodMs: number
  /** Up to which the period of a chain grows while nothing comes. */
  readonly idlePeriodMs: number
  /** How long a payment that is over stays in the journal. */
  readonly keepPaymentsMs: number
  readonly pulse: Pulse
  /** Where people leave notes for the daemon. */
  readonly disk: Disk
  readonly stateFolder: string
  /** From 0 to 1. */
  readonly random: () => number
}

/** How long payments under way may take once the daemon is to end. */
export const drainMs = 20_000

/**
 * Polls until it is told to stop. A chain whose server is slow is left to it; the others go on, and so
 * do polls of a chain some of whose payments are slow. While journal or ledger cannot be written
 * nothing is started.
 */
export async function runDaemon(deps: DaemonDeps, endings: Endings): Promise<void> {
  const chains = rememberChains(deps)
  const chainsToPoll = watchWallets(deps)
  const polling = new Set<string>()
  const running = new Set<Promise<void>>()
  const faults: unknown[] = []
  const ending = new AbortController()
  const drained = new AbortController()
  const stop = AbortSignal.any([endings.stop, ending.signal])
  const abort = AbortSignal.any([endings.abort, drained.signal])
  const pause = createPause(deps, stop)
  const forgetOld = createForgetting(deps)
  const rounds = (ms: number): number => Math.ceil(ms / deps.periodMs)
  const rhythm = createRhythm(rounds(deps.idlePeriodMs), rounds(arriveWithinMs))
  const phase = createPhases(deps)
  const endWith = (fault: unknown): void => {
    // What comes of being cut off is no fault.
    if (abort.aborted || faults.length > 0 || pause.begin(fault)) return
    faults.push(fault)
    ending.abort()
    void deps.sleep(drainMs, abort).then(() => drained.abort())
  }
  const start = (cycle: Cycle): void => {
    if (stop.aborted) return
    const ends = { stop: pause.nextStop(), abort }
    const { dispatched, done } = startCycle(deps, cycle, ends, endWith)
    void dispatched.then(brought => {
      polling.delete(cycle.chain)
      rhythm.brought(cycle.chain, brought)
    })
    const ended: Promise<void> = done.then(() => {}, endWith)
    running.add(ended)
    void ended.then(() => running.delete(ended))
  }

  while (!stop.aborted) {
    try {
      await pause.tryToEnd()
      await forgetOld()
      for (const { id, chain } of await takeRetries(deps)) {
        chains(chain).memory.urge(id)
        rhythm.wake(chain)
      }
      const wanted = await chainsToPoll()
      deps.observer.follow(wanted)
      for (const [chain, walletIds] of wanted) {
        if (polling.has(chain) || !rhythm.isDue(chain, walletIds)) continue
        polling.add(chain)
        void phase(chain, stop).then(() => start({ chain, walletIds, ...chains(chain) }))
      }
    } catch (fault) {
      endWith(fault)
    }
    await rest(deps, stop).catch(endWith)
  }
  await Promise.all(running)
  const [first] = faults
  if (first !== undefined) throw first
}

/** One cycle of each chain, for `--run-once`. */
export async function runOnce(deps: DaemonDeps, endings: Endings): Promise<CycleReport> {
  const chains = rememberChains(deps)
  // Nothing has been tried yet that it could be too early for.
  await takeRetries(deps)
  const toPoll = await watchWallets(deps)()
  deps.observer.follow(toPoll)
  await deps.pulse.tell()
  const cycles = [...toPoll].map(([chain, walletIds]) => {
    const cycle = { chain, walletIds, ...chains(chain) }
    return startCycle(deps, cycle, endings, () => {}).done
  })
  // A fault of one chain does not cut the others off: they have payments under way.
  await Promise.allSettled(cycles)
  const reports = await Promise.all(cycles)
  await deps.pulse.tell()
  return {
    sent: reports.reduce((sum, { sent }) => sum + sent, 0),
    uncompleted: reports.reduce((sum, { uncompleted }) => sum + uncompleted, 0),
    failures: [
      // What was not even tried must not look as if nothing had waited.
      ...(endings.stop.aborted ? (['terminated'] as const) : []),
      ...reports.flatMap(({ failures }) => failures),
    ],
  }
}

/** Waits for the next round in parts, so that there is a sign of life in between. */
async function rest({ pulse, periodMs, sleep }: DaemonDeps, stop: AbortSignal): Promise<void> {
  for (let left = periodMs; left > 0 && !stop.aborted; left -= pulse.everyMs) {
    await pulse.beat()
    await sleep(Math.min(left, pulse.everyMs), stop)
  }
}

/** Each chain has its own instant within a round: a server does not get all polls at once. */
function createPhases({ periodMs, random, sleep }: DaemonDeps) {
  const phases = new Map<string, number>()
  return async (chain: string, stop: AbortSignal): Promise<void> => {
    const wait = phases.get(chain) ?? Math.floor((random() * periodMs) / 2)
    phases.set(chain, wait)
    if (wait > 0) await sleep(wait, stop)
  }
}

/** What the cycles of a chain hand on to each other. */
type Kept = Pick<Cycle, 'memory' | 'roads'>

function rememberChains({ periodMs }: DaemonDeps): (chain: string) => Kept {
  const all = new Map<string, Kept>()
  return chain => {
    const kept = all.get(chain) ?? { memory: createMemory(periodMs), roads: createRoads() }
    all.set(chain, kept)
    return kept
  }
}
