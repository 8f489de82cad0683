import type { Database } from 'bun:sqlite'
import { parseJson } from '../base/json.ts'
import type { Network } from '../base/model.ts'
import { readRowId, resignedId } from './ledger-ids.ts'
import { readFault } from './ledger-tables.ts'

/** A payment with what was recorded beside its bytes. */
export type SignedPayment = {
  readonly pendingId: string
  readonly chain: string
  readonly network: Network
  readonly facts: unknown
  /** Never before that of an earlier commit, wherever the clock was set between them. */
  readonly signedAt: number
}

/** Reads the payments signed from a time on; see `Ledger.signedSince`. */
export function openSignedSince(db: Database): (time: number) => Generator<SignedPayment> {
  // Whatever the clock said then: all that was committed after the first one of that time.
  const since = db.query<Signed, { readonly time: number }>(
    `SELECT pending_id AS id, chain, network, facts, signed_at AS signedAt FROM signed
     WHERE rowid >= (SELECT min(rowid) FROM signed WHERE signed_at >= $time) ORDER BY rowid`,
  )
  const find = db.query<unknown, { readonly id: string }>(
    'SELECT 1 FROM signed WHERE pending_id = $id',
  )
  const read = function* (time: number): Generator<SignedPayment> {
    let newest = 0n
    for (const { id, chain, network, facts, signedAt } of since.iterate({ time })) {
      if (signedAt > newest) newest = signedAt
      const row = readRowId(id)
      // What took the place of a payment pays nobody.
      if (row.kind === 'cancellation') continue
      const { pendingId, version } = row
      if (find.get({ id: resignedId(pendingId, version + 1) }) !== null) continue
      yield { pendingId, chain, network, facts: parseJson(facts), signedAt: Number(newest) }
    }
  }
  return function* (time) {
    try {
      yield* read(time)
    } catch (thrown) {
      throw readFault(thrown)
    }
  }
}

type Signed = {
  readonly id: string
  readonly chain: string
  readonly network: Network
  readonly facts: string
  readonly signedAt: bigint
}
