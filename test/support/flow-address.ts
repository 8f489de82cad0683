import type { Network } from '../../src/base/model.ts'

/** Addresses of Flow as its accounts are numbered: no code and no table of the program. */

/** Rows of the generator matrix (flow-go, model/flow/address.go): account 2^i of mainnet. */
const rows = (
  'e467b9dd11fa00df f233dcee88fe0abe f919ee77447b7497 fc8cf73ba23a260d fe467b9dd11ee2a1 ' +
  'ff233dcee888d807 ff919ee774476ce6 7fc8cf73ba231d10 3fe467b9dd11b183 1ff233dcee8f96d6 ' +
  '8ff919ee774757ba 47fc8cf73ba2b331 23fe467b9dd27f6c 11ff233dceee8e82 88ff919ee775dd8f ' +
  '447fc8cf73b905e4 a23fe467b9de0d83 d11ff233dce8d5a7 e88ff919ee73c38a 7447fc8cf73f171f ' +
  'ba23fe467b9dcb2b dd11ff233dcb0cb4 ee88ff919ee26c5d 77447fc8cf775dd3 3ba23fe467b9b5a1 ' +
  '9dd11ff233d9117a cee88ff919efa640 e77447fc8cf3e297 73ba23fe467fabd2 b9dd11ff233fb16c ' +
  'dcee88ff919adde7 ee77447fc8ceb196 f73ba23fe4621cd0 7b9dd11ff2379ac3 3dcee88ff91df46c ' +
  '9ee77447fc88e702 cf73ba23fe4131b6 67b9dd11ff240f9a 33dcee88ff90f9e0 19ee77447fcff4e3 ' +
  '8cf73ba23fe64091 467b9dd11ff115c7 233dcee88ffdb735 919ee77447fe2309 c8cf73ba23fdc736'
)
  .split(' ')
  .map(digits => BigInt(`0x${digits}`))

const testnetOffset = 0x6834ba37b3980209n

export const accounts = 2 ** rows.length

/** The address of the account with this number, which accounts have from 1 on. */
export function flowAddress(account: number, network: Network): string {
  const start = network === 'testnet' ? testnetOffset : 0n
  const bits = BigInt(account)
  const word = rows.reduce((sum, row, i) => ((bits >> BigInt(i)) & 1n ? sum ^ row : sum), start)
  return `0x${word.toString(16).padStart(16, '0')}`
}

/** Addresses in a text, of testnet, as those of the accounts with the same numbers on `network`. */
export function movedAddresses(text: string, network: Network): string {
  if (network === 'testnet') return text
  return text.replaceAll(/\b0x[0-9a-f]{16}\b/g, address => {
    const word = BigInt(address) ^ testnetOffset
    return `0x${word.toString(16).padStart(16, '0')}`
  })
}
