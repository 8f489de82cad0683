import { secp256k1 } from '@noble/curves/secp256k1.js'
import { HDKey } from '@scure/bip32'
import { mnemonicToSeedSync } from '@scure/bip39'
import type { KeyRef } from '../../src/base/model.ts'
import type { Chain } from '../../src/chains/chain.ts'
import type { RecordedCase } from './recorded-cases.ts'
import type { TestKey } from './utxo.ts'

/** The key of a recorded wallet of Bitcoin's kind, by libraries the program does not use for it. */
export function recordedKey(
  chain: Chain,
  { signatureId, index }: KeyRef,
  { wallets, network }: RecordedCase,
): TestKey {
  const { mnemonic, privateKey } = wallets[signatureId] ?? {}
  if (privateKey !== undefined) return fromWif(privateKey)
  const { derivation } = chain.key
  if (mnemonic === undefined || index === undefined || derivation?.kind !== 'bip32') {
    throw new Error('the case names no key')
  }
  const root = HDKey.fromMasterSeed(mnemonicToSeedSync(mnemonic))
  const node = root.derive(derivation.path[network]).deriveChild(index)
  if (node.privateKey === null || node.publicKey === null) throw new Error('no key')
  return { secret: node.privateKey, publicKey: node.publicKey }
}

/** 37 or 38 bytes in base58: version, key, 01 when compressed, checksum. */
function fromWif(text: string): TestKey {
  const alphabet = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'
  const value = [...text].reduce((sum, digit) => sum * 58n + BigInt(alphabet.indexOf(digit)), 0n)
  const bytes = Buffer.from(value.toString(16).padStart(2, '0'), 'hex')
  const secret = Uint8Array.from(bytes.subarray(1, 33))
  return { secret, publicKey: secp256k1.getPublicKey(secret, bytes.length === 38) }
}
