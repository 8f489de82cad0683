import type { Intent } from '../base/model.ts'
import { defineChain, type Own } from './chain.ts'
import { fillCelo, readCeloCompletion } from './family/celo-completion.ts'
import { celoFeeCap, worthOf } from './family/celo-currencies.ts'
import { decodeCelo, encodeCelo } from './family/celo-envelope.ts'
import { decodeCeloJson } from './family/celo-json.ts'
import { celoNumbering } from './family/celo-replacement.ts'
import { type CeloTx, requireFilledCelo } from './family/celo-tx.ts'
import { describeCall } from './family/evm-intent.ts'
import { evmKeys, hashHex, ownAddress } from './family/evm-key.ts'
import { asHex, type Hex } from './family/evm-tx.ts'
import { onlySignature } from './family/single-key.ts'

/** Alfajores, which payments name by default, and Celo Sepolia, which took its place. */
const chainIds = { mainnet: [42_220], testnet: [44_787, 11_142_220] } as const

export const celo = defineChain<CeloTx>({
  id: 'CELO',
  name: 'Celo',
  ...evmKeys(52_752),
  decode: (serialized, own) => decodeCeloJson(serialized, chainIds[own.network], ownAddress(own)),
  intent: (tx, own) => describe(tx, ownAddress(own)),
  complete(tx, own, reads) {
    const nextNonce: typeof reads.nextNonce = (_, counted) =>
      reads.nextNonce(accountOf(tx, own), counted)
    return readCeloCompletion(tx, ownAddress(own), { ...reads, nextNonce })
  },
  fill: fillCelo,
  claims: (tx, own) => [`nonce/${accountOf(tx, own)}/${requireFilledCelo(tx).nonce}`],
  messages: tx => [
    {
      key: 0,
      algorithm: 'ecdsa-secp256k1',
      message: hashHex(encodeCelo(requireFilledCelo(tx))),
    },
  ],
  assemble(tx, _own, signatures) {
    const txData = encodeCelo(requireFilledCelo(tx), onlySignature(signatures))
    return { txData, txId: asHex(hashHex(txData)) }
  },
  decodeSigned: txData => decodeCelo(txData),
  feeCap: () => celoFeeCap,
  feeWorth: (tx, { network }) => worthOf(tx, network),
  feeAsset,
  order: 'by-address',
  numbering: celoNumbering(chainIds),
  broadcast: { path: '/v3/celo/broadcast', offchain: false },
})

/** Addresses are the same on both test networks; numbers are not. */
function accountOf({ chainId }: CeloTx, own: Own): string {
  const [usual] = chainIds[own.network]
  return chainId === usual ? ownAddress(own) : `${ownAddress(own)}_${chainId}`
}

function feeAsset({ feeCurrency }: CeloTx): string {
  return feeCurrency === undefined ? 'CELO' : `CELO:${feeCurrency}`
}

function describe(tx: CeloTx, from: Hex): Intent {
  const { gas, price } = tx
  const fee = gas !== undefined &&
    price !== undefined && { amount: gas * price, asset: feeAsset(tx) }
  return { ...describeCall(tx, from, 'CELO'), ...(fee && { fee }) }
}
