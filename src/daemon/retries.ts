import { join } from 'node:path'
import type { Disk } from '../base/disk.ts'
import { attempt, isPresent } from '../base/disk-fault.ts'
import { isPendingId } from '../tatum/pending.ts'
import type { EventLog } from './events.ts'
import type { Journal, PaymentState } from './journal.ts'
import { LeftToOthers, paymentLease } from './leases.ts'

/** States of a payment that a person may have tried at once: whatever is not settled. */
const openStates: ReadonlySet<PaymentState> = new Set([
  'seen',
  'denied',
  'refused',
  'signed',
  'finished',
  'arrived',
])

export function mayBeRetried(state: PaymentState): boolean {
  return openStates.has(state)
}

const prefix = 'retry-'

/** Leaves a note for the daemon that has its journal here, or for the next one. */
export function askForRetry(disk: Disk, folder: string, id: string): void {
  attempt(`cannot write to ${folder}`, () => {
    try {
      disk.create(join(folder, prefix + id)).close()
      disk.syncFolder(folder)
    } catch (thrown) {
      // Somebody has asked for it already.
      if (!isPresent(thrown)) throw thrown
    }
  })
}

export type RetriesDeps = {
  readonly disk: Disk
  readonly stateFolder: string
  readonly journal: Pick<Journal, 'find' | 'record' | 'leases'>
  readonly log: EventLog
}

/** A payment that was closed is open again, and nobody waits for its next try. */
export type Retry = { readonly id: string; readonly chain: string }

/**
 * The payments that a person wants tried now. The notes are taken away; one that is about a payment
 * that is settled, or not known, changes nothing.
 */
export async function takeRetries(deps: RetriesDeps): Promise<readonly Retry[]> {
  const { disk, stateFolder, journal, log } = deps
  const retries: Retry[] = []
  for (const id of listRetries(disk, stateFolder)) {
    const lease = paymentLease(id)
    // Another daemon is at it: the note stays.
    if (!(await journal.leases.take(lease))) continue
    try {
      const row = await journal.find(id)
      if (row !== undefined && mayBeRetried(row.state)) {
        const { chain } = row
        const state = row.state === 'refused' ? 'seen' : row.state
        if (state !== row.state) await journal.record({ ...row, ...unstopped, state })
        retries.push({ id, chain })
        log.info('payment is tried at once', { id, chain })
      }
    } catch (thrown) {
      // Another daemon may be at it after all: the note stays.
      if (thrown instanceof LeftToOthers) continue
      throw thrown
    } finally {
      journal.leases.letGo(lease)
    }
    // Only now: cut off before, the next start does it all again.
    attempt(`cannot write to ${stateFolder}`, () => disk.unlink(join(stateFolder, prefix + id)))
  }
  return retries
}

const unstopped = { code: null, reason: null, reported: null } as const

/** Nobody orders more at a time. */
const mostAtOnce = 1_000

function listRetries(disk: Disk, folder: string): readonly string[] {
  const names = attempt(`cannot look into ${folder}`, () => disk.list(folder))
  return names
    .filter(name => name.startsWith(prefix))
    .map(name => name.slice(prefix.length))
    .filter(isPendingId)
    .slice(0, mostAtOnce)
}
