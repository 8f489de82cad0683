import { KmsError } from '../../base/errors.ts'
import type { Network } from '../../base/model.ts'
import { type ChainDefinition, feeCapFor, type Own } from '../chain.ts'
import { type AddressPrefix, formatAddress } from './evm-address.ts'
import { bidOver, higher, lower, raised } from './evm-bid.ts'
import { currentGasPrice, type EvmSources } from './evm-completion.ts'
import { encodeEnvelope, readEnvelope } from './evm-envelope.ts'
import { countInBlocks, isInBlock } from './evm-fields.ts'
import { hashHex, ownAddress, signerOf } from './evm-key.ts'
import { type DataRules, type EvmTx, type FilledTx, type Hex, intrinsicGas } from './evm-tx.ts'

/** What of an EVM chain's numbers matters once a transaction is signed. */
type NumberedChain = {
  readonly id: string
  readonly chainId: Readonly<Record<Network, number>>
  readonly addressPrefix?: AddressPrefix
  readonly dataRules: DataRules
  readonly sources: EvmSources
  /** In wei. */
  readonly feeCap: bigint
}

/** How numbers of an EVM chain are followed, and how one is taken back that has not arrived. */
export function evmNumbering(
  chain: NumberedChain,
): NonNullable<ChainDefinition<EvmTx>['numbering']> {
  const { addressPrefix: prefix = '0x', sources } = chain
  return {
    numberOf(txData) {
      const { from, tx } = readSigned(txData)
      return { sender: formatAddress(from, prefix), number: BigInt(tx.nonce) }
    },
    count(sender, reads) {
      const source = { rpcPath: sources.rpcPath, method: 'eth_getTransactionCount' }
      return countInBlocks(`0x${sender.slice(prefix.length)}`, source, reads)
    },
    isInBlock(txId, reads) {
      const source = { rpcPath: sources.rpcPath, method: 'eth_getTransactionReceipt' }
      return isInBlock(txId, source, reads)
    },
    price: (_txData, reads) => currentGasPrice(sources, reads),
    replacement: (txData, own, price) => replacementOf(txData, own, { ...chain, price }),
  }
}

/**
 * A transfer of nothing to the sender itself, of the same type and number. Nodes let it take the
 * place of the old one when everything it offers is 10 to 12.5 % more.
 */
function replacementOf(
  txData: string,
  own: Own,
  { id, chainId, dataRules, feeCap: builtIn, price }: NumberedChain & { readonly price: bigint },
): FilledTx {
  const { from, tx: old } = readSigned(txData)
  if (from !== ownAddress(own) || old.chainId !== chainId[own.network]) {
    throw new KmsError('unexpected', 'the bytes to replace are not of this key and network')
  }
  const nothing = { to: from, value: 0n, data: '0x', accessList: [] } as const
  const gas = intrinsicGas(nothing, dataRules)
  const feeCap = feeCapFor(id, builtIn, own)
  const offered = bidOver(old.price, { now: price, gas, feeCap })
  return {
    ...nothing,
    type: old.type,
    chainId: old.chainId,
    nonce: old.nonce,
    gas,
    price: offered,
    // The current price as a tip: whatever the block's own part of it, a producer takes it.
    tip: old.type === 'eip1559' ? lower(higher(raised(old.tip), price), offered) : 0n,
  }
}

/** The transaction in signed bytes, and by its signature from whom it is. */
function readSigned(txData: string): { readonly from: Hex; readonly tx: FilledTx } {
  const { tx, signature } = readEnvelope(txData)
  return { tx, from: signerOf(hashHex(encodeEnvelope(tx)), signature) }
}
