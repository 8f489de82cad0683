import type { Intent, Network, PendingTx } from '../../base/model.ts'
import { type Chain, defineChain, type Own } from '../chain.ts'
import { type AddressPrefix, formatAddress, formatIntent } from './evm-address.ts'
import { type EvmSources, fillIn, readCompletion } from './evm-completion.ts'
import { decodeEnvelope, encodeEnvelope } from './evm-envelope.ts'
import { describeCall } from './evm-intent.ts'
import { decodeWeb3Json } from './evm-json.ts'
import { addressOf, evmKeys, hashHex, ownAddress } from './evm-key.ts'
import { evmNumbering } from './evm-replacement.ts'
import { asHex, type DataRules, type EvmTx, type Hex, requireFilled } from './evm-tx.ts'
import { onlySignature } from './single-key.ts'

/** What tells one EVM chain from another. */
export type EvmNumbers = {
  readonly id: string
  readonly name: string
  /** Pinned: a server that names another chain is not believed (EIP-155). */
  readonly chainId: Readonly<Record<Network, number>>
  /** SLIP-44, mainnet; every testnet is 1. */
  readonly coin: number
  readonly addressPrefix?: AddressPrefix
  readonly dataRules: DataRules
  readonly sources: EvmSources
  readonly broadcast: { readonly path: string; readonly offchain: boolean }
  /** In wei. */
  readonly feeCap: bigint
}

export function evmChain(numbers: EvmNumbers): Chain {
  const { id, name, chainId, coin, addressPrefix = '0x', dataRules, sources } = numbers
  const { broadcast, feeCap } = numbers
  const accountOf = (own: Own) => formatAddress(ownAddress(own), addressPrefix)
  return defineChain<EvmTx>({
    id,
    name,
    ...evmKeys(coin),
    address: publicKey => formatAddress(addressOf(publicKey), addressPrefix),
    decode: (serialized, { network }, pending) =>
      decodeWeb3Json(serialized, {
        chainId: chainId[network],
        addressPrefix,
        gasIsGuess: isGasGuessed(sources, pending),
        dataRules,
      }),
    intent: (tx, own) => formatIntent(describe(tx, ownAddress(own), id), addressPrefix),
    complete(tx, own, reads) {
      const nextNonce: typeof reads.nextNonce = (_, counted) =>
        reads.nextNonce(accountOf(own), counted)
      return readCompletion(tx, ownAddress(own), sources, { ...reads, nextNonce })
    },
    fill: (tx, completion) => fillIn(tx, completion, dataRules),
    claims: (tx, own) => [`nonce/${accountOf(own)}/${requireFilled(tx).nonce}`],
    messages: tx => [
      { key: 0, algorithm: 'ecdsa-secp256k1', message: hashHex(encodeEnvelope(requireFilled(tx))) },
    ],
    assemble(tx, _own, signatures) {
      const txData = encodeEnvelope(requireFilled(tx), onlySignature(signatures))
      return { txData, txId: asHex(hashHex(txData)) }
    },
    decodeSigned: txData => decodeEnvelope(txData),
    feeCap: () => feeCap,
    order: 'by-address',
    numbering: evmNumbering(numbers),
    broadcast,
  })
}

/** Protocol 4.2: where the original estimates anew whatever gas a payment came with. */
function isGasGuessed({ estimate }: EvmSources, { withdrawalId }: PendingTx): boolean {
  switch (estimate.overrides) {
    case 'everything':
      return true
    case 'offchain':
      return withdrawalId !== undefined
    case 'nothing':
      return false
    default:
      return estimate.overrides satisfies never
  }
}

function describe(tx: EvmTx, from: Hex, coin: string): Intent {
  const { gas, price } = tx
  const fee = gas !== undefined && price !== undefined && { amount: gas * price, asset: coin }
  return { ...describeCall(tx, from, coin), ...(fee && { fee }) }
}
