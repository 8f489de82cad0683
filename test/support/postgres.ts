import { chownSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SQL } from 'bun'
import type { PostgresPlace } from '../../src/daemon/postgres.ts'

/** Where Debian's package puts it; undefined where it is not installed. */
const programs = ((): string | undefined => {
  const root = '/usr/lib/postgresql'
  try {
    const [newest] = readdirSync(root).toSorted((a, b) => Number(b) - Number(a))
    return newest === undefined ? undefined : join(root, newest, 'bin')
  } catch {
    return undefined
  }
})()

export const hasPostgres = programs !== undefined

if (!hasPostgres) {
  process.stderr.write('skipped: PostgreSQL is not installed (Debian package postgresql)\n')
}

export type TestPostgres = AsyncDisposable & {
  readonly port: number
  /** A database of its own in the cluster, and the way there. */
  createDatabase(): Promise<PostgresPlace & { readonly url: string }>
  /** Runs statements as the superuser. */
  run(database: string, statements: string): Promise<readonly unknown[]>
  start(settings?: readonly string[]): Promise<void>
  /** Ends it at once, as a crash does, or in order. */
  stop(signal?: 'SIGINT' | 'SIGQUIT'): Promise<void>
  readonly folder: string
}

/** It refuses to run as root: then it runs as nobody. */
const unprivileged = process.getuid?.() === 0
const nobody = 65_534

/** A real server on 127.0.0.1, in a folder that is gone afterwards. */
export async function startPostgres(settings: readonly string[] = []): Promise<TestPostgres> {
  if (programs === undefined) throw new Error('PostgreSQL is not installed')
  const folder = mkdtempSync(join(tmpdir(), 'kms-postgres-'))
  if (unprivileged) chownSync(folder, nobody, nobody)
  const data = join(folder, 'data')
  await runProgram(folder, [
    join(programs, 'initdb'),
    `--pgdata=${data}`,
    '--username=kms',
    '--auth=trust',
    '--no-sync',
  ])
  const port = await freePort()
  const postgres = join(programs, 'postgres')
  let server: Bun.Subprocess | undefined
  let made = 0

  const place = (database: string): PostgresPlace => ({
    ...{ host: '127.0.0.1', port, database, user: 'kms', password: null, secure: null },
  })
  const run: TestPostgres['run'] = async (database, statements) => {
    await using sql = new SQL({
      ...{ adapter: 'postgres', hostname: '127.0.0.1', port, database, username: 'kms', max: 1 },
    })
    return await sql.unsafe(statements)
  }
  const start = async (more: readonly string[] = []): Promise<void> => {
    const options = [
      ...['listen_addresses=127.0.0.1', 'unix_socket_directories=', 'fsync=off'],
      ...['max_connections=60', 'shared_buffers=16MB', 'autovacuum=off', ...settings, ...more],
    ]
    server = spawn(folder, [
      ...[postgres, '-D', data, '-p', `${port}`],
      ...options.flatMap(option => ['-c', option]),
    ])
    await answers(() => run('postgres', 'SELECT 1'), server)
  }
  const stop: TestPostgres['stop'] = async (signal = 'SIGINT') => {
    server?.kill('SIGCONT')
    server?.kill(signal)
    await server?.exited
    server = undefined
  }
  await start()
  return {
    port,
    folder,
    async createDatabase() {
      const name = `kms_${made++}`
      await run('postgres', `CREATE DATABASE ${name}`)
      return { ...place(name), url: `postgres://kms@127.0.0.1:${port}/${name}` }
    },
    run,
    start,
    stop,
    async [Symbol.asyncDispose]() {
      await stop()
      rmSync(folder, { recursive: true })
    },
  }
}

function spawn(folder: string, command: readonly string[]): Bun.Subprocess {
  const as = unprivileged
    ? ['setpriv', `--reuid=${nobody}`, `--regid=${nobody}`, '--clear-groups']
    : []
  const quiet = { stdin: 'ignore', stdout: 'ignore', stderr: 'ignore' } as const
  return Bun.spawn([...as, ...command], { cwd: folder, env: { LC_ALL: 'C', TZ: 'UTC' }, ...quiet })
}

async function runProgram(folder: string, command: readonly string[]): Promise<void> {
  const status = await spawn(folder, command).exited
  if (status !== 0) throw new Error(`${command[0]} ended with ${status}`)
}

async function answers(ask: () => Promise<unknown>, server: Bun.Subprocess): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      await ask()
      return
    } catch (fault) {
      if (tries === 1_000 || server.exitCode !== null) throw fault
      await Bun.sleep(50)
    }
  }
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>(done => server.listen(0, '127.0.0.1', done))
  const address = server.address()
  await new Promise(done => server.close(done))
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}
