import type { Network } from '../../base/model.ts'
import type { Hex } from './evm-tx.ts'

/**
 * A transaction of VeChain with the one clause that web3's JSON can say; what is optional is filled
 * in before it is signed.
 */
export type VetTx = {
  readonly chainTag: number
  /** The first 8 bytes of the id of a block: it counts from there until it expires. */
  readonly blockRef?: Hex
  /** In blocks of 10 seconds. */
  readonly expiration: number
  /** Lower case; absent when a contract is created. */
  readonly to?: Hex
  readonly value: bigint
  /** Lower case, '0x' when there is none. */
  readonly data: Hex
  /** 0 to 255: that many 255ths are paid on top of the base price of gas. */
  readonly gasPriceCoef: number
  readonly gas?: bigint
  /** The id of a transaction that must have succeeded before this one. */
  readonly dependsOn?: Hex
  readonly nonce: bigint
  /** The gas it came with: a node that estimates is told, nothing else reads it. */
  readonly givenGas?: number
}

/** A transaction that lacks nothing. */
export type FilledVetTx = Omit<VetTx, 'givenGas'> & Required<Pick<VetTx, 'blockRef' | 'gas'>>

/** The last byte of the id of a network's first block. Pinned: a node is not asked where we are. */
export const chainTags: Readonly<Record<Network, number>> = { mainnet: 0x4a, testnet: 0x27 }

/** More than a block of the network holds. */
export const maxGas = 40_000_000n

/**
 * Wei of VTHO for a unit of gas. The network keeps its price in a contract; it began with this
 * (thor/params.go, InitialBaseGasPrice) and has only been lowered, so that nothing costs more.
 */
const mostBaseGasPrice = 10n ** 15n

/** The most a transaction with this much gas costs, in wei of VTHO. */
export function mostFee({ gasPriceCoef }: Pick<VetTx, 'gasPriceCoef'>, gas: bigint): bigint {
  const price = mostBaseGasPrice + (mostBaseGasPrice * BigInt(gasPriceCoef)) / 255n
  return gas * price
}

/** The gas of a transaction before anything is executed (thor, tx.IntrinsicGas). */
export function intrinsicVetGas({ to, data }: Pick<VetTx, 'to' | 'data'>): bigint {
  let used = to === undefined ? 5_000n + 48_000n : 5_000n + 16_000n
  for (let at = 2; at < data.length; at += 2) used += data.startsWith('00', at) ? 4n : 68n
  return used
}
