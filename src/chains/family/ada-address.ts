import { blake2b } from '@noble/hashes/blake2.js'
import { concat } from '../../base/bytes.ts'
import { KmsError } from '../../base/errors.ts'
import type { Network, PublicKey } from '../../base/model.ts'
import type { Own } from '../chain.ts'
import { decodeBech32, encodeBech32 } from '../codec/bech32.ts'
import { malformed, refused } from './refusals.ts'

/** CIP-19: the lower half of the first byte, and what the text begins with (CIP-5). */
const networks = {
  mainnet: { id: 1, prefix: 'addr' },
  testnet: { id: 0, prefix: 'addr_test' },
} as const

/** CIP-19: the upper half of the first byte. Keys and scripts have types of their own. */
const baseTypes = [0, 1, 2, 3]
const enterpriseTypes = [6, 7]
const hashLength = 28

/** A base address: prefix, 1, 92 digits, 6 of a checksum. */
const maxLength = 108

/** The address of one key that nothing can be staked with. */
export function enterpriseAddress({ bytes }: PublicKey, network: Network): string {
  if (bytes.length !== 32) throw new KmsError('unexpected', 'a key is not one of Cardano')
  const header = Uint8Array.of(0x60 | networks[network].id)
  const hash = blake2b(bytes, { dkLen: hashLength })
  return encodeBech32(networks[network].prefix, concat(header, hash))
}

/** The addresses of our keys, each with the position of its key. */
export function ownAddresses({
  keys,
  network,
}: Pick<Own, 'keys' | 'network'>): ReadonlyMap<string, number> {
  const places = keys.map((key, at) => [enterpriseAddress(key, network), at] as const)
  // The same key may be named twice: its first place counts.
  return new Map(places.toReversed())
}

/** Checks an address that somebody wrote; `where` names its place in a refusal. It has one form. */
export function readAddress(text: string, network: Network, where: string): string {
  const bytes = decodeBech32(networks[network].prefix, text, maxLength)
  if (bytes === undefined) throw explainAddress(text, network, where)
  refuseUnpayable(bytes, network, where)
  return text
}

/** The text form of an address that can be paid to on `network`. */
export function describeAddress(bytes: Uint8Array, network: Network, where: string): string {
  refuseUnpayable(bytes, network, where)
  return encodeBech32(networks[network].prefix, bytes)
}

function explainAddress(text: string, network: Network, where: string): KmsError {
  const other = network === 'mainnet' ? 'testnet' : 'mainnet'
  if (decodeBech32(networks[other].prefix, text, maxLength) === undefined) {
    return malformed(`${where} has no address of Cardano that is paid to here`)
  }
  return refused(`${where} has an address that is not of ${network}`)
}

function refuseUnpayable(bytes: Uint8Array, network: Network, where: string): void {
  const [header = 0] = bytes
  if (!isPayable(header >> 4, bytes.length)) {
    throw refused(`${where} has an address of a kind that is not paid to here`)
  }
  if ((header & 15) !== networks[network].id) {
    throw refused(`${where} has an address that is not of ${network}`)
  }
}

/** Neither pointers, which Conway's ledger resolves no more, nor stake addresses, which hold nothing. */
function isPayable(type: number, length: number): boolean {
  if (baseTypes.includes(type)) return length === 1 + 2 * hashLength
  return enterpriseTypes.includes(type) && length === 1 + hashLength
}
