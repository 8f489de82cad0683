import { ed25519 } from '@noble/curves/ed25519.js'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { keccak_256 } from '@noble/hashes/sha3.js'
import { HDKey } from '@scure/bip32'
import { mnemonicToSeedSync } from '@scure/bip39'
import { Transaction } from '@scure/btc-signer'
import { serializeTransaction } from 'viem'
import { encode, encodeForSigning } from 'xrpl'
import { kinds, type Pending } from './payments.ts'

/**
 * What the cryptography and the encoding of a payment cost on one core, by the libraries alone:
 * nothing is decoded, checked, stored or sent. Signatures a second.
 */
export function rawRate(kind: keyof typeof kinds, pending: readonly Pending[]): number {
  const sign = signers[kind]
  const texts = pending.map(({ serializedTransaction }) => serializedTransaction)
  // Tables are made and code is compiled before it counts.
  for (const text of texts.slice(0, 200)) sign(text, 0)
  const startedAt = Bun.nanoseconds()
  for (const [n, text] of texts.entries()) sign(text, n)
  return texts.length / ((Bun.nanoseconds() - startedAt) / 1e9)
}

const secret = new Uint8Array(32).fill(7)
const account = HDKey.fromMasterSeed(mnemonicToSeedSync(kinds.ethMnemonic.wallet.mnemonic)).derive(
  "m/44'/60'/0'/0",
)

function signEth(text: string, key: Uint8Array): string {
  const { to, value, nonce, gas, gasPrice } = JSON.parse(text)
  const tx = {
    type: 'legacy',
    chainId: 1,
    to,
    nonce,
    value: BigInt(value),
    gas: BigInt(gas),
    gasPrice: BigInt(gasPrice),
  } as const
  const digest = keccak_256(Buffer.from(serializeTransaction(tx).slice(2), 'hex'))
  const bytes = secp256k1.sign(digest, key, { prehash: false, format: 'recovered' })
  const part = (from: number): `0x${string}` =>
    `0x${Buffer.from(bytes.subarray(from, from + 32)).toString('hex')}`
  return serializeTransaction(tx, { r: part(1), s: part(33), v: 37n + BigInt(bytes[0] ?? 0) })
}

const signers: Readonly<Record<keyof typeof kinds, (text: string, n: number) => unknown>> = {
  ethKey: text => signEth(text, secret),
  ethMnemonic(text, n) {
    const { privateKey } = account.deriveChild(n)
    if (privateKey === null) throw new Error('no key')
    return signEth(text, privateKey)
  },
  xrp(text) {
    const tx = { ...JSON.parse(text), SigningPubKey: xrpPublicKey }
    const message = Buffer.from(encodeForSigning(tx), 'hex')
    const signature = secp256k1.sign(sha256(message), secret, { prehash: false, format: 'der' })
    return encode({ ...tx, TxnSignature: Buffer.from(signature).toString('hex').toUpperCase() })
  },
  sol(text) {
    const message = Buffer.from(JSON.parse(text).txData, 'hex')
    return Buffer.concat([Buffer.of(1), ed25519.sign(message, secret), message]).toString('base64')
  },
  btc(text) {
    const { inputs, outputs } = JSON.parse(text)
    const tx = new Transaction({ version: 2 })
    for (const { prevTxId, outputIndex: index, output } of inputs) {
      const script = Buffer.from(output.script, 'hex')
      const witnessUtxo = { amount: BigInt(output.satoshis), script }
      tx.addInput({ txid: prevTxId, index, sequence: 0xffff_ffff, witnessUtxo })
    }
    for (const { satoshis, script } of outputs) {
      tx.addOutput({ amount: BigInt(satoshis), script: Buffer.from(script, 'hex') })
    }
    tx.sign(secret)
    tx.finalize()
    return tx.hex
  },
  tron(text) {
    const { txID, raw_data_hex, ...tx } = JSON.parse(text)
    const digest = sha256(Buffer.from(raw_data_hex, 'hex'))
    const signature = secp256k1.sign(digest, secret, { prehash: false, format: 'recovered' })
    return JSON.stringify({ ...tx, txID, signature: [Buffer.from(signature).toString('hex')] })
  },
}

const xrpPublicKey = Buffer.from(secp256k1.getPublicKey(secret)).toString('hex').toUpperCase()
