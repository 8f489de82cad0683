import { algo } from './differences/algo.ts'
import { bch } from './differences/bch.ts'
import { bsc } from './differences/bsc.ts'
import { btc } from './differences/btc.ts'
import { celo } from './differences/celo.ts'
import { doge } from './differences/doge.ts'
import { egld } from './differences/egld.ts'
import { eth } from './differences/eth.ts'
import { ltc } from './differences/ltc.ts'
import { matic } from './differences/matic.ts'
import { vet } from './differences/vet.ts'
import { xlm } from './differences/xlm.ts'
import type { Judge } from './outcome.ts'

/** What we do instead in each recorded case where the original is wrong: `CHAIN case` → judge. */
export const differences: Readonly<Record<string, Judge>> = {
  ...btc,
  ...bch,
  ...ltc,
  ...doge,
  ...eth,
  ...bsc,
  ...matic,
  ...xlm,
  ...celo,
  ...vet,
  ...algo,
  ...egld,
}
