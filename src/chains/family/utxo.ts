import { KmsError } from '../../base/errors.ts'
import type { Completion, Intent, KeyRef, Network, PendingTx } from '../../base/model.ts'
import { type Chain, defineChain, type Own } from '../chain.ts'
import { decodeBitcoreJson } from './utxo-json.ts'
import {
  type AddressVersions,
  describeScript,
  explainForeign,
  ownAddressScript,
  ownScripts,
  type Spend,
} from './utxo-script.ts'
import { assembleSigned, readSigned, signedSize, signingRequests } from './utxo-signing.ts'
import { feeOf, type UtxoTx } from './utxo-tx.ts'

/** The numbers in which chains descended from Bitcoin differ. */
type UtxoNetworks = {
  readonly id: string
  readonly name: string
  readonly addresses: Readonly<Record<Network, AddressVersions>>
  /** Which address of a key is handed out; the others are signed for just the same. */
  readonly ownAddress: 'p2pkh' | 'p2wpkh'
  readonly wif: Readonly<Record<Network, number>>
  readonly path: Readonly<Record<Network, string>>
  readonly xpub: Readonly<Record<Network, number>>
  /** The most satoshi one output can hold. */
  readonly maxAmount: bigint
  /** Satoshi per virtual byte of the signed transaction (DESIGN 6). */
  readonly maxFeePerVbyte: bigint
  readonly broadcastPath: string
}

/** A chain that spends outputs with ECDSA over SIGHASH_ALL: BTC, LTC, DOGE. */
export function utxoChain(networks: UtxoNetworks): Chain {
  const { id, name, addresses, maxAmount, maxFeePerVbyte } = networks
  const spendsOf = (tx: UtxoTx, { keys, network }: Own): readonly Spend[] =>
    findSpends(tx, ownScripts(keys, addresses[network]), addresses[network])

  return defineChain<UtxoTx>({
    id,
    name,
    key: {
      curve: 'secp256k1',
      derivation: { kind: 'bip32', path: networks.path, xpub: networks.xpub },
      text: { kind: 'wif', version: networks.wif },
    },
    walletShape: ['mnemonic', 'xpub', 'privateKey'],
    address(publicKey, network) {
      const versions = addresses[network]
      return describeScript(ownAddressScript(publicKey, networks.ownAddress, versions), versions)
    },
    keys: signingKeys,
    decode: serialized => decodeBitcoreJson(serialized, maxAmount),
    intent: (tx, own) => describeTransfer(tx, own, id, addresses[own.network]),
    fill: refuseCompletion,
    claims: tx => tx.inputs.map(({ txId, index }) => `output/${txId}:${index}`),
    messages: (tx, own) => signingRequests(tx, spendsOf(tx, own)),
    assemble: (tx, own, signatures) => assembleSigned(tx, spendsOf(tx, own), signatures),
    decodeSigned: (txData, tx, own) => readSigned(txData, tx, spendsOf(tx, own)),
    feeCap: (tx, own) => maxFeePerVbyte * BigInt(signedSize(tx, spendsOf(tx, own))),
    broadcast: { path: networks.broadcastPath, offchain: true },
  })
}

/** Each key once: the order of inputs does not matter, every key can sign every input. */
function signingKeys(pending: PendingTx): readonly KeyRef[] {
  const refs = pending.withdrawalId === undefined ? onchainKeys(pending) : offchainKeys(pending)
  if (refs.length === 0) {
    throw new KmsError('transaction-refused', 'the pending transaction names no key to sign with')
  }
  return [...new Map(refs.map(ref => [`${ref.signatureId}/${ref.index}`, ref])).values()]
}

function onchainKeys({ hashes, signatures }: PendingTx): readonly KeyRef[] {
  const indexed = new Set(signatures.map(({ id }) => id))
  return [
    ...hashes.filter(id => !indexed.has(id)).map(signatureId => ({ signatureId })),
    ...signatures.map(({ id, index }) => ({ signatureId: id, index })),
  ]
}

/**
 * Protocol 3.5: the first wallet pays, one derived key per spent deposit. The entries choose keys
 * and nothing else: recorded payments exist whose `vIn` is no input of the transaction.
 */
function offchainKeys({ hashes, withdrawalResponses }: PendingTx): readonly KeyRef[] {
  const [signatureId] = hashes
  if (signatureId === undefined || withdrawalResponses === undefined) {
    throw new KmsError(
      'transaction-refused',
      'the withdrawal names no wallet or does not say which deposits it spends',
    )
  }
  return withdrawalResponses
    .filter(({ vIn }) => vIn !== '-1')
    .map(({ derivationKey }) => ({ signatureId, index: derivationKey ?? 0 }))
}

function describeTransfer(tx: UtxoTx, own: Own, asset: string, versions: AddressVersions): Intent {
  const ours = ownScripts(own.keys, versions)
  findSpends(tx, ours, versions)
  return {
    kind: 'transfer',
    from: [...new Set(tx.inputs.map(({ script }) => describeScript(script, versions)))],
    outputs: tx.outputs.map(({ satoshis, script }) => ({
      to: describeScript(script, versions),
      amount: satoshis,
      asset,
      own: ours.has(script),
    })),
    fee: { amount: feeOf(tx), asset },
  }
}

/** How each input is spent; a transaction we could sign only in part is refused whole. */
function findSpends(
  tx: UtxoTx,
  ours: ReadonlyMap<string, Spend>,
  versions: AddressVersions,
): readonly Spend[] {
  return tx.inputs.map(({ script }, i) => {
    const spend = ours.get(script)
    if (spend !== undefined) return spend
    const reason = explainForeign(script, versions)
    throw new KmsError('transaction-refused', `input ${i} ${reason}`)
  })
}

function refuseCompletion(tx: UtxoTx, completion: Completion): UtxoTx {
  if (Object.keys(completion).length === 0) return tx
  throw new KmsError('transaction-refused', 'nothing can be added to a transaction of this chain')
}
