import { Database } from 'bun:sqlite'
import { expect, setDefaultTimeout, test } from 'bun:test'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openJournal } from '../../src/daemon/journal-sqlite.ts'
import { openShared } from '../support/journals.ts'
import { hasPostgres, startPostgres } from '../support/postgres.ts'

setDefaultTimeout(30_000)

// docs/format.md tells of each table and column of the journal, and of no other.

const text = readFileSync(join(import.meta.dir, '../../docs/format.md'), 'utf8')
const [, section = ''] = text.split('\n## 3. The journal')
const [journal = ''] = section.split('\n## ')
const [own = '', shared = ''] = journal.split('\n### 3.1 ')
const scope = { vaultId: '00', network: 'mainnet' } as const

test('the columns of the journal in SQLite are those that are told of', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'kms-tables-'))
  const path = join(folder, 'payments.sqlite')
  await (await openJournal(path, scope, Date.now)).close()
  using db = new Database(path, { readonly: true })
  const sql = `SELECT m.name || '.' || c.name AS name
    FROM sqlite_schema m, pragma_table_info(m.name) c WHERE m.type = 'table' ORDER BY 1`
  expect(namesIn(db.query(sql).all())).toEqual(columnsOfPayments(own).toSorted())
  rmSync(folder, { recursive: true })
})

test.skipIf(!hasPostgres)(
  'so are those of the journal in PostgreSQL',
  async () => {
    await using server = await startPostgres()
    const place = await server.createDatabase()
    const opened = openShared(place, scope)
    await opened.probe()
    await opened.close()
    const rows = await server.run(
      place.database,
      `SELECT table_name || '.' || column_name AS name FROM information_schema.columns
     WHERE table_schema = 'public'`,
    )
    const [ofPayments = '', ofOthers = ''] = shared.split('\n| table | column |')
    const told = [...columnsOfPayments(own + ofPayments), ...columnsOfTables(ofOthers)]
    expect(namesIn(rows).toSorted()).toEqual(told.toSorted())
  },
  60_000,
)

/** Rows ``| `a`, `b` | …`` of the tables that begin with `| column |`. */
function columnsOfPayments(part: string): readonly string[] {
  return part
    .split('\n| column |')
    .slice(1)
    .flatMap(table => [...(table.split('\n\n')[0] ?? '').matchAll(/^\| (`.*?`) \|/gm)])
    .flatMap(([, names = '']) => quoted(names).map(name => `payments.${name}`))
}

/** Rows ``| `table` | `a`, `b` | …``; one without a table goes on with that above it. */
function columnsOfTables(part: string): readonly string[] {
  let table = ''
  const [rows = ''] = part.split('\n\n')
  return [...rows.matchAll(/^\| (?:`(\w+)`)? ?\| (`.*?`) \|/gm)].flatMap(
    ([, begun = table, names = '']) => {
      table = begun
      return quoted(names).map(name => `${table}.${name}`)
    },
  )
}

function quoted(names: string): readonly string[] {
  return [...names.matchAll(/`(\w+)`/g)].map(([, name = '']) => name)
}

function namesIn(rows: readonly unknown[]): readonly string[] {
  return rows.map(row => String(Object(row).name))
}
