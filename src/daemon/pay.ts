import { type Delivery, expiredReason, finish, send } from './delivery.ts'
import type { SignedRow } from './journal.ts'
import { completePayment, type Reviewed, requireApproval, signPayment } from './payment.ts'
import { attempt, failureOf, type Run } from './run.ts'

/** Takes a payment without bytes from its approval to the network. */
export async function pay(run: Run, reviewed: Reviewed): Promise<void> {
  const { signing, approvals } = run.cycle.roads
  // Asked for at once: a lane does not wait for one approval after the other.
  const approved = approvals.take(() => approve(run, reviewed))
  approved.catch(() => {})
  let delivered: Promise<void> | undefined
  await signing.enter(laneOf(reviewed.row), async () => {
    if (!(await approved)) return
    const row = await sign(run, reviewed)
    // Entered before the next of this lane is signed: they go out in the order of their numbers.
    if (row !== undefined) delivered = enterDelivery(run, row, () => deliver(run, row))
  })
  await delivered
}

/** Sends bytes of an earlier cycle, or of an earlier run. */
export function sendAgain(run: Run, row: SignedRow): Promise<void> {
  return enterDelivery(run, row, async () => {
    if (!run.isOver()) await deliver(run, row)
  })
}

/**
 * Closes a payment that has expired: told once, reported once as such, and never tried again by
 * itself. The proof comes from a server, so that only a person may have it signed again.
 */
export function closeExpired({ deps, cycle, tally }: Run, row: SignedRow): void {
  const { chain, memory } = cycle
  const { pendingId: id } = row
  memory.tried(id, deps.now())
  if (row.reported === 'expired') return
  tally.failures.push('transaction-refused')
  memory.reports.set(id, { code: 'expired', reason: expiredReason })
  if (memory.tell(id, 'expired')) {
    deps.log.warning('payment expired', { id, chain, txId: idOnChain(row) })
  }
}

async function approve(run: Run, reviewed: Reviewed): Promise<boolean> {
  if (run.isOver()) return false
  const approved = await attempt(run, reviewed.row.pendingId, 'contents', async () => {
    await requireApproval(run.deps, reviewed, run.abort)
    return true
  })
  return approved ?? false
}

async function sign(run: Run, reviewed: Reviewed): Promise<SignedRow | undefined> {
  const { deps, cycle, abort } = run
  if (run.isOver()) return undefined
  return attempt(run, reviewed.row.pendingId, 'completion', async () => {
    const { completions } = cycle.roads
    const completed = await completions.take(() => completePayment(deps, reviewed, abort))
    return signPayment(deps, reviewed, completed)
  })
}

function enterDelivery(run: Run, row: SignedRow, work: () => Promise<void>): Promise<void> {
  const { delivering, deliveries } = run.cycle.roads
  return delivering.enter(laneOf(row), () => deliveries.take(work))
}

async function deliver(run: Run, row: SignedRow): Promise<void> {
  const { deps, cycle, tally } = run
  const { chain, memory, roads } = cycle
  const { pendingId: id, lane } = row
  if (lane !== null && roads.held.has(lane)) return
  let latest = row
  try {
    latest = await finish(deps, row, run.abort)
    const delivery = await send(deps, latest, run.abort)
    if (delivery.kind === 'sent') tellSent(run, latest, delivery)
    else closeExpired(run, latest)
  } catch (thrown) {
    const { code, message: reason } = failureOf(thrown, run)
    tally.failures.push(code)
    memory.tried(id, deps.now())
    if (lane !== null) roads.held.add(lane)
    // The reason quotes the server and may change every time; the code does not.
    if (memory.tell(id, `unconfirmed ${code}`)) {
      const txId = idOnChain(latest)
      deps.log.warning('payment not confirmed', { id, chain, txId, code, reason })
    }
  }
}

function tellSent(
  { deps, cycle, tally }: Run,
  row: SignedRow,
  { completed, warnings }: Extract<Delivery, { kind: 'sent' }>,
): void {
  const { chain, memory } = cycle
  const { pendingId: id } = row
  tally.sent++
  if (!completed) tally.uncompleted++
  memory.tried(id, deps.now())
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
