import { secp256k1 } from '@noble/curves/secp256k1.js'
import { HDKey } from '@scure/bip32'
import { mnemonicToSeedSync } from '@scure/bip39'
import { KmsError } from '../../src/base/errors.ts'
import type { ChainReads, Network, PendingTx, PublicKey, Signature } from '../../src/base/model.ts'
import { bsc } from '../../src/chains/bsc.ts'
import type { Chain, Own, Prepared } from '../../src/chains/chain.ts'
import { eth } from '../../src/chains/eth.ts'
import { kcs } from '../../src/chains/kcs.ts'
import { matic } from '../../src/chains/matic.ts'
import { one } from '../../src/chains/one.ts'
import { defaultSettings } from '../../src/chains/settings.ts'
import { xdc } from '../../src/chains/xdc.ts'
import type { RecordedWallet } from './recorded-cases.ts'

/** One chain of the family, by protocol 1.5, 1.8, 4.2 and 4.3: nothing here comes from its own file. */
export type FamilyMember = {
  readonly chain: Chain
  readonly id: string
  readonly chainId: Readonly<Record<Network, number>>
  readonly slug: string
  readonly coin: number
  readonly prefix: '0x' | 'xdc'
  /** The most a payment may cost, in coins. */
  readonly feeCap: bigint
}

export const family: readonly FamilyMember[] = [
  member(eth, 'ETH', [1, 11_155_111], { slug: 'ethereum', coin: 60, feeCap: 1n }),
  member(bsc, 'BSC', [56, 97], { slug: 'bsc', coin: 60, feeCap: 1n }),
  member(matic, 'MATIC', [137, 80_002], { slug: 'polygon', coin: 966 }),
  member(one, 'ONE', [1_666_600_000, 1_666_700_000], { slug: 'one', coin: 1023 }),
  member(kcs, 'KCS', [321, 322], { slug: 'kcs', coin: 60 }),
  member(xdc, 'XDC', [50, 51], { slug: 'xdc', coin: 550, prefix: 'xdc' }),
]

function member(
  chain: Chain,
  id: string,
  [mainnet, testnet]: readonly [number, number],
  rest: Pick<FamilyMember, 'slug' | 'coin'> & Partial<FamilyMember>,
): FamilyMember {
  return { chain, id, chainId: { mainnet, testnet }, prefix: '0x', feeCap: 100n, ...rest }
}

/** What the vault does in earnest: the private key of a wallet of the original. */
export function privateKeyOf(
  chain: Chain,
  { mnemonic, privateKey = '' }: RecordedWallet,
  network: Network,
  index?: number,
): Uint8Array {
  if (mnemonic === undefined) return Uint8Array.from(Buffer.from(privateKey.slice(-64), 'hex'))
  const { derivation } = chain.key
  if (derivation?.kind !== 'bip32') throw new Error('the chain has no mnemonics')
  const node = HDKey.fromMasterSeed(mnemonicToSeedSync(mnemonic)).derive(derivation.path[network])
  const child = node.deriveChild(index ?? Number.NaN)
  if (child.privateKey === null) throw new Error('no private key')
  return child.privateKey
}

export function publicKeyOf(privateKey: Uint8Array): PublicKey {
  return { curve: 'secp256k1', bytes: secp256k1.getPublicKey(privateKey) }
}

export function ownOf(privateKey: Uint8Array, network: Network = 'mainnet'): Own {
  return { network, keys: [publicKeyOf(privateKey)], settings: defaultSettings }
}

/** What the signer does in earnest: one signature per request. */
export function signAll({ requests }: Prepared, privateKey: Uint8Array): readonly Signature[] {
  return requests.map(({ message }) => {
    const signed = secp256k1.sign(message, privateKey, { prehash: false, format: 'recovered' })
    return { bytes: signed.subarray(1), recovery: signed[0] ?? -1 }
  })
}

export function pendingOf(chain: Chain, json: unknown, more: Partial<PendingTx> = {}): PendingTx {
  return {
    id: '0123456789abcdef01234567',
    chain: chain.id,
    serializedTransaction: typeof json === 'string' ? json : JSON.stringify(json),
    hashes: ['63dde41a-ad9c-4b4b-a697-16af06cd976c'],
    signatures: [],
    ...more,
  }
}

function unexpected(name: string): never {
  throw new Error(`unexpected request: ${name}`)
}

/** Reads of which every one is a failure of the test. */
export const noReads: ChainReads = {
  get: async path => unexpected(path),
  post: async path => unexpected(path),
  rpc: async (_path, method) => unexpected(method),
  node: unexpected,
  nextNonce: async () => undefined,
  warn: unexpected,
  wait: async () => unexpected('wait'),
}

type Answers = Readonly<Record<string, unknown>>

/** Answers by path, for JSON-RPC by method; what is not in the table is a failure of the test. */
export function readsFrom(answers: Answers, nextNonce?: bigint): ChainReads {
  const answer = async (name: string) => {
    return Object.hasOwn(answers, name) ? answers[name] : unexpected(name)
  }
  return {
    ...noReads,
    get: path => answer(path),
    rpc: (_path, method) => answer(method),
    nextNonce: async () => nextNonce,
  }
}

/** A key for tests, its address, and a payment it can make. */
export const key = new Uint8Array(32).fill(7)
export const own = ownOf(key)
export const from = eth.address(publicKeyOf(key), 'mainnet')
export const to = '0x687422eea2cb73b5d3e242ba5456b782919afc85'
export const token = '0xdac17f958d2ee523a2206206994597c13d831ec7'
export const slot = `0x${'00'.repeat(31)}07`
/** Complete on every chain: where `gas` is taken for a guess, `gasLimit` is not. */
export const plain = { to, value: '5', gasLimit: '21000', nonce: 7, gasPrice: '20000000000' }

export type Json = Readonly<Record<string, unknown>>

export function thrownBy(work: () => unknown): KmsError {
  try {
    work()
  } catch (thrown) {
    if (thrown instanceof KmsError) return thrown
    throw thrown
  }
  throw new Error('nothing was refused')
}
