import { SQL } from 'bun'
import { KmsError } from '../base/errors.ts'
import type { Database } from './journal-rows.ts'

/** A database of PostgreSQL, and who we are there. */
export type PostgresPlace = {
  /** A host, or the folder of a socket. */
  readonly host: string
  readonly port: number
  readonly database: string
  readonly user: string
  readonly password: string | null
  /** TLS always proves who the server is; `null` where the way there does not leave the machine. */
  readonly secure: { readonly authorities: string | null } | null
}

const usualAnswerWithinMs = 10_000
const connectWithinSeconds = 5
/** What must be serialized or is deadlocked has changed nothing. */
const maxTries = 5
const connections = 8

type PostgresWorld = {
  readonly sleep: (ms: number, signal?: AbortSignal) => Promise<void>
  /** Longer than any statement takes, and short enough to notice a database that is gone. */
  readonly answerWithinMs?: number
}

type Postgres = Database & AsyncDisposable

/** Connects when it is first asked, and again whenever the connection was lost. */
export function openPostgres(
  place: PostgresPlace,
  { sleep, answerWithinMs = usualAnswerWithinMs }: PostgresWorld,
): Postgres {
  let sql = connect(place)
  const startAnew = (): void => {
    const old = sql
    sql = connect(place)
    old.close({ timeout: 0 }).catch(() => {})
  }
  const once = async (ask: Parameters<Database['query']>[0]): Promise<unknown> => {
    const answered = new AbortController()
    const late = sleep(answerWithinMs, answered.signal).then(() => {
      if (answered.signal.aborted) return
      // Its connection would be waited for, too.
      startAnew()
      throw new KmsError('disk', "the journal's database does not answer")
    })
    late.catch(() => {})
    try {
      return await Promise.race([ask(sql), late])
    } finally {
      answered.abort()
    }
  }
  return {
    async query(ask) {
      for (let tries = 1; ; tries++) {
        try {
          const rows = await once(ask)
          return Array.isArray(rows) ? rows : []
        } catch (cause) {
          if (tries < maxTries && isContention(cause)) continue
          throw faultOf(cause)
        }
      }
    },
    [Symbol.asyncDispose]: () => sql.close({ timeout: 1 }),
  }
}

function connect({ host, port, database, user, password, secure }: PostgresPlace): SQL {
  const isSocket = host.startsWith('/')
  const where = isSocket ? { path: `${host}/.s.PGSQL.${port}` } : { hostname: host, port }
  const authorities = secure?.authorities ?? null
  return new SQL({
    adapter: 'postgres',
    ...where,
    database,
    username: user,
    ...(password !== null && { password }),
    // Without `rejectUnauthorized` any certificate would do.
    ...(secure !== null && {
      tls: { rejectUnauthorized: true, ...(authorities !== null && { ca: authorities }) },
    }),
    max: connections,
    connectionTimeout: connectWithinSeconds,
    connection: {
      application_name: 'tatum-kms',
      statement_timeout: usualAnswerWithinMs - 1_000,
      // Whatever the server's default is: what is answered must be on disk.
      synchronous_commit: 'on',
    },
  })
}

/** 40001: serialization failure, 40P01: deadlock. */
function isContention(thrown: unknown): boolean {
  const state = sqlState(thrown)
  return state === '40001' || state === '40P01'
}

/** The five characters by which PostgreSQL tells its errors apart (its manual, appendix A). */
export function sqlState(thrown: unknown): string | undefined {
  const inner = thrown instanceof KmsError ? thrown.cause : thrown
  if (!(inner instanceof Error) || !('errno' in inner)) return undefined
  const state = String(inner.errno)
  return /^[0-9A-Z]{5}$/.test(state) ? state : undefined
}

/** What a server says may quote anything: its text is left out, and so is where it is. */
function faultOf(cause: unknown): KmsError {
  if (cause instanceof KmsError) return cause
  return new KmsError('disk', messageOf(cause), {
    cause,
    hint: 'without its journal a daemon signs nothing; it goes on by itself when the database does',
  })
}

/** The server is there, and does not take anybody: it starts, ends, or has too many connections. */
const isNotReady = /^(?:08|53|57P)/

function messageOf(cause: unknown): string {
  const state = sqlState(cause)
  if (state !== undefined && isNotReady.test(state)) return unreachable
  if (state?.startsWith('28')) return "the journal's database refuses our user or password"
  if (state === '42501') return "the journal's database does not give our user the rights it needs"
  if (state !== undefined) return `the journal's database refuses its work (${state})`
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : ''
  const isOfTls = /CERT|SIGNATURE|TLS|SSL/.test(code) && /^\w{1,60}$/.test(code)
  return isOfTls ? `the journal's database does not prove who it is (${code})` : unreachable
}

const unreachable = "the journal's database cannot be reached"
