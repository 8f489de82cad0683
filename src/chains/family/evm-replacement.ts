import { secp256k1 } from '@noble/curves/secp256k1.js'
import { KmsError } from '../../base/errors.ts'
import type { ChainReads, Network } from '../../base/model.ts'
import type { ChainDefinition, Own } from '../chain.ts'
import { type AddressPrefix, formatAddress } from './evm-address.ts'
import { currentGasPrice, type EvmSources } from './evm-completion.ts'
import { encodeEnvelope, readEnvelope } from './evm-envelope.ts'
import { checkAnswer } from './evm-fields.ts'
import { addressOf, hashHex, ownAddress } from './evm-key.ts'
import { type DataRules, type EvmTx, type FilledTx, type Hex, intrinsicGas } from './evm-tx.ts'
import { denied } from './refusals.ts'

/** What of an EVM chain's numbers matters once a transaction is signed. */
type NumberedChain = {
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
    count: (sender, reads) => countInBlocks(`0x${sender.slice(prefix.length)}`, sources, reads),
    price: reads => currentGasPrice(sources, reads),
    replacement: (txData, own, price) => replacementOf(txData, own, { ...chain, price }),
  }
}

/** Not the count that completes a payment: that one may include what waits in a node's memory. */
async function countInBlocks(
  address: Hex,
  { rpcPath }: EvmSources,
  reads: ChainReads,
): Promise<bigint> {
  const method = 'eth_getTransactionCount'
  return checkAnswer('nonce', await reads.rpc(rpcPath, method, [address, 'latest']), method)
}

/**
 * A transfer of nothing to the sender itself, of the same type and number. Nodes let it take the
 * place of the old one when everything it offers is 10 to 12.5 % more.
 */
function replacementOf(
  txData: string,
  own: Own,
  { chainId, dataRules, feeCap, price }: NumberedChain & { readonly price: bigint },
): FilledTx {
  const { from, tx: old } = readSigned(txData)
  if (from !== ownAddress(own) || old.chainId !== chainId[own.network]) {
    throw new KmsError('unexpected', 'the bytes to replace are not of this key and network')
  }
  const nothing = { to: from, value: 0n, data: '0x', accessList: [] } as const
  const gas = intrinsicGas(nothing, dataRules)
  const most = feeCap / gas
  const least = raised(old.price)
  if (least > most) {
    throw denied(`a replacement would cost more than the limit of ${feeCap} base units`)
  }
  const offered = lower(higher(least, price), most)
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

/** An eighth more, and more than nothing. */
function raised(price: bigint): bigint {
  return price === 0n ? 1n : (9n * price + 7n) / 8n
}

function higher(a: bigint, b: bigint): bigint {
  return a > b ? a : b
}

function lower(a: bigint, b: bigint): bigint {
  return a < b ? a : b
}

/** The transaction in signed bytes, and by its signature from whom it is. */
function readSigned(txData: string): { readonly from: Hex; readonly tx: FilledTx } {
  const { tx, signature } = readEnvelope(txData)
  const digest = hashHex(encodeEnvelope(tx))
  try {
    const point = secp256k1.Signature.fromBytes(signature.bytes, 'compact')
      .addRecoveryBit(signature.recovery)
      .recoverPublicKey(digest)
    return { tx, from: addressOf({ curve: 'secp256k1', bytes: point.toBytes() }) }
  } catch (cause) {
    throw new KmsError('unexpected', 'the signature of a transaction is of no key', { cause })
  }
}
