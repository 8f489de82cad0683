import { parseStrictJson } from '../../base/strict-json.ts'
import type { CeloTx } from './celo-tx.ts'
import { readAddress } from './evm-address.ts'
import { checkPayload } from './evm-json.ts'
import { maxNonce, readData, readGasLimit, unlessZero } from './evm-members.ts'
import { type Hex, quantity } from './evm-tx.ts'
import { type Members, maxUint256, readMembers, readQuantity } from './members.ts'
import { refused } from './refusals.ts'

const members = [
  'chainId',
  'from',
  'feeCurrency',
  'to',
  'value',
  'data',
  'nonce',
  'gasLimit',
  'gasPrice',
]

/**
 * Reads the JSON of Celo's own SDK (protocol 4.4). The first of `chainIds` is meant where none is
 * named; `from`, where it is named, is the wallet's address.
 */
export function decodeCeloJson(
  serialized: string,
  chainIds: readonly [number, ...number[]],
  from: Hex,
): CeloTx {
  const json = readMembers(parseStrictJson(serialized), 'transaction', members)
  checkSender(json, from)
  const nonce = readQuantity(json, 'nonce', maxNonce)
  const gas = readGasLimit(json)
  const price = unlessZero(readQuantity(json, 'gasPrice', maxUint256))
  const value = readQuantity(json, 'value', maxUint256)
  const data = readData(json)
  const tx: CeloTx = {
    chainId: readChainId(json, chainIds),
    ...(nonce !== undefined && { nonce: Number(nonce) }),
    ...(gas !== undefined && { gas }),
    ...(price !== undefined && { price }),
    ...(json.has('feeCurrency') && {
      feeCurrency: readAddress(json.get('feeCurrency'), 'feeCurrency'),
    }),
    ...(json.has('to') && { to: readAddress(json.get('to'), 'to') }),
    value: value ?? 0n,
    data,
    given: {
      ...(value !== undefined && { value: quantity(value) }),
      ...(json.has('data') && { data }),
      ...(json.has('gasLimit') && { gas: quantity(gas ?? 0n) }),
    },
  }
  checkPayload({ ...tx, accessList: [] }, {})
  return tx
}

function checkSender(json: Members, own: Hex): void {
  if (json.has('from') && readAddress(json.get('from'), 'from') !== own) {
    throw refused('from is not the address of the wallet that is to sign')
  }
}

function readChainId(json: Members, chainIds: readonly [number, ...number[]]): number {
  const given = readQuantity(json, 'chainId', maxUint256)
  if (given === undefined) return chainIds[0]
  const known = chainIds.find(id => BigInt(id) === given)
  if (known !== undefined) return known
  const ids = chainIds.join(' or ')
  throw refused(`chainId is ${given}, but this wallet's network has chain id ${ids}`)
}
