import type { JournalScope } from './journal.ts'
import { type Database, own, readerOf } from './journal-rows.ts'
import type { Epoch, LeaseStore } from './leases.ts'

/** Leases in a table that daemons share: how long they last goes by the clock of the database. */
export function leaseTable(
  { query }: Database,
  scope: JournalScope,
  { owner, leaseMs }: { readonly owner: string; readonly leaseMs: number },
): LeaseStore {
  const { vaultId, network } = scope
  return {
    async take(names) {
      // In one order for all daemons: none waits for one that waits for it.
      const wanted = [...new Set(names)].toSorted()
      const rows = await query(sql => {
        const until = sql`clock_timestamp() + ${leaseMs}::int * interval '1 millisecond'`
        return sql`
          WITH wanted AS (SELECT unnest(${sql.array(wanted, 'TEXT')}::text[]) AS name),
          free AS (
            SELECT name FROM leases
            WHERE ${own(sql, scope)} AND name IN (SELECT name FROM wanted)
              AND (until <= clock_timestamp() OR owner = ${owner})
            FOR UPDATE SKIP LOCKED
          ),
          taken AS (
            UPDATE leases
            SET owner = ${owner}, epoch = nextval('epochs'), until = ${until}
            FROM free WHERE ${own(sql, scope)} AND leases.name = free.name
            RETURNING leases.name, leases.epoch
          ),
          made AS (
            INSERT INTO leases (vault_id, network, name, owner, epoch, until)
            SELECT ${vaultId}, ${network}, name, ${owner}, nextval('epochs'), ${until}
            FROM wanted
            WHERE NOT EXISTS (
              SELECT FROM leases WHERE ${own(sql, scope)} AND leases.name = wanted.name)
            ORDER BY name
            ON CONFLICT DO NOTHING
            RETURNING name, epoch
          )
          SELECT name, epoch::text AS epoch FROM taken
          UNION ALL SELECT name, epoch::text FROM made`
      })
      return epochsIn(rows)
    },
    async renew(epochs) {
      const rows = await query(
        sql => sql`
          UPDATE leases
          SET until = clock_timestamp() + ${leaseMs}::int * interval '1 millisecond'
          WHERE ${own(sql, scope)} AND owner = ${owner} AND until > clock_timestamp()
            AND epoch::text = ANY (${sql.array([...epochs], 'TEXT')}::text[])
          RETURNING name, epoch::text AS epoch`,
      )
      return epochsIn(rows)
    },
    async drop(epochs) {
      await query(
        sql => sql`
          DELETE FROM leases
          WHERE ${own(sql, scope)} AND owner = ${owner}
            AND epoch::text = ANY (${sql.array([...epochs], 'TEXT')}::text[])`,
      )
    },
  }
}

function epochsIn(rows: readonly unknown[]): ReadonlyMap<string, Epoch> {
  return new Map(
    rows.map(row => {
      const { text } = readerOf(row)
      return [text('name'), text('epoch')] as const
    }),
  )
}
