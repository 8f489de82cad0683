import { KmsError } from '../base/errors.ts'
import type { Intent } from '../base/model.ts'
import { defineChain } from './chain.ts'
import { describeCall } from './family/evm-intent.ts'
import { evmKeys, ownAddress } from './family/evm-key.ts'
import type { Hex } from './family/evm-tx.ts'
import { onlySignature } from './family/single-key.ts'
import { decodeVetJson } from './family/vet-json.ts'
import { fillVet, readVetCompletion } from './family/vet-node.ts'
import { decodeVet, encodeVet, vetDigest, vetTxId } from './family/vet-rlp.ts'
import { chainTags, type FilledVetTx, mostFee, type VetTx } from './family/vet-tx.ts'

export const vet = defineChain<VetTx>({
  id: 'VET',
  name: 'VeChain',
  // SLIP-44: 818
  ...evmKeys(818),
  decode(serialized, own, { id }) {
    const chainTag = chainTags[own.network]
    return decodeVetJson(serialized, { chainTag, from: ownAddress(own), pendingId: id })
  },
  intent: (tx, own) => describe(tx, ownAddress(own)),
  complete: (tx, own, reads) => readVetCompletion(tx, ownAddress(own), reads.node('vet')),
  fill: fillVet,
  // A nonce may be used again, but two payments alike in all that is signed are one to the network.
  claims: (tx, own) => [`tx/${vetTxId(requireFilled(tx), ownAddress(own))}`],
  isDated: ({ blockRef }) => blockRef === undefined,
  messages: tx => [{ key: 0, algorithm: 'ecdsa-secp256k1', message: vetDigest(requireFilled(tx)) }],
  assemble(tx, own, signatures) {
    const filled = requireFilled(tx)
    const txData = encodeVet(filled, onlySignature(signatures))
    return { txData, txId: vetTxId(filled, ownAddress(own)) }
  },
  decodeSigned: decodeVet,
  // 10,000 VTHO, which not even ten million units of gas cost: a contract is deployed with less.
  feeCap: () => 10_000n * 10n ** 18n,
  feeAsset: () => 'VTHO',
  order: 'free',
  // VeChain docs, "Transaction model": a block every 10 seconds.
  lifetime: ({ expiration }) => expiration * 10_000,
  broadcast: { path: '/v3/vet/broadcast', offchain: false },
})

/** Fees are not paid in VET. */
function describe(tx: VetTx, from: Hex): Intent {
  const fee = tx.gas !== undefined && { amount: mostFee(tx, tx.gas), asset: 'VTHO' }
  const { outputs, ...told } = describeCall(tx, from, 'VET')
  const condition = {
    to: `not before transaction ${tx.dependsOn}`,
    amount: 0n,
    asset: 'VET',
    own: false,
  }
  return {
    ...told,
    outputs: tx.dependsOn === undefined ? outputs : [...outputs, condition],
    ...(fee && { fee }),
  }
}

function requireFilled({ givenGas: _, blockRef, gas, ...rest }: VetTx): FilledVetTx {
  if (blockRef === undefined || gas === undefined) {
    throw new KmsError('unexpected', 'a transaction was to be signed before it was complete')
  }
  return { ...rest, blockRef, gas }
}
