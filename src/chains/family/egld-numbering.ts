import type { ChainDefinition } from '../chain.ts'
import { countNonces } from './egld-network.ts'
import { decodeEgld, requireAdded } from './egld-signed.ts'
import type { EgldTx } from './egld-tx.ts'
import { refused } from './refusals.ts'

/** How numbers of MultiversX are followed. */
export const egldNumbering: NonNullable<ChainDefinition<EgldTx>['numbering']> = {
  numberOf(txData) {
    const tx = decodeEgld(txData)
    return { sender: tx.sender, number: requireAdded(tx).nonce }
  },
  count: countNonces,
  price: async () => refuseReplacement(),
  replacement: refuseReplacement,
}

/**
 * Versions of its node differ in what they do with a second transaction of a number: some order the
 * two by their gas price, others drop the second (txcache of mx-chain-storage-go).
 */
function refuseReplacement(): never {
  throw refused(
    'a payment of MultiversX that was signed cannot be cancelled: its nodes may drop what is to take its place',
  )
}
