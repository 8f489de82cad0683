import { asKmsError } from '../base/errors.ts'
import { pendingId } from '../tatum/pending.ts'
import type { Endings, Run } from './run.ts'

/** A pending transaction as Tatum listed it: nothing but its id is known to be in order. */
export type Entry = { readonly id: string; readonly sent: unknown }

/** What waits for the chain's wallets, each id once; undefined when Tatum did not say. */
export async function poll(run: Run, stop: Endings['stop']): Promise<readonly Entry[] | undefined> {
  const { deps, cycle, tally } = run
  const { chain, walletIds, memory } = cycle
  try {
    if (walletIds.length === 0) return []
    if (!memory.isDue('the poll', deps.monotonic())) return undefined
    // A poll that is cut off loses nothing, so that it need not hold up the end.
    const pending = await deps.api.pending(chain, walletIds, stop)
    if (memory.tell('the poll', undefined)) deps.log.info('poll works again', { chain })
    deps.observer.polled(chain, 'ok', pending.length)
    return entriesOf(run, pending)
  } catch (thrown) {
    if (stop.aborted) return undefined
    const { code, message: reason } = asKmsError(thrown)
    tally.failures.push(code)
    memory.tried('the poll', deps.monotonic(), longestWaitMs)
    deps.observer.polled(chain, 'failed', 0)
    // A server that is down for a night is one line, and one more when it is back.
    if (memory.tell('the poll', code)) deps.log.warning('poll failed', { chain, reason })
    return undefined
  }
}

/** Of a server that is down; the next poll but one of one that only hiccuped. */
const longestWaitMs = 30_000

/** An entry without an id can be neither journaled nor reported, only told of. */
function entriesOf({ deps, cycle, tally }: Run, polled: readonly unknown[]): readonly Entry[] {
  const { chain, memory } = cycle
  const entries = new Map<string, Entry>()
  let nameless = 0
  for (const sent of polled) {
    const id = pendingId(sent)
    if (id === undefined) nameless++
    else if (!entries.has(id)) entries.set(id, { id, sent })
  }
  const code = 'transaction-malformed'
  const reason = 'the pending transaction has no usable id'
  if (nameless > 0) tally.failures.push(code)
  if (memory.tell('nameless entries', nameless > 0 ? reason : undefined) && nameless > 0) {
    deps.log.warning('payment not sent', { id: 'without id', chain, code, reason })
  }
  return [...entries.values()]
}
