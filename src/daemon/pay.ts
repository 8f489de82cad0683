import type { KmsError } from '../base/errors.ts'
import type { SignedVerdict } from '../guard/signed-verdicts.ts'
import { type Delivery, expiredReason, finish, handOver } from './delivery.ts'
import type { SignedRow } from './journal.ts'
import { LeftToOthers } from './leases.ts'
import {
  type Completed,
  completePayment,
  type Ready,
  type Reviewed,
  requireApproval,
  signPayment,
} from './payment.ts'
import { attempt, failureOf, type Run } from './run.ts'

/** Takes a payment without bytes from its approval to the network. */
export async function pay(run: Run, reviewed: Reviewed): Promise<void> {
  const { signing, approvals, lastSigned } = run.cycle.roads
  const lane = laneOf(reviewed.row)
  // Asked for at once: a lane does not wait for one approval after the other.
  const approved = approvals.take(() => approve(run, reviewed))
  approved.catch(() => {})
  let delivered: Promise<void> | undefined
  await signing.enter(lane, async () => {
    const approvals = await approved
    const completed = approvals && (await complete(run, reviewed, lastSigned.get(lane)))
    if (approvals === undefined || completed === undefined) return
    // Not waited for: those of a lane that lack no number are signed in one batch.
    const signed = sign(run, reviewed, { ...completed, approvals })
    signed.catch(() => {})
    lastSigned.set(lane, signed)
    // Entered before the next of this lane is signed: they go out in the order of their numbers.
    delivered = deliverInLane(run, lane, async () => {
      try {
        return await signed
      } finally {
        if (lastSigned.get(lane) === signed) lastSigned.delete(lane)
      }
    })
  })
  await delivered
}

/** Sends bytes of an earlier cycle, or of an earlier run. */
export function sendAgain(run: Run, row: SignedRow): Promise<void> {
  return deliverInLane(run, laneOf(row), async () => (run.isOver() ? undefined : row))
}

/**
 * Closes a payment that has expired: told once, reported once as such, and never tried again by
 * itself. The proof comes from a server, so that only a person may have it signed again.
 */
export function closeExpired({ deps, cycle, tally }: Run, row: SignedRow): void {
  const { chain, memory } = cycle
  const { pendingId: id } = row
  memory.tried(id, deps.monotonic())
  if (row.reported === 'expired') return
  tally.failures.push('transaction-refused')
  memory.reports.set(id, { code: 'expired', reason: expiredReason })
  if (memory.tell(id, 'expired')) {
    deps.observer.payment(chain, 'expired')
    deps.log.warning('payment expired', { id, chain, txId: idOnChain(row) })
  }
}

/** Undefined where nobody agrees. */
async function approve(
  run: Run,
  reviewed: Reviewed,
): Promise<readonly SignedVerdict[] | undefined> {
  const { deps, cycle, abort } = run
  if (run.isOver()) return undefined
  const { pendingId: id } = reviewed.row
  const approvals = await attempt(run, id, 'contents', () => requireApproval(deps, reviewed, abort))
  const isAsked = deps.approve !== undefined && approvals !== undefined
  if (isAsked && cycle.memory.tell(`${id}/approval`, 'approved')) {
    deps.log.info('payment approved', { id, chain: cycle.chain })
  }
  return approvals
}

/** @param before what is signed before it, and may take the number that it would get */
async function complete(
  run: Run,
  reviewed: Reviewed,
  before: Promise<unknown> | undefined,
): Promise<Completed | undefined> {
  const { deps, cycle, abort } = run
  if (run.isOver()) return undefined
  return attempt(run, reviewed.row.pendingId, 'completion', () =>
    cycle.roads.completions.take(() => completePayment(deps, reviewed, abort, before)),
  )
}

async function sign(run: Run, reviewed: Reviewed, ready: Ready): Promise<SignedRow | undefined> {
  const { deps, cycle } = run
  if (run.isOver()) return undefined
  return attempt(run, reviewed.row.pendingId, 'completion', async () => {
    const row = await signPayment(deps, reviewed, ready)
    deps.observer.payment(cycle.chain, 'signed')
    return row
  })
}

/** The next of the lane goes out when this one has; many then go into the journal at once. */
async function deliverInLane(
  run: Run,
  lane: string,
  ready: () => Promise<SignedRow | undefined>,
): Promise<void> {
  const { delivering, deliveries } = run.cycle.roads
  const delivery = await delivering.enter(lane, async () => {
    const row = await ready()
    return row && (await deliveries.take(() => deliver(run, row)))
  })
  if (delivery?.kind === 'sent') await keepSent(run, delivery)
}

async function deliver(run: Run, row: SignedRow): Promise<Delivery | undefined> {
  const { deps, cycle, abort } = run
  if (row.lane !== null && cycle.roads.held.has(row.lane)) return undefined
  let latest = row
  try {
    latest = await finish(deps, row, abort)
    const delivery = await handOver(deps, latest, abort)
    if (delivery.kind === 'expired') closeExpired(run, latest)
    return delivery
  } catch (thrown) {
    tellUnconfirmed(run, latest, failureOf(thrown, run))
    return undefined
  }
}

async function keepSent(run: Run, delivery: Sent): Promise<void> {
  try {
    await run.deps.journal.record(delivery.row)
    tellSent(run, delivery)
  } catch (thrown) {
    tellUnconfirmed(run, delivery.row, failureOf(thrown, run))
  }
}

function tellUnconfirmed({ deps, cycle, tally }: Run, row: SignedRow, fault: KmsError): void {
  if (fault instanceof LeftToOthers) return
  const { chain, memory, roads } = cycle
  const { pendingId: id, lane } = row
  const { code, message: reason } = fault
  tally.failures.push(code)
  deps.observer.payment(chain, 'unconfirmed')
  memory.tried(id, deps.monotonic())
  if (lane !== null) roads.held.add(lane)
  // The reason quotes the server and may change every time; the code does not.
  if (memory.tell(id, `unconfirmed ${code}`)) {
    deps.log.warning('payment not confirmed', { id, chain, txId: idOnChain(row), code, reason })
  }
}

type Sent = Extract<Delivery, { kind: 'sent' }>

function tellSent({ deps, cycle, tally }: Run, { row, completed, warnings }: Sent): void {
  const { chain, memory } = cycle
  const { pendingId: id } = row
  tally.sent++
  if (!completed) tally.uncompleted++
  memory.tried(id, deps.monotonic())
  deps.observer.payment(chain, 'sent')
  if (!memory.tell(id, 'sent')) return
  deps.log.info('payment sent', { id, chain, txId: idOnChain(row) })
  for (const { event, reason } of warnings) deps.log.warning(event, { id, chain, reason })
  if (!completed) deps.log.warning('withdrawal must be completed by hand', { id, chain })
}

function laneOf({ lane, pendingId }: Pick<SignedRow, 'lane' | 'pendingId'>): string {
  return lane ?? pendingId
}

function idOnChain({ finalId, txId }: SignedRow): string {
  return finalId ?? txId
}
