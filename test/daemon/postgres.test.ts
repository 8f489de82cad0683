import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { chownSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { openPostgres, type PostgresPlace } from '../../src/daemon/postgres.ts'
import { makeCertificate } from '../support/certificate.ts'
import { sleep } from '../support/journals.ts'
import { hasPostgres, startPostgres, type TestPostgres } from '../support/postgres.ts'

setDefaultTimeout(30_000)

const { cert, key } = makeCertificate()
/** Not in the certificate, which has 127.0.0.1 and localhost. */
const otherName = '127.0.0.2'

describe.skipIf(!hasPostgres || process.platform !== 'linux')('a connection to PostgreSQL', () => {
  let postgres: TestPostgres
  let place: PostgresPlace
  beforeAll(async () => {
    postgres = await startPostgres()
    place = await postgres.createDatabase()
    for (const [name, text] of [
      ['server.crt', cert],
      ['server.key', key],
    ] as const) {
      const path = join(postgres.folder, 'data', name)
      writeFileSync(path, text, { mode: 0o600 })
      if (process.getuid?.() === 0) chownSync(path, 65_534, 65_534)
    }
    await postgres.stop()
    await postgres.start(['ssl=on', `listen_addresses=127.0.0.1,${otherName}`])
  }, 60_000)
  afterAll(() => postgres[Symbol.asyncDispose]())

  test('is encrypted where the server proves who it is', async () => {
    for (const host of ['127.0.0.1', 'localhost']) {
      expect(await isEncrypted({ ...place, host, secure: { authorities: cert } })).toBe(true)
    }
    expect(await isEncrypted({ ...place, secure: null })).toBe(false)
  })

  test.each([
    ['has another name', { host: otherName, secure: { authorities: cert } }],
    ['has another authority', { secure: { authorities: makeCertificate().cert } }],
    ['has no authority that the public web knows', { secure: { authorities: null } }],
  ])('is not made where the server %s', async (_, change) => {
    const fault = await isEncrypted({ ...place, ...change }).catch((thrown: unknown) => thrown)
    expect(fault).toMatchObject({
      code: 'disk',
      message: expect.stringContaining("the journal's database does not prove who it is"),
    })
  })

  test('gives up a statement that takes too long, and takes the next', async () => {
    await using db = openPostgres(place, { sleep, answerWithinMs: 300 })
    const slow = db.query(sql => sql`SELECT 1 FROM pg_sleep(5)`)
    await expect(slow).rejects.toThrow("the journal's database does not answer")
    expect(await one(db)).toBe(1)
  })

  test('tries again what was in another one’s way', async () => {
    await using db = openPostgres(place, { sleep })
    await db.query(sql => sql`CREATE TABLE pairs (n INT PRIMARY KEY, v INT NOT NULL)`)
    await db.query(sql => sql`INSERT INTO pairs VALUES (1, 0), (2, 0)`)
    const add = (first: number, second: number) =>
      db.query(sql =>
        sql.begin(async tx => {
          await tx`UPDATE pairs SET v = v + 1 WHERE n = ${first}`
          await sleep(50)
          await tx`UPDATE pairs SET v = v + 1 WHERE n = ${second}`
        }),
      )
    await Promise.all([add(1, 2), add(2, 1)])
    const rows = await db.query(sql => sql`SELECT v FROM pairs`)
    expect(rows.map(row => Object(row).v)).toEqual([2, 2])
  })

  test('is made anew when the server ends it', async () => {
    await using db = openPostgres(place, { sleep })
    await db.query(sql => sql`SELECT 1`)
    await postgres.run(
      'postgres',
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'tatum-kms'",
    )
    await sleep(50)
    expect(await one(db)).toBe(1)
  })
})

async function isEncrypted(place: PostgresPlace): Promise<unknown> {
  await using db = openPostgres(place, { sleep })
  const [row] = await db.query(sql => sql`SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()`)
  return Object(row).ssl
}

async function one(db: Pick<ReturnType<typeof openPostgres>, 'query'>): Promise<unknown> {
  const [row] = await db.query(sql => sql`SELECT 1::int AS one`)
  return Object(row).one
}
