import { secp256k1 } from '@noble/curves/secp256k1.js'
import { keccak_256 } from '@noble/hashes/sha3.js'
import { fromHex } from '../../base/bytes.ts'
import { KmsError } from '../../base/errors.ts'
import type { Intent, KeyRef, Network, Output, PendingTx, PublicKey } from '../../base/model.ts'
import { type Chain, defineChain, type Own } from '../chain.ts'
import { readTokenCall, type TokenCall } from './evm-calls.ts'
import { type EvmSources, fillIn, readCompletion } from './evm-completion.ts'
import { decodeEnvelope, encodeEnvelope } from './evm-envelope.ts'
import { decodeWeb3Json } from './evm-json.ts'
import { asHex, type EvmTx, type Hex, requireFilled } from './evm-tx.ts'

/** What tells one EVM chain from another. */
export type EvmNumbers = {
  readonly id: string
  readonly name: string
  /** Pinned: a server that names another chain is not believed (EIP-155). */
  readonly chainId: Readonly<Record<Network, number>>
  /** SLIP-44, mainnet; every testnet is 1. */
  readonly coin: number
  readonly sources: EvmSources
  readonly broadcast: { readonly path: string; readonly offchain: boolean }
  /** In wei. */
  readonly feeCap: bigint
}

export function evmChain(numbers: EvmNumbers): Chain {
  const { id, name, chainId, coin, sources, broadcast, feeCap } = numbers
  return defineChain<EvmTx>({
    id,
    name,
    key: {
      curve: 'secp256k1',
      derivation: {
        kind: 'bip32',
        path: { mainnet: `m/44'/${coin}'/0'/0`, testnet: `m/44'/1'/0'/0` },
        xpub: { mainnet: 0x0488b21e, testnet: 0x0488b21e },
      },
      text: { kind: 'hex', prefix: '0x' },
    },
    walletShape: ['xpub', 'mnemonic', 'privateKey'],
    address: publicKey => addressOf(publicKey),
    keys: signingKey,
    decode(serialized, { network }, pending) {
      const tx = decodeWeb3Json(serialized, chainId[network])
      const isOffchain = broadcast.offchain && pending.withdrawalId !== undefined
      return isOffchain ? withoutGas(tx) : tx
    },
    intent: (tx, own) => describe(tx, ownAddress(own), id),
    complete: (tx, own, reads) => readCompletion(tx, ownAddress(own), sources, reads),
    fill: fillIn,
    claims: (tx, own) => [`nonce/${ownAddress(own)}/${requireFilled(tx).nonce}`],
    messages: tx => [
      { key: 0, algorithm: 'ecdsa-secp256k1', message: hash(encodeEnvelope(requireFilled(tx))) },
    ],
    assemble(tx, _own, signatures) {
      const [signature, ...rest] = signatures
      if (signature === undefined || rest.length > 0) {
        throw new KmsError('unexpected', `a transaction of ${name} takes one signature`)
      }
      const txData = encodeEnvelope(requireFilled(tx), signature)
      return { txData, txId: asHex(hash(txData)) }
    },
    decodeSigned: txData => decodeEnvelope(txData),
    feeCap: () => feeCap,
    broadcast,
  })
}

/** One key signs. The original takes the first of several, too. */
function signingKey({ hashes, signatures, index }: PendingTx): readonly KeyRef[] {
  const [signatureId] = hashes
  if (signatureId !== undefined) return [{ signatureId, ...(index !== undefined && { index }) }]
  const [derived] = signatures
  if (derived !== undefined) return [{ signatureId: derived.id, index: derived.index }]
  throw new KmsError('transaction-refused', 'transaction names no wallet to sign with')
}

/** Off-chain, Tatum's gas is a guess: the original always estimates anew (protocol 4.2). */
function withoutGas({ gas, ...tx }: EvmTx): EvmTx {
  return gas === undefined ? tx : { ...tx, offeredGas: gas }
}

function describe(tx: EvmTx, from: Hex, coin: string): Intent {
  const { to, value, data, gas, price } = tx
  const fee = gas !== undefined && price !== undefined && { amount: gas * price, asset: coin }
  const native = { to: to ?? 'new contract', amount: value, asset: coin, own: to === from }
  const common = { from: [from], ...(fee && { fee }) }
  if (to === undefined) {
    return { kind: 'contract-creation', ...common, outputs: [native], unread: true }
  }
  if (data === '0x') return { kind: 'transfer', ...common, outputs: [native] }
  const call = readTokenCall(data)
  if (call === undefined) {
    return { kind: 'contract-call', ...common, outputs: [native], unread: true }
  }
  const { kind, holder = from, unread } = call
  return {
    kind,
    // Tokens of somebody else, moved with a power given earlier.
    from: holder === from ? [from] : [from, holder],
    ...(fee && { fee }),
    outputs: [...(value > 0n ? [native] : []), ...tokenOutputs(call, `${coin}:${to}`, from)],
    ...(unread && { unread }),
  }
}

function tokenOutputs({ to, items }: TokenCall, asset: string, from: Hex): readonly Output[] {
  return items.map(({ amount, tokenId }) => ({
    to,
    amount,
    asset: tokenId === undefined ? asset : `${asset}#${tokenId}`,
    own: to === from,
  }))
}

function ownAddress({ keys: [key] }: Own): Hex {
  if (key === undefined) throw new KmsError('unexpected', 'a transaction came without its key')
  return addressOf(key)
}

/** Decompressing a key costs a quarter of a signature, and one payment asks several times. */
const addresses = new WeakMap<PublicKey, Hex>()

function addressOf(key: PublicKey): Hex {
  const known = addresses.get(key)
  if (known !== undefined) return known
  const address = asHex(keccak_256(uncompressed(key).subarray(1)).subarray(12))
  addresses.set(key, address)
  return address
}

function uncompressed({ curve, bytes }: PublicKey): Uint8Array {
  try {
    if (curve === 'secp256k1') return secp256k1.Point.fromBytes(bytes).toBytes(false)
  } catch {
    // Not a point of the curve.
  }
  throw new KmsError('unexpected', 'a key is not a secp256k1 public key')
}

function hash(envelope: Hex): Uint8Array {
  return keccak_256(fromHex(envelope.slice(2)) ?? new Uint8Array())
}
