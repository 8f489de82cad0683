import { afterAll, describe, expect, test } from 'bun:test'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { passwordIn, sharedJournal } from '../../src/cli/shared-journal.ts'
import { refusalOf as faultOf } from '../support/secret.ts'

const folder = mkdtempSync(join(tmpdir(), 'kms-shared-place-'))
afterAll(() => rmSync(folder, { recursive: true }))

describe('the place of a shared journal', () => {
  test('is not given where there is a folder, or nothing', () => {
    expect(sharedJournal(given({}))).toBeNull()
    expect(sharedJournal(given({ journal: '/var/lib/journal' }))).toBeNull()
    expect(sharedJournal(given({ journal: 'postgres' }))).toBeNull()
    // A folder on the command line goes before the variable.
    const url = 'postgres://kms@localhost/kms'
    expect(sharedJournal(given({ journal: 'here' }, { TATUM_KMS_JOURNAL_URL: url }))).toBeNull()
  })

  test('is read from the flag or the variable', () => {
    const local = { host: '127.0.0.1', port: 5432, database: 'kms', user: 'me', secure: null }
    expect(placeOf('postgres://me@127.0.0.1/kms')).toEqual({ ...local, password: null })
    expect(placeOf('postgresql://me@127.0.0.1:6000/kms')).toMatchObject({ port: 6_000 })
    const url = 'postgres://a%40b:p%2Fw@[::1]/k%20m'
    expect(sharedJournal(given({}, { TATUM_KMS_JOURNAL_URL: url }))).toMatchObject({
      ...{ host: '::1', database: 'k m', user: 'a@b', password: 'p/w', secure: null },
    })
    expect(placeOf('postgres://me@localhost/kms?host=/run/postgresql')).toMatchObject({
      ...{ host: '/run/postgresql', secure: null },
    })
  })

  test('is spoken to with TLS, unless it is on this machine', () => {
    expect(placeOf('postgres://me@db.internal/kms')).toMatchObject({
      secure: { authorities: null },
    })
    for (const mode of ['require', 'verify-full']) {
      const place = placeOf(`postgres://me@127.0.0.1/kms?sslmode=${mode}`)
      expect(place).toMatchObject({ secure: { authorities: null } })
    }
    const without = (mode: string) => () => placeOf(`postgres://me@db/kms?sslmode=${mode}`)
    expect(refusalOf(without('disable'))).toContain('without TLS')
    for (const mode of ['prefer', 'allow', 'verify-ca', '']) {
      expect(refusalOf(without(mode))).toContain('sslmode is verify-full')
    }
    expect(placeOf('postgres://me@localhost/kms?sslmode=disable')).toMatchObject({ secure: null })
    // Not this machine, whatever it begins with.
    for (const host of ['127.0.0.1.example', 'localhost.example', '0.0.0.0', '10.0.0.1']) {
      expect(placeOf(`postgres://me@${host}/kms`)).toMatchObject({ secure: { authorities: null } })
    }
  })

  test('has its password from PGPASSWORD or a password file', () => {
    const url = { journal: 'postgres://me@localhost/kms' }
    expect(sharedJournal(given(url, { PGPASSWORD: 'one' }))?.password).toBe('one')
    const path = join(folder, 'pgpass')
    writeFileSync(path, '# mine\nlocalhost:5432:kms:me:two\n', { mode: 0o600 })
    expect(sharedJournal(given(url, { PGPASSFILE: path }))?.password).toBe('two')
    chmodSync(path, 0o644)
    expect(refusalOf(() => sharedJournal(given(url, { PGPASSFILE: path })))).toContain(path)
  })

  test.each([
    ['db:5432:kms:me:pw', 'pw'],
    ['*:*:*:*:any', 'any'],
    ['db:5432:kms:you:no\ndb:*:kms:me:yes', 'yes'],
    ['db:5432:kms:me:with\\:colon\\\\', 'with:colon\\'],
    ['db:5433:kms:me:no', undefined],
    ['db:5432:kms:me', undefined],
    ['db:5432:kms:me:', undefined],
    ['', undefined],
    ['::::\n:', undefined],
  ])('takes from a password file of %j the password %p', (text, password) => {
    expect(passwordIn(text, { host: 'db', port: 5432, database: 'kms', user: 'me' })).toBe(password)
  })

  test.each([
    'postgres:',
    'postgres://',
    'postgres://localhost/kms',
    'postgres://me@localhost',
    'postgres://me@localhost/',
    'postgres://me@localhost/a/b',
    'postgres://me@/kms',
    'postgres://me@localhost/kms#x',
    'postgres://me@localhost:0x1/kms',
    'postgres://me@localhost:99999/kms',
    'postgres://%zz@localhost/kms',
    'postgres://me@localhost/kms?options=-c%20fsync=off',
    'postgres://me@localhost/kms?sslrootcert=/no/such/file',
  ])('is refused as %s, and not repeated', address => {
    for (const context of [
      given({ journal: address }),
      given({}, { TATUM_KMS_JOURNAL_URL: address }),
    ]) {
      const refusal = refusalOf(() => sharedJournal(context))
      expect(refusal).not.toBe(' ')
      expect(refusal).not.toContain('localhost')
    }
  })

  test('is refused on a command line with a password in it, and never told', () => {
    const journal = 'postgres://me:hunter2@localhost/kms'
    const refusal = refusalOf(() => sharedJournal(given({ journal })))
    expect(refusal).toContain('seen by all users')
    expect(refusal).not.toContain('hunter2')
  })

  test('has a lease of 30 seconds, or of another length that makes sense', () => {
    const journal = 'postgres://me@localhost/kms'
    expect(sharedJournal(given({ journal }))?.leaseMs).toBe(30_000)
    expect(sharedJournal(given({ journal, lease: '2.5' }))?.leaseMs).toBe(2_500)
    for (const lease of ['0', '0.9', '3601', '-1', 'x', '']) {
      expect(refusalOf(() => sharedJournal(given({ journal, lease })))).toContain('--lease')
    }
    expect(refusalOf(() => sharedJournal(given({ lease: '5' })))).toContain('--lease')
  })
})

/** All that is said. */
function refusalOf(work: () => unknown): string {
  const { message, hint = '' } = faultOf(work)
  return `${message} ${hint}`
}

type Texts = Readonly<Record<string, string>>

function given(options: Texts, variables: Texts = {}) {
  const variable = (name: string): string | undefined => variables[name]
  // The password file of whoever runs this is nobody's business.
  const own = (name: string): string | undefined =>
    variable(name) ?? (name === 'PGPASSFILE' ? join(folder, 'none') : undefined)
  return { text: (name: string) => options[name], variable: own, privateVariable: variable }
}

function placeOf(journal: string) {
  const { machine, leaseMs, ...place } = sharedJournal(given({ journal })) ?? {}
  expect(machine).toMatch(/^[\w.-]{1,64}$/)
  expect(leaseMs).toBe(30_000)
  return place
}
