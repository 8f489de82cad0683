import { secp256k1 } from '@noble/curves/secp256k1.js'
import { HDKey } from '@scure/bip32'
import { mnemonicToSeedSync } from '@scure/bip39'
import { KmsError } from '../../src/base/errors.ts'
import type { ChainReads, PendingTx, PublicKey, Signature } from '../../src/base/model.ts'
import type { Chain, Own, Prepared } from '../../src/chains/chain.ts'
import { eth } from '../../src/chains/eth.ts'

export type WalletEntry = {
  readonly privateKey?: string
  readonly mnemonic?: string
  readonly testnet: boolean
}

/** What the vault does in earnest: the private key of a wallet of the original. */
export function privateKeyOf(chain: Chain, wallet: WalletEntry, index?: number): Uint8Array {
  if (wallet.mnemonic === undefined) {
    return Uint8Array.from(Buffer.from((wallet.privateKey ?? '').replace(/^0x/, ''), 'hex'))
  }
  const path = chain.key.derivation.path[wallet.testnet ? 'testnet' : 'mainnet']
  const node = HDKey.fromMasterSeed(mnemonicToSeedSync(wallet.mnemonic)).derive(path)
  const { privateKey } = node.deriveChild(index ?? Number.NaN)
  if (privateKey === null) throw new Error('no private key')
  return privateKey
}

export function publicKeyOf(privateKey: Uint8Array): PublicKey {
  return { curve: 'secp256k1', bytes: secp256k1.getPublicKey(privateKey) }
}

export function ownOf(privateKey: Uint8Array, network: Own['network'] = 'mainnet'): Own {
  return { network, keys: [publicKeyOf(privateKey)] }
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

type Answers = Readonly<Record<string, unknown>>

/** Answers by path, for JSON-RPC by method; what is not in the table is a failure of the test. */
export function readsFrom(answers: Answers, nextNonce?: bigint): ChainReads {
  const answer = async (name: string) => {
    if (!Object.hasOwn(answers, name)) throw new Error(`unexpected request: ${name}`)
    return answers[name]
  }
  return {
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
export const plain = { to, value: '5', gas: '21000', nonce: 7, gasPrice: '20000000000' }

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
