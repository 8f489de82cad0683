import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type {
  Journal,
  JournalScope,
  PaymentFilter,
  PaymentRow,
  PaymentSummary,
} from '../../src/daemon/journal.ts'
import { openSharedJournal, readSharedJournal } from '../../src/daemon/journal-postgres.ts'
import { openJournal, readJournal } from '../../src/daemon/journal-sqlite.ts'
import { laneLease, paymentLease } from '../../src/daemon/leases.ts'
import type { PostgresPlace } from '../../src/daemon/postgres.ts'
import { hasPostgres, startPostgres } from './postgres.ts'

/** An empty journal in a database of its own. */
export type JournalStore = {
  open(scope: JournalScope, now: () => number): Promise<Journal>
  read(filter: PaymentFilter): Promise<readonly PaymentSummary[]>
}

/** A kind of database; `start` makes one for a whole file of tests. */
export type JournalBackend = {
  readonly name: string
  start(): Promise<AsyncDisposable & { make(): Promise<JournalStore> }>
}

const sqlite: JournalBackend = {
  name: 'SQLite',
  async start() {
    const folder = mkdtempSync(join(tmpdir(), 'kms-journals-'))
    let made = 0
    return {
      async make() {
        const path = join(folder, `journal-${made++}`)
        return {
          open: (scope, now) => openJournal(path, scope, now),
          read: filter => readJournal(path, filter),
        }
      },
      [Symbol.asyncDispose]: async () => rmSync(folder, { recursive: true }),
    }
  },
}

const postgres: JournalBackend = {
  name: 'PostgreSQL',
  async start() {
    const server = await startPostgres()
    return {
      async make() {
        const place = await server.createDatabase()
        return {
          open: async (scope, now) => leasing(openShared(place, scope, { now })),
          read: filter => readSharedJournal(place, filter, sleep),
        }
      },
      [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
    }
  },
}

/** Both where there is a PostgreSQL. */
export const journalBackends: readonly JournalBackend[] = [
  sqlite,
  ...(hasPostgres ? [postgres] : []),
]

let owners = 0

type SharedOptions = {
  readonly now?: () => number
  readonly monotonic?: () => number
  readonly owner?: string
  readonly leaseMs?: number
  readonly claims?: (pendingId: string) => Promise<readonly string[]>
}

/** One daemon's view of a shared journal. */
export function openShared(
  place: PostgresPlace,
  scope: JournalScope,
  {
    now = Date.now,
    monotonic = () => performance.now(),
    owner = `owner ${owners++}`,
    leaseMs = 30_000,
    claims,
  }: SharedOptions = {},
): Journal {
  return openSharedJournal({ ...place, machine: 'a-machine', leaseMs }, scope, {
    now,
    monotonic,
    sleep,
    owner,
    claimsOf: claims ?? (async () => []),
  })
}

/** Writes each row under its leases, as a daemon does. */
export function leasing(journal: Journal): Journal {
  const { leases } = journal
  const under = async <T>(names: readonly string[], work: () => Promise<T>): Promise<T> => {
    for (const name of names) if (!(await leases.take(name))) throw new Error(`${name} is taken`)
    try {
      return await work()
    } finally {
      for (const name of names) leases.letGo(name)
    }
  }
  return {
    ...journal,
    record: row => under(leasesOf(row), () => journal.record(row)),
    renew: row => under([paymentLease(row.pendingId)], () => journal.renew(row)),
  }
}

function leasesOf({ pendingId, chain, lane }: PaymentRow): readonly string[] {
  return [paymentLease(pendingId), ...(lane === null ? [] : [laneLease(chain, lane)])]
}

export function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const timer = setTimeout(resolve, ms)
  signal?.addEventListener('abort', () => resolve())
  return promise.finally(() => clearTimeout(timer))
}
