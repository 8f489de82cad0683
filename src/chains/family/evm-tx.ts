import { hex } from '../../base/bytes.ts'
import { KmsError } from '../../base/errors.ts'

export type Hex = `0x${string}`

export type Access = { readonly address: Hex; readonly storageKeys: readonly Hex[] }

/** A transaction of an EVM chain; what is optional is filled in before it is signed. */
export type EvmTx = {
  /** Type 0 with EIP-155, type 1 (EIP-2930), type 2 (EIP-1559). */
  readonly type: 'legacy' | 'eip2930' | 'eip1559'
  readonly chainId: number
  readonly nonce?: number
  readonly gas?: bigint
  /** The most a unit of gas may cost, in wei: gasPrice, or maxFeePerGas of type 2. */
  readonly price?: bigint
  /** The part of `price` meant for the block's producer: maxPriorityFeePerGas. Type 2 only. */
  readonly tip: bigint
  /** Lower case; absent when a contract is created. */
  readonly to?: Hex
  readonly value: bigint
  /** Lower case, '0x' when there is none. */
  readonly data: Hex
  readonly accessList: readonly Access[]
  /** What a node is told that estimates; nothing else reads it. */
  readonly given?: GivenMembers
}

/** Numbers and data as they came, in hex: a number that is 0 is among them. */
export type GivenMembers = Readonly<Partial<Record<GivenMember, Hex>>>

type GivenMember =
  | 'value'
  | 'data'
  | 'nonce'
  | 'gas'
  | 'gasPrice'
  | 'maxFeePerGas'
  | 'maxPriorityFeePerGas'

/** A transaction that lacks nothing. */
export type FilledTx = Omit<EvmTx, 'given'> & Required<Pick<EvmTx, 'nonce' | 'gas' | 'price'>>

/**
 * What a network demands of the data of a transaction beyond EIP-2028. Named only where it is
 * known to be in force: a payment that the network would take is never refused.
 */
export type DataRules = {
  /** EIP-7623: the least gas that a token of data costs, whatever is executed. */
  readonly gasFloor?: bigint
  /** EIP-3860: the code that makes a contract is this long at most, and each word of it costs 2. */
  readonly maxInitCodeBytes?: number
}

export function asHex(bytes: Uint8Array): Hex {
  return `0x${hex(bytes)}`
}

/** A number as JSON-RPC has it. */
export function quantity(value: bigint | number): Hex {
  return `0x${value.toString(16)}`
}

/** Narrows to a filled transaction: a missing nonce must never be signed as 0. */
export function requireFilled(tx: EvmTx): FilledTx {
  const { given: _, nonce, gas, price, ...rest } = tx
  if (nonce === undefined || gas === undefined || price === undefined) {
    throw new KmsError('unexpected', 'a transaction was to be signed before it was complete')
  }
  return { ...rest, nonce, gas, price }
}

/** The least gas that lets the transaction into a block at all. */
export function intrinsicGas(
  tx: Pick<EvmTx, 'to' | 'data' | 'accessList'>,
  { gasFloor = 0n, maxInitCodeBytes }: DataRules,
): bigint {
  const bytes = tx.data.length / 2 - 1
  const zeros = countZeroBytes(tx.data)
  // EIP-2028: a zero byte counts 1, any other 4; 4 gas each.
  const tokens = BigInt(zeros + 4 * (bytes - zeros))
  const words = maxInitCodeBytes === undefined ? 0 : Math.ceil(bytes / 32)
  // EIP-2, EIP-3860.
  const creation = tx.to === undefined ? 32_000n + 2n * BigInt(words) : 0n
  // EIP-2930.
  const keys = tx.accessList.reduce((count, { storageKeys }) => count + storageKeys.length, 0)
  const access = 2_400n * BigInt(tx.accessList.length) + 1_900n * BigInt(keys)
  const used = 21_000n + 4n * tokens + creation + access
  const floor = 21_000n + gasFloor * tokens
  if (floor > used) return floor
  return used
}

function countZeroBytes(data: Hex): number {
  let count = 0
  for (let at = 2; at < data.length; at += 2) if (data.startsWith('00', at)) count++
  return count
}
