import { utf8 } from '../base/bytes.ts'
import { defineChain, type Own } from './chain.ts'
import { describeEgld } from './family/egld-intent.ts'
import { decodeEgldJson } from './family/egld-json.ts'
import { fillEgld, readEgldCompletion } from './family/egld-network.ts'
import { egldNumbering } from './family/egld-numbering.ts'
import { decodeEgld, egldTxId, encodeEgld, requireAdded } from './family/egld-signed.ts'
import { accountOf, type EgldTx, egldAddress } from './family/egld-tx.ts'
import { firstKey, onlySignature, ownKey } from './family/single-key.ts'

export const egld = defineChain<EgldTx>({
  id: 'EGLD',
  name: 'MultiversX',
  key: {
    curve: 'ed25519',
    // SLIP-44: 508
    derivation: {
      kind: 'slip10',
      path: { mainnet: "m/44'/508'/0'/0'/i'", testnet: "m/44'/1'/0'/0'/i'" },
    },
    text: { kind: 'hex', prefix: '' },
  },
  generates: 'mnemonic',
  walletShape: ['mnemonic', 'privateKey'],
  address: egldAddress,
  keys: firstKey,
  decode: (serialized, own) => decodeEgldJson(serialized, ownAddress(own), own.settings),
  intent: describeEgld,
  complete: (tx, { network }, reads) => readEgldCompletion(tx, network, reads),
  fill: (tx, completion, { network }) => fillEgld(tx, completion, network),
  claims(tx) {
    const { nonce, chainId } = requireAdded(tx)
    return [`nonce/${accountOf(tx.sender, chainId)}/${nonce}`]
  },
  messages: tx => [{ key: 0, algorithm: 'ed25519', message: utf8(encodeEgld(tx)) }],
  assemble(tx, _own, signatures) {
    const { bytes } = onlySignature(signatures)
    return { txData: encodeEgld(tx, bytes), txId: egldTxId(tx, bytes) }
  },
  decodeSigned: decodeEgld,
  // DESIGN 6: 0.1 EGLD
  feeCap: () => 10n ** 17n,
  order: 'by-address',
  numbering: egldNumbering,
  broadcast: { path: '/v3/egld/broadcast', offchain: false },
})

function ownAddress(own: Own): string {
  return egldAddress(ownKey(own))
}
