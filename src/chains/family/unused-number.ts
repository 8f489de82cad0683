import type { ChainReads } from '../../base/model.ts'

/**
 * The first number of an account that neither the network nor our ledger has: a server does not
 * count what it has not seen yet.
 *
 * @param account as the chain's claims name it
 */
export async function unusedNumber(
  account: string,
  counted: bigint,
  reads: ChainReads,
): Promise<bigint> {
  const own = (await reads.nextNonce(account, counted)) ?? 0n
  return own > counted ? own : counted
}
