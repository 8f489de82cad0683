import { KmsError } from '../base/errors.ts'
import type { Journal, JournalScope, PaymentFilter, PaymentSummary } from './journal.ts'
import { type Database, readerOf, readSummaries, readsOf } from './journal-rows.ts'
import { lookForTables, prepareTables } from './journal-schema.ts'
import { leaseTable } from './lease-table.ts'
import { holdLeases } from './leases.ts'
import { openPostgres, type PostgresPlace } from './postgres.ts'
import {
  bindBytes,
  givesBytes,
  renewBytes,
  replaceRow,
  type SharedWrites,
} from './shared-writes.ts'

/** A journal that daemons on several machines share, and how this one appears in it. */
export type SharedPlace = PostgresPlace & {
  readonly machine: string
  /** How long what a daemon is at stays its own after it was heard of last. */
  readonly leaseMs: number
}

export type SharedWorld = {
  readonly now: () => number
  /** Milliseconds since some time, whatever the clock is set to. */
  readonly monotonic: () => number
  readonly sleep: (ms: number, signal?: AbortSignal) => Promise<void>
  /** Tells this process from all others. */
  readonly owner: string
  /** What the payment uses up, as the ledger of this machine has it. */
  readonly claimsOf: (pendingId: string) => Promise<readonly string[]>
}

/**
 * The journal in PostgreSQL. Bytes enter it before they leave the machine, together with what they use
 * up and only under a lease that has not run out: whoever comes second has the bytes of the first, or
 * none. It is connected to when it is first used.
 */
export function openSharedJournal(
  place: SharedPlace,
  scope: JournalScope,
  world: SharedWorld,
): Journal {
  const { now } = world
  const postgres = openPostgres(place, world)
  const db = onceReady(postgres)
  const store = leaseTable(db, scope, { owner: world.owner, leaseMs: place.leaseMs })
  const leases = holdLeases(store, { ...world, leaseMs: place.leaseMs })
  const writes: SharedWrites = {
    db,
    scope,
    leases,
    machine: place.machine,
    now,
    claimsOf: world.claimsOf,
  }

  return {
    ...readsOf(db, scope),
    record: row => (givesBytes(row) ? bindBytes(writes, row) : replaceRow(writes, row)),
    renew: row => renewBytes(writes, row),
    async nextNumber(chain, address) {
      const rows = await db.query(
        sql => sql`
          SELECT next::text AS next FROM numbers
          WHERE network = ${scope.network} AND chain = ${chain} AND address = ${address}`,
      )
      return rows[0] === undefined ? 0n : wholeNumber(readerOf(rows[0]).text('next'))
    },
    leases,
    // Of what other machines have signed the ledger of this one knows nothing: only the row keeps it
    // from being signed here.
    forget: async () => false,
    async probe() {
      await db.query(sql => sql`UPDATE journal_version SET version = version`)
    },
    async close() {
      await leases.close()
      await postgres[Symbol.asyncDispose]()
    },
  }
}

/** The payments of all vaults and networks in a shared journal; changes nothing. */
export async function readSharedJournal(
  place: PostgresPlace,
  filter: PaymentFilter,
  sleep: SharedWorld['sleep'],
): Promise<readonly PaymentSummary[]> {
  await using postgres = openPostgres(place, { sleep })
  if (await lookForTables(postgres)) return await readSummaries(postgres, filter)
  throw new KmsError('usage', 'there is no journal in the database yet', {
    hint: 'the first daemon makes it',
  })
}

/** Whether there is a journal already; throws where it could not be used. */
export async function lookAtSharedJournal(
  place: PostgresPlace,
  sleep: SharedWorld['sleep'],
): Promise<boolean> {
  await using postgres = openPostgres(place, { sleep })
  return await lookForTables(postgres)
}

/** Looks at the tables before the first question, and again until that has worked once. */
function onceReady(db: Database): Database {
  let ready: Promise<void> | undefined
  return {
    async query(ask) {
      ready ??= prepareTables(db)
      try {
        await ready
      } catch (thrown) {
        ready = undefined
        throw thrown
      }
      return db.query(ask)
    },
  }
}

function wholeNumber(text: string): bigint {
  if (/^\d{1,20}$/.test(text)) return BigInt(text)
  throw new KmsError('disk', "the journal's database has a number that is none")
}
