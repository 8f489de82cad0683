import { KmsError } from '../../base/errors.ts'
import type { Network, PublicKey } from '../../base/model.ts'
import { decodeBech32, encodeBech32 } from '../codec/bech32.ts'

/** A transaction of MultiversX; what the network has to say is added before it is signed. */
export type EgldTx = {
  readonly sender: string
  readonly receiver: string
  /** In units of 10^-18 EGLD. */
  readonly value: bigint
  /** Empty when there is none. */
  readonly data: string
  readonly added?: EgldFields
}

export type EgldFields = {
  readonly nonce: bigint
  readonly gasPrice: bigint
  readonly gasLimit: bigint
  readonly chainId: string
  readonly version: number
}

/** Pinned: a server that names another chain is not believed. The testnets are T and D. */
export const chainIds: Readonly<Record<Network, readonly string[]>> = {
  mainnet: ['1'],
  testnet: ['T', 'D'],
}

/** Addresses are the same on both testnets; numbers are not. */
export function accountOf(address: string, chainId: string): string {
  return chainId === 'D' ? `${address}_${chainId}` : address
}

const prefix = 'erd'

export function egldAddress({ curve, bytes }: PublicKey): string {
  if (curve === 'ed25519' && bytes.length === 32) return spellAddress(bytes)
  throw new KmsError('unexpected', 'a key is not an ed25519 public key')
}

export function spellAddress(bytes: Uint8Array): string {
  return encodeBech32(prefix, bytes)
}

/** The 32 bytes of an address; undefined for anything else. */
export function addressBytes(text: string): Uint8Array | undefined {
  const bytes = decodeBech32(prefix, text)
  return bytes?.length === 32 ? bytes : undefined
}

/** Addresses of contracts begin with eight zeros; no key has such an address. */
export function isContract(address: string): boolean {
  return (
    addressBytes(address)
      ?.subarray(0, 8)
      .every(byte => byte === 0) ?? false
  )
}

/** The gas for carrying a transaction: it is paid whatever the transaction does. */
export function moveGas({ data }: Pick<EgldTx, 'data'>): bigint {
  return 50_000n + 1_500n * BigInt(Buffer.byteLength(data))
}

/** The most a transaction costs: gas beyond that for carrying it has a hundredth of its price. */
export function mostFee(tx: Pick<EgldTx, 'data'>, { gasPrice, gasLimit }: EgldFields): bigint {
  const moved = moveGas(tx)
  return gasPrice * moved + (gasPrice * (gasLimit - moved) + 99n) / 100n
}
