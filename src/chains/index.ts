import { btc } from './btc.ts'
import type { Chain } from './chain.ts'
import { eth } from './eth.ts'

/** Every chain this program signs for: adding one is its file and its line here. */
export const chains: readonly Chain[] = [btc, eth]

const byId = new Map(chains.map(chain => [chain.id, chain]))

export function findChain(id: string): Chain | undefined {
  return byId.get(id)
}
