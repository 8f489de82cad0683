import { KmsError } from '../base/errors.ts'
import { isSigned, type Journal, type PaymentRow, type SignedRow } from './journal.ts'
import { laneLease, paymentLease } from './leases.ts'
import type { Run } from './run.ts'

/** A payment that no other daemon works on, until it is let go. */
export type Hold = {
  /** False while another daemon has the lane: it gives out the numbers of that sender. */
  takeLane(lane: string | null): Promise<boolean>
  letGo(): void
}

/** Without others all is ours. */
const ours: Hold = { takeLane: async () => true, letGo: () => {} }

/** Undefined while another daemon has the payment. Waits for room: what is not held others may take. */
export async function holdWithRoom({ deps, cycle }: Run, id: string): Promise<Hold | undefined> {
  const { leases } = deps.journal
  const { shares } = cycle.roads
  if (!leases.isShared) return ours
  await shares.enter()
  try {
    const held = await hold(deps.journal, cycle.chain, id)
    if (held !== undefined) return { ...held, letGo: () => both(held.letGo, shares.leave) }
  } catch (fault) {
    shares.leave()
    throw fault
  }
  shares.leave()
  return undefined
}

function both(first: () => void, second: () => void): void {
  first()
  second()
}

export type HeldRow = { readonly row: SignedRow; readonly hold: Hold }

/** Those rows that no other daemon works on, as they stand now, if they still are what was asked for. */
export async function holdRows(
  { deps: { journal } }: Run,
  rows: readonly SignedRow[],
  isStill: (row: PaymentRow) => boolean,
): Promise<readonly HeldRow[]> {
  if (!journal.leases.isShared) return rows.map(row => ({ row, hold: ours }))
  const asked = await Promise.allSettled(rows.map(row => holdRow(journal, row, isStill)))
  const held = asked.flatMap(each => (each.status === 'fulfilled' ? each.value : []))
  const failed = asked.find(({ status }) => status === 'rejected')
  if (failed?.status !== 'rejected') return held
  for (const { hold: one } of held) one.letGo()
  throw failed.reason
}

async function holdRow(
  journal: Journal,
  { pendingId, chain, lane }: SignedRow,
  isStill: (row: PaymentRow) => boolean,
): Promise<readonly HeldRow[]> {
  const held = await hold(journal, chain, pendingId)
  if (held === undefined) return []
  try {
    const row = (await held.takeLane(lane)) ? await journal.find(pendingId) : undefined
    if (row !== undefined && isSigned(row) && isStill(row)) return [{ row, hold: held }]
  } catch (fault) {
    held.letGo()
    throw fault
  }
  held.letGo()
  return []
}

/** How often it is looked whether another daemon has let go. */
const lookAgainMs = 250

type OrderDeps = {
  readonly journal: Journal
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>
}

/** Carries out what a person has ordered about a payment, once no other daemon works on it. */
export async function whileHeld<T>(
  { journal, sleep }: OrderDeps,
  { id, waitMs }: { readonly id: string; readonly waitMs: number },
  signal: AbortSignal,
  work: () => Promise<T>,
): Promise<T> {
  for (let waited = 0; waited <= waitMs && !signal.aborted; waited += lookAgainMs) {
    const row = await journal.find(id)
    const held = journal.leases.isShared ? await hold(journal, row?.chain ?? '', id) : ours
    try {
      if (await held?.takeLane(row?.lane ?? null)) return await work()
    } finally {
      held?.letGo()
    }
    await sleep(lookAgainMs, signal)
  }
  throw new KmsError(
    'vault-busy',
    'another daemon works on this payment, or on others of its sender',
    {
      hint: 'try again in a moment, or stop the daemons that share the journal',
    },
  )
}

async function hold(
  { leases }: Pick<Journal, 'leases'>,
  chain: string,
  pendingId: string,
): Promise<Hold | undefined> {
  const payment = paymentLease(pendingId)
  if (!(await leases.take(payment))) return undefined
  const names = [payment]
  return {
    async takeLane(lane) {
      if (lane === null) return true
      const name = laneLease(chain, lane)
      if (!(await leases.take(name))) return false
      names.push(name)
      return true
    },
    letGo() {
      for (const name of names.splice(0)) leases.letGo(name)
    },
  }
}
