import { bch } from './bch.ts'
import { bsc } from './bsc.ts'
import { btc } from './btc.ts'
import { celo } from './celo.ts'
import type { Chain } from './chain.ts'
import { doge } from './doge.ts'
import { eth } from './eth.ts'
import { kcs } from './kcs.ts'
import { klay } from './klay.ts'
import { ltc } from './ltc.ts'
import { matic } from './matic.ts'
import { one } from './one.ts'
import { xdc } from './xdc.ts'
import { xlm } from './xlm.ts'
import { xrp } from './xrp.ts'

/** Every chain this program signs for: adding one is its file and its line here. */
export const chains: readonly Chain[] = [
  btc,
  bch,
  ltc,
  doge,
  eth,
  bsc,
  matic,
  one,
  kcs,
  xdc,
  celo,
  klay,
  xrp,
  xlm,
]

const byId = new Map(chains.map(chain => [chain.id, chain]))

export function findChain(id: string): Chain | undefined {
  return byId.get(id)
}
