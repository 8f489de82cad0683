import { KmsError } from '../../base/errors.ts'
import type { Network } from '../../base/model.ts'
import { type ChainDefinition, feeCapFor, type Own } from '../chain.ts'
import { celoRpcPath, currentPrice, tokenGas } from './celo-completion.ts'
import { celoFeeCap, worthOf } from './celo-currencies.ts'
import { encodeCelo, readCelo } from './celo-envelope.ts'
import type { CeloTx, FilledCeloTx } from './celo-tx.ts'
import { bidOver } from './evm-bid.ts'
import { countInBlocks, isInBlock } from './evm-fields.ts'
import { hashHex, ownAddress, signerOf } from './evm-key.ts'
import { type Hex, intrinsicGas } from './evm-tx.ts'

type ChainIds = Readonly<Record<Network, readonly number[]>>

/** How numbers of Celo are followed, and how one is taken back that has not arrived. */
export function celoNumbering(
  chainIds: ChainIds,
): NonNullable<ChainDefinition<CeloTx>['numbering']> {
  return {
    numberOf(txData) {
      const { from, tx } = readSigned(txData)
      return { sender: from, number: BigInt(tx.nonce) }
    },
    count(sender, reads) {
      const source = { rpcPath: celoRpcPath, method: 'eth_getTransactionCount' }
      return countInBlocks(`0x${sender.slice(2)}`, source, reads)
    },
    isInBlock(txId, reads) {
      const source = { rpcPath: celoRpcPath, method: 'eth_getTransactionReceipt' }
      return isInBlock(txId, source, reads)
    },
    price: (txData, reads) => currentPrice(readSigned(txData).tx, reads),
    replacement: (txData, own, price) => replacementOf(txData, own, { chainIds, price }),
  }
}

/**
 * A transfer of nothing to the sender itself, in the same envelope and paid in the same currency:
 * prices in two of them are not compared.
 */
function replacementOf(
  txData: string,
  own: Own,
  { chainIds, price: now }: { readonly chainIds: ChainIds; readonly price: bigint },
): FilledCeloTx {
  const { from, tx: old } = readSigned(txData)
  const { chainId, nonce, feeCurrency } = old
  if (from !== ownAddress(own) || !chainIds[own.network].includes(chainId)) {
    throw new KmsError('unexpected', 'the bytes to replace are not of this key and network')
  }
  const nothing = { to: from, value: 0n, data: '0x' } as const
  const least = intrinsicGas({ ...nothing, accessList: [] }, {})
  const gas = feeCurrency === undefined ? least : least + tokenGas
  const feeCap = feeCapFor('CELO', celoFeeCap, own) / worthOf(old, own.network)
  const price = bidOver(old.price, { now, gas, feeCap })
  return { ...nothing, chainId, nonce, gas, price, ...(feeCurrency && { feeCurrency }) }
}

/** The transaction in signed bytes, and by its signature from whom it is. */
function readSigned(txData: string): { readonly from: Hex; readonly tx: FilledCeloTx } {
  const { tx, signature } = readCelo(txData)
  return { tx, from: signerOf(hashHex(encodeCelo(tx)), signature) }
}
