import { secp256k1 } from '@noble/curves/secp256k1.js'
import { sha3_256 } from '@noble/hashes/sha3.js'
import { hex } from '../base/bytes.ts'
import { KmsError } from '../base/errors.ts'
import type { PublicKey, Signature } from '../base/model.ts'
import { defineChain } from './chain.ts'
import { bip32Keys } from './family/bip32-paths.ts'
import { asHex } from './family/evm-tx.ts'
import { fillFlow, readFlowCompletion } from './family/flow-completion.ts'
import { finishFlow, submitFlow } from './family/flow-delivery.ts'
import { describeFlow } from './family/flow-intent.ts'
import { decodeFlowJson } from './family/flow-json.ts'
import { decodeSigned, encodeSigned, flowId, payloadMessage } from './family/flow-rlp.ts'
import { type FlowTx, requireFrame } from './family/flow-tx.ts'
import { firstKey, onlySignature } from './family/single-key.ts'

/**
 * Our key authorizes; proposer and payer are accounts of Tatum, which sign in `finish`. An account's
 * address does not follow from its keys: what stands for an address here is the public key.
 */
export const flow = defineChain<FlowTx>({
  id: 'FLOW',
  name: 'Flow',
  key: {
    curve: 'secp256k1',
    // SLIP-44: 539. The original derives it on both networks.
    derivation: bip32Keys("m/44'/539'/0'/0"),
    text: { kind: 'hex', prefix: '', shortAllowed: true },
  },
  generates: 'mnemonic',
  walletShape: ['mnemonic', 'xpub', 'privateKey'],
  address: uncompressedText,
  keys: firstKey,
  decode: decodeFlowJson,
  intent: (tx, { network }) => describeFlow(tx, network),
  complete: (_tx, { network }, reads) => readFlowCompletion(network, reads),
  fill: fillFlow,
  // Two payments of one payload would be one to the network. Sequence numbers are Tatum's own.
  // By its reference block and the proposer's number.
  isDated: () => true,
  claims: tx => [`payload/${hex(digestOf(tx))}`],
  messages: tx => [{ key: 0, algorithm: 'ecdsa-secp256k1-any-s', message: digestOf(tx) }],
  assemble(tx, _own, signatures) {
    const authorizer = signatureText(onlySignature(signatures))
    const signed = { tx: requireFrame(tx), authorizer, proposer: '0x', payer: '0x' } as const
    // Of what it is now: the network's id comes of all signatures.
    return { txData: encodeSigned(signed), txId: flowId(signed) }
  },
  decodeSigned(txData) {
    const { tx, authorizer, proposer, payer } = decodeSigned(txData)
    if (authorizer !== '0x' && proposer === '0x' && payer === '0x') return tx
    throw new KmsError('unexpected', 'the signed bytes do not have our signature alone')
  },
  // Another account pays them.
  feeCap: () => 0n,
  finish: finishFlow,
  submit: submitFlow,
  order: 'free',
  // Flow docs, "Transactions", reference block: 600 blocks, about ten minutes.
  lifetime: () => 600_000,
  broadcast: { path: '/v3/flow/broadcast', offchain: false },
})

function digestOf(tx: FlowTx): Uint8Array {
  return sha3_256(payloadMessage(requireFrame(tx)))
}

function signatureText({ bytes }: Signature) {
  if (bytes.length === 64) return asHex(bytes)
  throw new KmsError('unexpected', 'a signature is not 64 bytes')
}

/** x‖y in hex, as accounts of Flow are given their keys. */
function uncompressedText({ curve, bytes }: PublicKey): string {
  try {
    if (curve === 'secp256k1') {
      return hex(secp256k1.Point.fromBytes(bytes).toBytes(false).subarray(1))
    }
  } catch {
    // Not a point of the curve.
  }
  throw new KmsError('unexpected', 'a key is not a secp256k1 public key')
}
