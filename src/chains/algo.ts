import { fromHex, hex } from '../base/bytes.ts'
import { KmsError } from '../base/errors.ts'
import type { PublicKey } from '../base/model.ts'
import { defineChain, type Own } from './chain.ts'
import { decodeSignedAlgo } from './family/algo-decoding.ts'
import { encodeAlgo, encodeSignedAlgo } from './family/algo-encoding.ts'
import { describeAlgo } from './family/algo-intent.ts'
import { decodeAlgoJson } from './family/algo-json.ts'
import { type AlgoTx, algoAddress, algoTxId, signedMessage } from './family/algo-tx.ts'
import { fillNothing } from './family/complete.ts'
import { firstKey, onlySignature, ownKey } from './family/single-key.ts'

export const algo = defineChain<AlgoTx>({
  id: 'ALGO',
  name: 'Algorand',
  // Mnemonics of Algorand are another text of one key: no keys are derived.
  key: { curve: 'ed25519', text: { kind: 'base32-pair' } },
  generates: 'key',
  walletShape: ['address', 'secret'],
  address: publicKey => algoAddress(keyBytes(publicKey)),
  keys: firstKey,
  decode: (serialized, own) => decodeAlgoJson(serialized, ownBytes(own), own),
  intent: describeAlgo,
  fill: fillNothing,
  // Two payments alike in every byte are one for the network: the second would never arrive.
  claims: tx => [`tx/${algoTxId(encodeAlgo(tx))}`],
  messages: tx => [{ key: 0, algorithm: 'ed25519', message: signedMessage(encodeAlgo(tx)) }],
  assemble(tx, _own, signatures) {
    const signed = encodeSignedAlgo(tx, onlySignature(signatures).bytes)
    return { txData: hex(signed), txId: algoTxId(encodeAlgo(tx)) }
  },
  decodeSigned: txData => decodeSignedAlgo(fromHex(txData) ?? new Uint8Array()),
  // DESIGN 6: 0.1 ALGO
  feeCap: () => 100_000n,
  order: 'free',
  // Algorand developer portal, "Blocks": one every 2.8 seconds.
  lifetime: ({ firstRound, lastRound }) => Number(lastRound - firstRound) * 2_800,
  broadcast: { path: '/v3/algorand/broadcast', offchain: false },
})

function ownBytes(own: Own): Uint8Array {
  return keyBytes(ownKey(own))
}

function keyBytes({ curve, bytes }: PublicKey): Uint8Array {
  if (curve === 'ed25519' && bytes.length === 32) return bytes
  throw new KmsError('unexpected', 'a key is not an ed25519 public key')
}
