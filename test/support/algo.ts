import { createHash } from 'node:crypto'
import { ed25519 } from '@noble/curves/ed25519.js'
import type { Network } from '../../src/base/model.ts'
import { algo } from '../../src/chains/algo.ts'
import type { Prepared } from '../../src/chains/chain.ts'
import { ed25519Own, sealWith } from './ed25519.ts'
import { type Json, pendingOf } from './evm.ts'

export const seed = new Uint8Array(32).fill(7)
export const ownKey = ed25519.getPublicKey(seed)
export const otherKey = ed25519.getPublicKey(new Uint8Array(32).fill(8))
export const own = ed25519Own(seed, 'testnet')

const genesis = {
  mainnet: ['mainnet-v1.0', 'wGHE2Pwdvd7S12BL5FaOP20EGYesN73ktiC1qzkkit8='],
  testnet: ['testnet-v1.0', 'SGO1GKSzyE7IEPItTxCByw9x8FmnrCDexi9/cOUJOiI='],
} as const

/** What JSON makes of a Uint8Array. */
export function indexed(bytes: Uint8Array): Json {
  return Object.fromEntries(bytes.entries())
}

export function account(publicKey: Uint8Array): Json {
  const checksum = createHash('sha512-256').update(publicKey).digest().subarray(28)
  return { publicKey: indexed(publicKey), checksum: indexed(checksum) }
}

/** What JSON makes of algosdk's Transaction. */
export function algoJson(changes: Json = {}, network: Network = 'testnet'): Json {
  const [genesisID, hash] = genesis[network]
  return {
    name: 'Transaction',
    tag: { type: 'Buffer', data: [84, 88] },
    from: account(ownKey),
    note: {},
    flatFee: true,
    fee: 1_000,
    firstRound: 21_000_000,
    lastRound: 21_001_000,
    genesisID,
    genesisHash: { type: 'Buffer', data: [...Buffer.from(hash, 'base64')] },
    appArgs: [],
    lease: {},
    ...changes,
  }
}

export const payment: Json = { type: 'pay', to: account(otherKey), amount: 5 }
export const transfer: Json = { ...payment, type: 'axfer', assetIndex: 10_458_941 }
export const creation: Json = { type: 'acfg', assetTotal: 1_000_000 }
export const destruction: Json = { type: 'acfg', assetIndex: 10_458_941 }

export function prepareAlgo(changes: Json, network: Network = 'testnet'): Prepared {
  const pending = pendingOf(algo, algoJson(changes, network))
  return algo.prepare(pending, ed25519Own(seed, network), {})
}

export function signAlgo(changes: Json, network: Network = 'testnet') {
  return sealWith(prepareAlgo(changes, network), seed)
}
