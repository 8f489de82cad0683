import { fromHex } from '../../base/bytes.ts'
import { KmsError } from '../../base/errors.ts'
import type { Network } from '../../base/model.ts'
import { type ChainDefinition, feeCapFor, type Own } from '../chain.ts'
import { bidOver } from './evm-bid.ts'
import { encodeEnvelope, readEnvelope } from './evm-envelope.ts'
import { countInBlocks, isInBlock } from './evm-fields.ts'
import { hashHex, ownAddress, signerOf } from './evm-key.ts'
import type { Hex } from './evm-tx.ts'
import { currentKlayPrice, klayRpcPath } from './klay-completion.ts'
import { chainIdIn, decodeRaw } from './klay-raw.ts'
import type { FilledKlayTx, KlayTx } from './klay-tx.ts'
import { findTypeByByte } from './klay-types.ts'
import { refused } from './refusals.ts'

type KaiaNumbers = {
  readonly chainId: Readonly<Record<Network, number>>
  /** In peb. */
  readonly feeCap: bigint
}

/** How numbers of Kaia are followed, and how one is taken back that has not arrived. */
export function klayNumbering(
  chain: KaiaNumbers,
): NonNullable<ChainDefinition<KlayTx>['numbering']> {
  return {
    // Of a payment whose fee we bear it is the sender's number, which tells as well that it arrived.
    numberOf(txData) {
      const { from, nonce } = readSigned(txData)
      return { sender: from, number: BigInt(nonce) }
    },
    count(sender, reads) {
      const source = { rpcPath: klayRpcPath, method: 'klay_getTransactionCount' }
      return countInBlocks(`0x${sender.slice(2)}`, source, reads)
    },
    isInBlock(txId, reads) {
      const source = { rpcPath: klayRpcPath, method: 'klay_getTransactionReceipt' }
      return isInBlock(txId, source, reads)
    },
    price: (_txData, reads) => currentKlayPrice(reads),
    replacement: (txData, own, price) => replacementOf(txData, own, { ...chain, price }),
  }
}

/** What a transaction without call data needs at the least. */
const cancelGas = 21_000n

/**
 * Kaia has a type that does nothing but use up a number. Nodes put it in the place of any other
 * transaction, and those that let prices decide when it offers more (KIP-71).
 */
function replacementOf(
  txData: string,
  own: Own,
  { chainId, feeCap: builtIn, price: now }: KaiaNumbers & { readonly price: bigint },
): FilledKlayTx {
  const old = readSigned(txData)
  if (old.isDelegated) {
    throw refused("the number of this payment is its sender's: a fee payer cannot take it back")
  }
  if (old.from !== ownAddress(own) || old.chainId !== chainId[own.network]) {
    throw new KmsError('unexpected', 'the bytes to replace are not of this key and network')
  }
  const { from, nonce } = old
  const feeCap = feeCapFor('KLAY', builtIn, own)
  const price = bidOver(old.price, { now, gas: cancelGas, feeCap })
  const nothing = { action: 'cancel', payerShare: 0, value: 0n, data: '0x' } as const
  return {
    kind: 'sender',
    chainId: old.chainId,
    body: { ...nothing, nonce, gas: cancelGas, price, from },
  }
}

type Numbered = {
  readonly chainId: number
  readonly from: Hex
  readonly nonce: number
  readonly price: bigint
  /** A fee payer has signed it, behind its sender. */
  readonly isDelegated: boolean
}

function readSigned(txData: string): Numbered {
  const bytes = fromHex(txData.startsWith('0x') ? txData.slice(2) : '-') ?? new Uint8Array()
  if (findTypeByByte(bytes[0]) === undefined) return readLegacy(txData)
  const chainId = chainIdIn(bytes, broken)
  const { body, feePayer } = decodeRaw(bytes, chainId, broken)
  const { from, nonce, price } = body
  return { chainId, from, nonce, price, isDelegated: feePayer !== undefined }
}

function readLegacy(txData: string): Numbered {
  const { tx, signature } = readEnvelope(txData)
  if (tx.type !== 'legacy') throw broken()
  const { chainId, nonce, price } = tx
  const from = signerOf(hashHex(encodeEnvelope(tx)), signature)
  return { chainId, from, nonce, price, isDelegated: false }
}

function broken(): KmsError {
  return new KmsError('unexpected', 'the signed bytes are not a valid transaction')
}
