import { lookForArrivals } from './arrivals.ts'
import { isSigned, type SignedRow } from './journal.ts'
import { createTurns } from './lanes.ts'
import { closeExpired, pay, sendAgain } from './pay.ts'
import { lookOver, type Reviewed } from './payment.ts'
import { type Entry, poll } from './poll.ts'
import { sendReports } from './reports.ts'
import {
  attempt,
  type Cycle,
  type CycleDeps,
  type CycleReport,
  type Endings,
  type Run,
} from './run.ts'

type StartedCycle = {
  /** All that the poll brought is on its way: the chain may be polled again. Never rejects. */
  readonly dispatched: Promise<void>
  /** Nothing of it is under way any more. Rejects with the fault that ended it, if one did. */
  readonly done: Promise<CycleReport>
}

/**
 * Polls one chain, pays what waits there, and sends again what may not have arrived.
 *
 * @param onFault hears at once of a fault that the daemon cannot go on with
 */
export function startCycle(
  deps: CycleDeps,
  cycle: Cycle,
  { stop, abort }: Endings,
  onFault: (fault: unknown) => void,
): StartedCycle {
  const { memory, roads } = cycle
  const tally: Run['tally'] = { sent: 0, uncompleted: 0, failures: [] }
  const faults: unknown[] = []
  const works: Promise<void>[] = []
  const run: Run = { deps, cycle, abort, tally, isOver: () => stop.aborted || faults.length > 0 }
  const fail = (fault: unknown): void => {
    faults.push(fault)
    onFault(fault)
  }
  const start: Start = (id, work) => {
    roads.underWay.add(id)
    const ended = work.catch(fail).finally(() => roads.underWay.delete(id))
    works.push(ended)
  }

  const dispatched = dispatch(run, stop, start).catch(fail)
  const finish = async (): Promise<CycleReport> => {
    await dispatched
    await Promise.all(works)
    if (faults.length > 0) throw faults[0]
    // One after the other, also of different cycles: each failure is reported once.
    await roads.reporting.enter('', () => sendReports(deps, memory, abort))
    return tally
  }
  return { dispatched, done: finish() }
}

/** Lets go of a payment's work and remembers that it is under way. */
type Start = (id: string, work: Promise<void>) => void

async function dispatch(run: Run, stop: Endings['stop'], start: Start): Promise<void> {
  const { deps, cycle } = run
  const { chain, memory, roads } = cycle
  const isWanted = (id: string): boolean => deps.onlyPayments?.has(id) ?? true
  const isDue = (id: string): boolean =>
    isWanted(id) && !busy.has(id) && memory.isDue(id, deps.now())
  roads.held.clear()
  // Before the poll: what ends while Tatum answers is still in the answer.
  const busy = new Set(roads.underWay)
  const polled = await poll(run, stop)
  const rows = (await deps.journal.unsent(chain)).filter(isSigned)
  // A poll that failed does not say what is listed.
  if (polled !== undefined) {
    const listed = [...polled, ...rows.map(({ pendingId: id }) => ({ id }))]
    memory.forgetAllBut([...listed.map(({ id }) => id), ...busy])
  }
  const due = (polled ?? []).filter(({ id }) => isDue(id))
  if (!busy.has(arrivals)) start(arrivals, lookForArrivals(run))
  // First: they were signed before whatever is signed now.
  const again = rows.filter(({ pendingId: id }) => isDue(id))
  for (const row of again) start(row.pendingId, sendAgain(run, row))
  await lookOverAll(run, due, new Set(again.map(({ pendingId: id }) => id)), start)
}

/** No pending id has a space in it. */
const arrivals = 'the arrivals'

/** The signer and the journal are local: nobody waits long for them. */
const lookedOverAtOnce = 16

/** Looks the entries over, some at once, and starts what is to be done in Tatum's order. */
async function lookOverAll(
  run: Run,
  entries: readonly Entry[],
  sending: ReadonlySet<string>,
  start: Start,
): Promise<void> {
  const turns = createTurns(lookedOverAtOnce)
  const looked = entries.map(entry => turns.take(() => look(run, entry)))
  // Waited for in turn; until then a fault is nobody's.
  for (const each of looked) each.catch(() => {})
  try {
    for (const [i, { id }] of entries.entries()) {
      const found = await looked[i]
      if (found === undefined || sending.has(id)) continue
      if ('intent' in found) start(id, pay(run, found))
      else if (found.state === 'expired') closeExpired(run, found)
      else start(id, sendAgain(run, found))
    }
  } finally {
    // What is under way uses the journal, which is closed after a fault.
    await Promise.allSettled(looked)
  }
}

async function look(run: Run, { id, sent }: Entry): Promise<SignedRow | Reviewed | undefined> {
  const { deps, cycle } = run
  if (run.isOver()) return undefined
  const found = await attempt(run, id, 'contents', () => lookOver(deps, cycle.chain, id, sent))
  if (found !== undefined && 'intent' in found) warnPastExpiry(run, found)
  return found
}

/** The network decides what is too late, and clocks differ: it is paid all the same (DESIGN 6). */
function warnPastExpiry({ deps, cycle }: Run, { row, intent }: Reviewed): void {
  const { chain, memory } = cycle
  const { pendingId: id } = row
  if (intent.expiry === undefined || !(intent.expiry <= deps.now())) return
  if (!memory.tell(`${id}/expiry`, 'past')) return
  // A time before 1970 may be one that no calendar has.
  const expiry = new Date(Math.max(intent.expiry, 0)).toISOString()
  deps.log.warning('payment is past its expiry', { id, chain, expiry })
}
