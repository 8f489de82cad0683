import { fromHex } from '../../base/bytes.ts'
import { asString } from '../../base/json.ts'
import { asHex, type Hex } from './evm-tx.ts'
import { type Members, maxUint256, readQuantity } from './members.ts'
import { malformed, refused } from './refusals.ts'

/** Readers of the members that transactions of EVM chains have in JSON. */

const maxUint64 = 2n ** 64n - 1n
/** EIP-2681 allows 64 bits; no account comes near what a double holds exactly. */
export const maxNonce = BigInt(Number.MAX_SAFE_INTEGER)

export function readGas(json: Members): bigint | undefined {
  const gas = readQuantity(json, 'gas', maxUint64)
  return readGasLimit(json) ?? unlessZero(gas)
}

export function readGasLimit(json: Members): bigint | undefined {
  return unlessZero(readQuantity(json, 'gasLimit', maxUint64))
}

/** For the original a price of 0 is a missing one; no network takes 0 for price or gas. */
export function unlessZero(quantity: bigint | undefined): bigint | undefined {
  return quantity === 0n ? undefined : quantity
}

export function checkChainId(json: Members, chainId: number): void {
  const given = readQuantity(json, 'chainId', maxUint256)
  if (given === undefined || given === BigInt(chainId)) return
  throw refused(`chainId is ${given}, but this wallet's network has chain id ${chainId}`)
}

export function readData(json: Members): Hex {
  if (json.has('data') && json.has('input')) throw refused('both data and input are given')
  const name = json.has('input') ? 'input' : 'data'
  const value = json.get(name)
  if (value === undefined) return '0x'
  const bytes = fromHex((asString(value) ?? '-').replace(/^0x/, ''))
  if (bytes === undefined) throw malformed(`${name} is not bytes in hex`)
  return asHex(bytes)
}
