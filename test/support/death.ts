import { KmsError } from '../../src/base/errors.ts'
import { type Http, request } from '../../src/base/http.ts'
import type { Journal } from '../../src/daemon/journal.ts'
import type { Ledger } from '../../src/signer/ledger.ts'

/** Every write to ledger and journal and every HTTP exchange is a point, before and after. */
export type Death = {
  readonly http: Http
  ledger(ledger: Ledger): Ledger
  journal(journal: Journal): Journal
  hasCome(): boolean
}

/** At the point with this number everything ends: nothing is done or noted any more. */
export function createDeath(dieAt: number): Death {
  let passed = 0
  const pass = (): void => {
    if (++passed >= dieAt) throw new KmsError('disk', 'dead')
  }
  const between = async <T>(work: () => Promise<T>): Promise<T> => {
    pass()
    const answer = await work()
    pass()
    return answer
  }
  return {
    http: asked => between(() => request(asked)),
    ledger: ledger => ({
      ...ledger,
      commit(entries, decisions) {
        pass()
        ledger.commit(entries, decisions)
        pass()
      },
    }),
    journal: journal => ({
      ...journal,
      record: row => between(() => journal.record(row)),
      renew: row => between(() => journal.renew(row)),
    }),
    hasCome: () => passed >= dieAt,
  }
}

export const immortal: Death = createDeath(Number.POSITIVE_INFINITY)
