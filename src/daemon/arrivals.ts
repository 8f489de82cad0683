import { asKmsError } from '../base/errors.ts'
import type { ChainReads } from '../base/model.ts'
import type { Chain, Numbering } from '../chains/chain.ts'
import { send } from './delivery.ts'
import { holdRows } from './hold.ts'
import { isSigned, type PaymentRow, type SignedRow } from './journal.ts'
import { LeftToOthers } from './leases.ts'
import { chainReads } from './reads.ts'
import { failureOf, type Run } from './run.ts'

/** How long bytes that were accepted may take into a block before they are sent again (DESIGN 6). */
export const arriveWithinMs = 10 * 60_000

/**
 * Looks whether payments that went out have arrived, and sends the same bytes again where they have
 * not: they may have dropped out of the memory of a network. Asks once per sender in ten minutes.
 */
export async function lookForArrivals(run: Run): Promise<void> {
  const { deps, cycle } = run
  const { lookedAt } = cycle.roads
  const chain = deps.findChain(cycle.chain)
  if (chain?.numbering === undefined) return
  const longAgo = deps.now() - arriveWithinMs
  const time = deps.monotonic()
  for (const [sender, last] of lookedAt) {
    if (last <= time - arriveWithinMs) lookedAt.delete(sender)
  }

  const rows = (await deps.journal.outUntil(longAgo, chain.id)).filter(isSigned)
  for (const [sender, out] of Map.groupBy(rows, row => senderOf(run, row, chain.numbering))) {
    if (run.isOver()) return
    if (sender === undefined || lookedAt.has(sender)) continue
    const held = await holdRows(run, out, isOut)
    // Another daemon looks after this sender.
    if (held.length === 0) continue
    lookedAt.set(sender, deps.monotonic())
    try {
      const rows = held.map(({ row }) => row)
      await lookAfter(run, chain, sender, rows)
    } finally {
      for (const { hold } of held) hold.letGo()
    }
  }
}

function isOut({ state }: PaymentRow): boolean {
  return state === 'signed' || state === 'sent'
}

/** The lane is the sender, but it is lost with a journal: the bytes still say it. */
function senderOf(run: Run, row: SignedRow, numbering: Numbering | undefined): string | undefined {
  return row.lane ?? readNumber(run, row, numbering)?.sender
}

/** Undefined where a row holds no bytes that we would sign: it is said once, and passed over. */
function readNumber(
  { deps, cycle }: Run,
  { pendingId: id, chain, txId, txData }: SignedRow,
  numbering: Numbering | undefined,
): ReturnType<Numbering['numberOf']> | undefined {
  try {
    return numbering?.numberOf(txData)
  } catch (thrown) {
    const { code, message: reason } = asKmsError(thrown)
    if (cycle.memory.tell(`the bytes of ${id}`, code)) {
      deps.log.warning('payment not confirmed', { id, chain, txId, code, reason })
    }
    return undefined
  }
}

async function lookAfter(
  run: Run,
  { id: chain, numbering }: Chain,
  sender: string,
  out: readonly SignedRow[],
): Promise<void> {
  const { deps, cycle, abort } = run
  if (numbering === undefined) return
  const { completions } = cycle.roads
  const reads = chainReads(deps, chain, [], abort)
  try {
    const count = await completions.take(() => numbering.count(sender, reads))
    for (const row of out) {
      if (run.isOver()) return
      const isSent = row.state === 'sent'
      const number = readNumber(run, row, numbering)?.number
      if (number === undefined) continue
      if (number >= count) {
        // What nobody has taken so far is sent again by every cycle.
        if (isSent) await sendOnceMore(run, row)
      } else if (isSent || (await completions.take(() => look(numbering, row, reads)))) {
        await deps.journal.record({ ...row, state: 'done' })
        if (!isSent) tellArrived(run, row)
      } else tellOvertaken(run, row)
    }
  } catch (thrown) {
    const fault = failureOf(thrown, run)
    if (fault instanceof LeftToOthers) return
    const { message: reason } = fault
    deps.log.warning('arrivals not looked up', { chain, sender, reason })
  }
}

/** A refusal ("nonce too low") does not say whose transaction has used the number. */
async function look(
  { isInBlock }: Numbering,
  { txId }: SignedRow,
  reads: ChainReads,
): Promise<boolean> {
  return (await isInBlock?.(txId, reads)) ?? false
}

function tellArrived({ deps, cycle }: Run, { pendingId: id, chain, txId }: SignedRow): void {
  if (cycle.memory.tell(id, 'sent')) deps.log.info('payment sent', { id, chain, txId })
}

/** Only a person can find out whose it was, or whether the node has merely not seen ours. */
function tellOvertaken({ deps, cycle }: Run, { pendingId: id, chain, txId }: SignedRow): void {
  if (!cycle.memory.tell(`${id}/number`, 'overtaken')) return
  const reason = 'its number is used up, it may be by another transaction: look it up'
  deps.log.warning('payment overtaken', { id, chain, txId, reason })
}

/** A failure says nothing that was not known: it is neither counted nor does it hold up others. */
async function sendOnceMore(run: Run, row: SignedRow): Promise<void> {
  const { deps, cycle, abort } = run
  const { pendingId: id, chain, txId } = row
  try {
    await cycle.roads.deliveries.take(() => send(deps, row, abort))
    deps.log.info('payment sent again', { id, chain, txId })
  } catch (thrown) {
    const fault = failureOf(thrown, run)
    if (fault instanceof LeftToOthers) return
    const { code, message: reason } = fault
    deps.log.warning('payment not confirmed', { id, chain, txId, code, reason })
  }
}
