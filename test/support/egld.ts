import { ed25519 } from '@noble/curves/ed25519.js'
import type { Completion, Network } from '../../src/base/model.ts'
import type { Prepared } from '../../src/chains/chain.ts'
import { egld } from '../../src/chains/egld.ts'
import { bech32Of } from './bech32.ts'
import { ed25519Own, sealWith } from './ed25519.ts'
import { type Json, pendingOf } from './evm.ts'

export const seed = new Uint8Array(32).fill(7)
export const own = ed25519Own(seed, 'mainnet')
export const from = addressOf(ed25519.getPublicKey(seed))
export const to = addressOf(ed25519.getPublicKey(new Uint8Array(32).fill(8)))
/** The one that issues tokens: a contract. */
export const contract = 'erd1qqqqqqqqqqqqqqqpqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqzllls8a5w6u'

export const good: Json = { from, to, value: '0.5', gasPrice: 1_000_000_000, gasLimit: 50_000 }
export const completion: Completion = {
  nonce: '7',
  gasPrice: '1000000000',
  gasLimit: '500000',
  chainId: '1',
  version: '1',
}

export function addressOf(publicKey: Uint8Array): string {
  return bech32Of('erd', publicKey)
}

export function prepareEgld(
  json: unknown,
  added: Completion = {},
  network: Network = 'mainnet',
): Prepared {
  const fields = { ...completion, ...(network === 'testnet' && { chainId: 'T' }), ...added }
  return egld.prepare(pendingOf(egld, json), ed25519Own(seed, network), fields)
}

export function signEgld(json: Json, added: Completion = {}, network: Network = 'mainnet') {
  return sealWith(prepareEgld(json, added, network), seed)
}
