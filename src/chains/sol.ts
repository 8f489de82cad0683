import { KmsError } from '../base/errors.ts'
import type { KeyRef, PendingTx, PublicKey } from '../base/model.ts'
import { defineChain, type Own } from './chain.ts'
import { fillSol, readCompletion } from './family/sol-completion.ts'
import { feeOf } from './family/sol-fee.ts'
import { describeSol } from './family/sol-intent.ts'
import { decodeSolJson } from './family/sol-json.ts'
import { keyText } from './family/sol-message.ts'
import { readInstructions } from './family/sol-reader.ts'
import { assembleSol, messageHash, readSigned, signingRequests } from './family/sol-signing.ts'
import { submitSol } from './family/sol-submission.ts'
import { requireFilled, type SolTx } from './family/sol-tx.ts'

// SLIP-44: 501. The original has a fifth step where Phantom and the Solana tools have none.
const path = "m/44'/501'/0'/0'/i'"
const phantomPath = "m/44'/501'/i'/0'"
/** In lamports (DESIGN 6). */
const maxPriorityFee = 10_000_000n

export const sol = defineChain<SolTx>({
  id: 'SOL',
  name: 'Solana',
  key: {
    curve: 'ed25519',
    derivation: {
      kind: 'slip10',
      path: { mainnet: path, testnet: path },
      styles: { phantom: { mainnet: phantomPath, testnet: phantomPath } },
    },
    text: { kind: 'base58-pair' },
  },
  generates: 'mnemonic',
  walletShape: ['mnemonic', 'address', 'privateKey'],
  address: addressOf,
  keys: allKeys,
  decode: (serialized, own) => decodeSolJson(serialized, addressesOf(own), own.settings),
  intent: (tx, own) => describeSol(tx, addressesOf(own), own.settings),
  complete: (_tx, _own, reads) => readCompletion(reads),
  fill: fillSol,
  // Equal payments with one blockhash have one signature: the network would carry out one of them.
  claims: tx => [`tx/${messageHash(requireFilled(tx))}`],
  isDated: () => true,
  messages: (tx, own) => signingRequests(requireFilled(tx), addressesOf(own)),
  givenKeys: ({ mint }) => (mint === undefined ? [] : [mint]),
  assemble: (tx, _own, signatures) => assembleSol(requireFilled(tx), signatures),
  decodeSigned: (txData, { mint }) => ({ ...readSigned(txData).tx, ...(mint && { mint }) }),
  feeCap(tx, { settings }) {
    const { base, rent } = feeOf(tx, readInstructions(tx.message, settings))
    return base + maxPriorityFee + rent
  },
  submit: (txData, _own, reads) => submitSol(txData, reads),
  order: 'free',
  // Solana docs, "Transaction confirmation & expiration": 150 blocks, 60 to 90 seconds.
  lifetime: () => 90_000,
  broadcast: { path: '/v3/solana/broadcast', offchain: false },
})

/** Every wallet that is named signs: the payer of the fee may be another than who pays. */
function allKeys({ hashes, signatures, index }: PendingTx): readonly KeyRef[] {
  const isOne = hashes.length === 1 && index !== undefined
  const refs = [
    ...hashes.map(signatureId => ({ signatureId, ...(isOne && { index }) })),
    ...signatures.map(({ id, index }) => ({ signatureId: id, index })),
  ]
  if (refs.length > 0) return refs
  throw new KmsError('transaction-refused', 'the pending transaction names no wallet to sign with')
}

function addressesOf({ keys }: Own): readonly string[] {
  return keys.map(addressOf)
}

function addressOf({ curve, bytes }: PublicKey): string {
  if (curve === 'ed25519' && bytes.length === 32) return keyText(bytes)
  throw new KmsError('unexpected', 'a key is not an ed25519 public key')
}
