import { defineChain } from './chain.ts'
import { describeScript, ownScript } from './family/bch-script.ts'
import { assembleSigned, readSigned, signedSize, signingRequests } from './family/bch-signing.ts'
import { decodeBchText, refuseOtherDeposits } from './family/bch-text.ts'
import { fillNothing } from './family/complete.ts'
import { refuseTooLarge, refuseWitnessOutputs } from './family/utxo-checks.ts'
import { describeTransfer } from './family/utxo-intent.ts'
import { namedKeys } from './family/utxo-keys.ts'
import type { UtxoTx } from './family/utxo-tx.ts'

/** Satoshi per byte of the signed transaction (DESIGN 6). */
const maxFeePerByte = 2_500n

/** Key i of a payment signs input i; signatures commit to the amounts of what they spend. */
export const bch = defineChain<UtxoTx>({
  id: 'BCH',
  name: 'Bitcoin Cash',
  key: {
    curve: 'secp256k1',
    derivation: {
      kind: 'bip32',
      // SLIP-44 gives all testnets the 1; the original derives 145 on both networks.
      path: { mainnet: "m/44'/145'/0'/0", testnet: "m/44'/145'/0'/0" },
      xpub: { mainnet: 0x0488b21e, testnet: 0x043587cf },
    },
    text: { kind: 'wif', version: { mainnet: 0x80, testnet: 0xef } },
  },
  generates: 'mnemonic',
  walletShape: ['mnemonic', 'xpub', 'privateKey'],
  address: (publicKey, network) => describeScript(ownScript(publicKey), network),
  keys: namedKeys,
  decode(serialized, { keys }, pending) {
    const tx = decodeBchText(serialized, keys)
    refuseTooLarge(signedSize(tx, keys))
    refuseWitnessOutputs(tx)
    refuseOtherDeposits(tx, pending)
    return tx
  },
  intent: (tx, { keys, network }) => {
    const ours = new Set(keys.map(ownScript))
    return describeTransfer(tx, {
      asset: 'BCH',
      describe: script => describeScript(script, network),
      isOwn: script => ours.has(script),
    })
  },
  fill: fillNothing,
  claims: tx => tx.inputs.map(({ txId, index }) => `output/${txId}:${index}`),
  messages: (tx, { keys }) => signingRequests(tx, keys),
  assemble: (tx, { keys }, signatures) => assembleSigned(tx, keys, signatures),
  decodeSigned: (txData, tx, { keys }) => readSigned(txData, tx, keys),
  feeCap: (tx, { keys }) => maxFeePerByte * BigInt(signedSize(tx, keys)),
  order: 'free',
  broadcast: { path: '/v3/bcash/broadcast', offchain: true },
})
