import { ada } from './ada.ts'
import { algo } from './algo.ts'
import { bch } from './bch.ts'
import { bnb } from './bnb.ts'
import { bsc } from './bsc.ts'
import { btc } from './btc.ts'
import { celo } from './celo.ts'
import type { Chain } from './chain.ts'
import { doge } from './doge.ts'
import { egld } from './egld.ts'
import { eth } from './eth.ts'
import { flow } from './flow.ts'
import { kcs } from './kcs.ts'
import { klay } from './klay.ts'
import { ltc } from './ltc.ts'
import { matic } from './matic.ts'
import { one } from './one.ts'
import { sol } from './sol.ts'
import { tron } from './tron.ts'
import { vet } from './vet.ts'
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
  tron,
  bnb,
  sol,
  ada,
  vet,
  algo,
  egld,
  flow,
]

const byId = new Map(chains.map(chain => [chain.id, chain]))

export function findChain(id: string): Chain | undefined {
  return byId.get(id)
}
