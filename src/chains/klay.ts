import { defineChain } from './chain.ts'
import { evmKeys, ownAddress } from './family/evm-key.ts'
import { fillKlay, readKlayCompletion } from './family/klay-completion.ts'
import { describeKlay } from './family/klay-intent.ts'
import { decodeKlayJson } from './family/klay-json.ts'
import { klayNumbering } from './family/klay-replacement.ts'
import { claimOf, digestOf, sign, unsign } from './family/klay-signing.ts'
import { type KlayTx, requireFilledKlay } from './family/klay-tx.ts'
import { onlySignature } from './family/single-key.ts'

const chainIds = { mainnet: 8_217, testnet: 1_001 } as const
/** DESIGN 6 */
const feeCap = 100n * 10n ** 18n

export const klay = defineChain<KlayTx>({
  id: 'KLAY',
  name: 'Kaia',
  ...evmKeys(8_217),
  decode(serialized, own) {
    const { settings, network } = own
    return decodeKlayJson(serialized, chainIds[network], { address: ownAddress(own), settings })
  },
  intent: (tx, own) => describeKlay(tx, ownAddress(own)),
  complete: (tx, own, reads) => readKlayCompletion(tx, ownAddress(own), reads),
  fill: fillKlay,
  claims: (tx, own) => [claimOf(requireFilledKlay(tx), ownAddress(own))],
  messages: tx => [
    { key: 0, algorithm: 'ecdsa-secp256k1', message: digestOf(requireFilledKlay(tx)) },
  ],
  assemble: (tx, _own, signatures) => sign(requireFilledKlay(tx), onlySignature(signatures)),
  decodeSigned: (txData, tx, own) => unsign(txData, tx, chainIds[own.network]),
  feeCap: () => feeCap,
  order: 'by-address',
  numbering: klayNumbering({ chainId: chainIds, feeCap }),
  broadcast: { path: '/v3/klaytn/broadcast', offchain: false },
})
