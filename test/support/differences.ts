import { btc } from './differences/btc.ts'
import { eth } from './differences/eth.ts'
import type { Judge } from './outcome.ts'

/** What we do instead in each recorded case where the original is wrong: `CHAIN case` → judge. */
export const differences: Readonly<Record<string, Judge>> = {
  ...btc,
  ...eth,
}
