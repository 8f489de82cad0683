import type { Completion, KeyRef, PendingTx } from '../base/model.ts'
import { defineChain } from './chain.ts'
import { enterpriseAddress, ownAddresses } from './family/ada-address.ts'
import { combine, lifetime, readMade } from './family/ada-gateway.ts'
import { decodeOperations } from './family/ada-operations.ts'
import { assembleSigned, readSignedText, signingRequests, withMade } from './family/ada-signing.ts'
import { type AdaTx, feeOf, outpointOf } from './family/ada-tx.ts'
import { refused } from './family/refusals.ts'

/** CIP-1852 does not harden the role; the original does, on both networks. */
const path = "m/1852'/1815'/0'/0'"

/** A gateway makes the transaction and wraps it once signed; every byte of it is read here. */
export const ada = defineChain<AdaTx>({
  id: 'ADA',
  name: 'Cardano',
  key: {
    curve: 'ed25519-bip32',
    derivation: { kind: 'cip3', path: { mainnet: path, testnet: path } },
    text: { kind: 'extended-hex' },
  },
  generates: 'mnemonic',
  walletShape: ['mnemonic', 'xpub', 'privateKey'],
  address: enterpriseAddress,
  keys: keysOf,
  decode: decodeOperations,
  intent(tx, own) {
    const ours = ownAddresses(own)
    return {
      kind: 'transfer',
      from: [...new Set(tx.inputs.map(({ address }) => address))],
      outputs: tx.outputs.map(({ address, lovelace }) => ({
        to: address,
        amount: lovelace,
        asset: 'ADA',
        own: ours.has(address),
      })),
      fee: { amount: feeOf(tx), asset: 'ADA' },
    }
  },
  complete: (tx, { network }, reads) => readMade(tx, network, reads),
  fill: (tx, completion, { network }) => withMade(tx, readCompletion(completion), network),
  claims: ({ inputs }) => inputs.map(input => `output/${outpointOf(input)}`),
  messages: signingRequests,
  assemble: assembleSigned,
  decodeSigned: readSignedText,
  // DESIGN 6: 2 ADA
  feeCap: () => 2_000_000n,
  finish: (txData, { network }, reads) => combine(txData, network, reads),
  order: 'free',
  // A slot lasts a second (Shelley genesis, slotLength).
  lifetime: () => lifetime.relative_ttl * 1_000,
  broadcast: { path: '/v3/ada/broadcast', offchain: true },
})

/** Wallets of single keys, then keys by their index. Virtual accounts know the latter alone. */
function keysOf({ hashes, signatures, withdrawalId }: PendingTx): readonly KeyRef[] {
  const indexed = new Set(signatures.map(({ id }) => id))
  const single = withdrawalId === undefined ? hashes.filter(id => !indexed.has(id)) : []
  const refs = [
    ...single.map(signatureId => ({ signatureId })),
    ...signatures.map(({ id, index }) => ({ signatureId: id, index })),
  ]
  if (refs.length > 0) return refs
  throw refused('the pending transaction names no key to sign with')
}

function readCompletion({ unsignedTransaction, signers, ...rest }: Completion) {
  if (unsignedTransaction === undefined || signers === undefined) {
    throw refused('the transaction was not made yet and completion does not bring it')
  }
  if (Object.keys(rest).length > 0) {
    throw refused('completion sets a field that the transaction does not lack')
  }
  return { unsignedTransaction, signers: signers.split(',') }
}
