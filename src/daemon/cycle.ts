import { lookForArrivals } from './arrivals.ts'
import { type Hold, holdRows, holdWithRoom } from './hold.ts'
import { isSigned, type PaymentRow, type SignedRow, unsentStates } from './journal.ts'
import { createTurns } from './lanes.ts'
import { closeExpired, pay, sendAgain } from './pay.ts'
import { lookOver, type Reviewed } from './payment.ts'
import { type Entry, poll } from './poll.ts'
import { sendReports } from './reports.ts'
import type { Brought } from './rhythm.ts'
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
  readonly dispatched: Promise<Brought>
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
  const start: Start = (id, work, hold) => {
    roads.underWay.add(id)
    const ended = work.catch(fail).finally(() => {
      roads.underWay.delete(id)
      hold?.letGo()
    })
    works.push(ended)
  }

  const dispatched = dispatch(run, stop, start).catch((fault): Brought => {
    fail(fault)
    return 'unknown'
  })
  const finish = async (): Promise<CycleReport> => {
    await dispatched
    await Promise.all(works)
    if (faults.length > 0) throw faults[0]
    // One after the other, also of different cycles: each failure is reported once.
    await roads.reporting.enter('', () => sendReports(deps, memory, abort))
    deps.observer.reportsPending(cycle.chain, memory.reports.size)
    return tally
  }
  return { dispatched, done: finish() }
}

/** Lets go of a payment's work and remembers that it is under way. */
type Start = (id: string, work: Promise<void>, hold?: Hold) => void

async function dispatch(run: Run, stop: Endings['stop'], start: Start): Promise<Brought> {
  const { deps, cycle } = run
  const { chain, memory, roads } = cycle
  const isWanted = (id: string): boolean => deps.onlyPayments?.has(id) ?? true
  const isDue = (id: string): boolean =>
    isWanted(id) && !busy.has(id) && memory.isDue(id, deps.monotonic())
  roads.held.clear()
  // Before the poll: what ends while Tatum answers is still in the answer.
  const busy = new Set(roads.underWay)
  const polled = await poll(run, stop)
  const rows = (await deps.journal.unsent(chain)).filter(isSigned)
  deps.observer.unsent(
    chain,
    rows.map(({ pendingId: id }) => id),
  )
  // A poll that failed does not say what is listed.
  if (polled !== undefined) {
    const listed = [...polled, ...rows.map(({ pendingId: id }) => ({ id }))]
    memory.forgetAllBut([...listed.map(({ id }) => id), ...busy])
  }
  const due = (polled ?? []).filter(({ id }) => isDue(id))
  if (!busy.has(arrivals)) start(arrivals, lookForArrivals(run))
  // First: they were signed before whatever is signed now.
  const again = rows.filter(({ pendingId: id }) => isDue(id))
  for (const { row, hold } of await holdRows(run, again, ({ state }) =>
    unsentStates.includes(state),
  )) {
    start(row.pendingId, sendAgain(run, row), hold)
  }
  await lookOverAll(run, due, new Set(again.map(({ pendingId: id }) => id)), start)
  if (rows.length > 0 || busy.size > 0) return 'payments'
  if (polled === undefined) return 'unknown'
  if (polled.length > 0) return 'payments'
  const isNumbered = deps.findChain(chain)?.numbering !== undefined
  return isNumbered && (await deps.journal.hasSent(chain)) ? 'arrivals' : 'nothing'
}

/** No pending id has a space in it. */
const arrivals = 'the arrivals'

/** The signer and the journal are local: nobody waits long for them. */
const lookedOverAtOnce = 256

/** Looks the entries over, some at once, and starts what is to be done in Tatum's order. */
async function lookOverAll(
  run: Run,
  entries: readonly Entry[],
  sending: ReadonlySet<string>,
  start: Start,
): Promise<void> {
  const turns = createTurns(lookedOverAtOnce)
  const begun = new Set<Looked>()
  const looked = entries.map(entry => turns.take(() => look(run, entry)))
  // Waited for in turn; until then a fault is nobody's.
  for (const each of looked) each.catch(() => {})
  try {
    for (const [i, { id }] of entries.entries()) {
      const one = await looked[i]
      if (one === undefined) continue
      begun.add(one)
      const { found, hold } = one
      if (sending.has(id)) hold.letGo()
      else if ('intent' in found) start(id, pay(run, found), hold)
      else if (found.state !== 'expired') start(id, sendAgain(run, found), hold)
      else {
        closeExpired(run, found)
        hold.letGo()
      }
    }
  } finally {
    // What is under way uses the journal, which is closed after a fault.
    for (const each of await Promise.allSettled(looked)) {
      if (each.status === 'fulfilled' && each.value && !begun.has(each.value)) {
        each.value.hold.letGo()
      }
    }
  }
}

type Looked = { readonly found: SignedRow | Reviewed; readonly hold: Hold }

async function look(run: Run, { id, sent }: Entry): Promise<Looked | undefined> {
  const { deps, cycle } = run
  if (run.isOver()) return undefined
  const hold = await holdWithRoom(run, id)
  if (hold === undefined) return undefined
  try {
    const found = await attempt(run, id, 'contents', () => lookOver(deps, cycle.chain, id, sent))
    if (found !== undefined && (await hold.takeLane(rowOf(found).lane))) {
      if ('intent' in found) warnPastExpiry(run, found)
      return { found, hold }
    }
  } catch (fault) {
    hold.letGo()
    throw fault
  }
  hold.letGo()
  return undefined
}

function rowOf(found: SignedRow | Reviewed): PaymentRow {
  return 'intent' in found ? found.row : found
}

/** The network decides what is too late, and clocks differ: it is paid all the same (DESIGN 6). */
function warnPastExpiry({ deps, cycle }: Run, { row, intent }: Reviewed): void {
  const { chain, memory } = cycle
  const { pendingId: id } = row
  if (intent.expiry === undefined || !(intent.expiry <= deps.now())) return
  if (!memory.tell(`${id}/expiry`, 'past')) return
  // A time before 1970 may be one that no calendar has.
  const expiry = new Date(Math.max(intent.expiry, 0)).toISOString()
  deps.observer.pastExpiry(chain)
  deps.log.warning('payment is past its expiry', { id, chain, expiry })
}
