import { KmsError } from '../../base/errors.ts'
import type { Intent, KeyRef, Network, PendingTx } from '../../base/model.ts'
import { type Chain, defineChain, type Own } from '../chain.ts'
import { refuseTooLarge, refuseWitnessOutputs } from './utxo-checks.ts'
import { describeTransfer } from './utxo-intent.ts'
import { decodeBitcoreJson } from './utxo-json.ts'
import { namedKeys } from './utxo-keys.ts'
import { checkPrevious, readPrevious } from './utxo-previous.ts'
import {
  type AddressVersions,
  describeScript,
  explainForeign,
  ownAddressScript,
  ownScripts,
  type Spend,
} from './utxo-script.ts'
import { assembleSigned, readSigned, signedSize, signingRequests } from './utxo-signing.ts'
import type { UtxoTx } from './utxo-tx.ts'

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
  /** Where a node answers JSON-RPC. */
  readonly nodePath: string
}

/** A chain that spends outputs with ECDSA over SIGHASH_ALL: BTC, LTC, DOGE. */
export function utxoChain(networks: UtxoNetworks): Chain {
  const { id, name, addresses, maxAmount, maxFeePerVbyte, nodePath } = networks
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
    generates: 'mnemonic',
    walletShape: ['mnemonic', 'xpub', 'privateKey'],
    address(publicKey, network) {
      const versions = addresses[network]
      return describeScript(ownAddressScript(publicKey, networks.ownAddress, versions), versions)
    },
    keys: signingKeys,
    decode: serialized => decodeBitcoreJson(serialized, maxAmount),
    intent: (tx, own) => intentOf(tx, own, id, addresses[own.network]),
    complete(tx, own, reads) {
      const { verifyInputs: setting } = own.settings
      return readPrevious(tx, spendsOf(tx, own), { nodePath, setting }, reads)
    },
    fill(tx, completion, own) {
      checkPrevious(tx, spendsOf(tx, own), completion, own.settings.verifyInputs)
      return tx
    },
    claims: tx => tx.inputs.map(({ txId, index }) => `output/${txId}:${index}`),
    messages(tx, own) {
      const spends = spendsOf(tx, own)
      refuseTooLarge(signedSize(tx, spends))
      return signingRequests(tx, spends)
    },
    assemble: (tx, own, signatures) => assembleSigned(tx, spendsOf(tx, own), signatures),
    decodeSigned: (txData, tx, own) => readSigned(txData, tx, spendsOf(tx, own)),
    feeCap: (tx, own) => maxFeePerVbyte * BigInt(signedSize(tx, spendsOf(tx, own))),
    order: 'free',
    broadcast: { path: networks.broadcastPath, offchain: true },
  })
}

/**
 * Each key once: the order of inputs does not matter, every key can sign every input. The deposits
 * of a withdrawal choose keys and nothing else: recorded ones exist that are no input of it.
 */
function signingKeys(pending: PendingTx): readonly KeyRef[] {
  const refs = namedKeys(pending)
  return [...new Map(refs.map(ref => [`${ref.signatureId}/${ref.index}`, ref])).values()]
}

function intentOf(tx: UtxoTx, own: Own, asset: string, versions: AddressVersions): Intent {
  const ours = ownScripts(own.keys, versions)
  findSpends(tx, ours, versions)
  if (versions.bech32 === undefined) refuseWitnessOutputs(tx)
  return describeTransfer(tx, {
    asset,
    describe: script => describeScript(script, versions),
    isOwn: script => ours.has(script),
  })
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
