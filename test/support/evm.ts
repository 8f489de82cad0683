import { secp256k1 } from '@noble/curves/secp256k1.js'
import { HDKey } from '@scure/bip32'
import { mnemonicToSeedSync } from '@scure/bip39'
import type { ChainReads, PendingTx, PublicKey, Signature } from '../../src/base/model.ts'
import type { Chain, Own, Prepared } from '../../src/chains/chain.ts'

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
