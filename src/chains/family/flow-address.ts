import { asString } from '../../base/json.ts'
import type { Network } from '../../base/model.ts'
import type { Hex } from './evm-tx.ts'
import { malformed, refused } from './refusals.ts'

/**
 * Addresses are the words of a linear code, no two of which differ in less than seven bits; on test
 * networks a constant is added to each (flow-go, model/flow/address.go).
 */

/** Columns of the code's parity-check matrix, that of the last bit first. */
const columns = [
  ...Array.from({ length: 19 }, (_, bit) => 1 << bit),
  ...[0x7328d, 0x6689a, 0x6112f, 0x6084b, 0x433fd, 0x42aab, 0x41951, 0x233ce, 0x22a81],
  ...[0x21948, 0x1ef60, 0x1deca, 0x1c639, 0x1bdd8, 0x1a535, 0x194ac, 0x18c46, 0x1632b],
  ...[0x1529b, 0x14a43, 0x13184, 0x12942, 0x118c1, 0x0f812, 0x0e027, 0x0d00e, 0x0c83c],
  ...[0x0b01d, 0x0a831, 0x0982b, 0x07034, 0x0682a, 0x05819, 0x03807, 0x007d2, 0x00727],
  ...[0x0068e, 0x0067c, 0x0059d, 0x004eb, 0x003b4, 0x0036a, 0x002d9, 0x001c7, 0x0003f],
]

/** What is added on each network: the address of account 0, which nobody has. */
const offsets = {
  mainnet: '0000000000000000',
  testnet: '6834ba37b3980209',
} as const satisfies Record<Network, string>

/**
 * Eight bytes that stand for an account of this network. Capital letters say nothing.
 *
 * @param where names the address in errors
 */
export function readFlowAddress(value: unknown, network: Network, where: string): Hex {
  const [, given] = /^0x([0-9a-fA-F]{16})$/.exec(asString(value) ?? '') ?? []
  if (given === undefined) throw malformed(`${where} is not 0x and 16 hex digits`)
  const digits = given.toLowerCase()
  if (isAccount(digits, network)) return `0x${digits}`
  const other = network === 'mainnet' ? 'testnet' : 'mainnet'
  if (isAccount(digits, other)) {
    throw refused(`${where} is an address of Flow's ${other}, and this is ${network}`)
  }
  throw malformed(`${where} is not an address that Flow gives to accounts: a digit may be wrong`)
}

function isAccount(digits: string, network: Network): boolean {
  const offset = offsets[network]
  return digits !== offset && parity(digits) === parity(offset)
}

/** What is left of a word when the code is taken out of it: 0 for the words of the code itself. */
function parity(digits: string): number {
  const bits = [...digits].flatMap(digit => {
    const value = Number.parseInt(digit, 16)
    return [3, 2, 1, 0].map(bit => (value >> bit) & 1)
  })
  return bits.toReversed().reduce((sum, bit, i) => sum ^ (bit * (columns[i] ?? 0)), 0)
}
