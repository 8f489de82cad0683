import assert from 'node:assert/strict'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import {
  decodeFunctionData,
  erc20Abi,
  type Hex,
  isHex,
  keccak256,
  parseTransaction,
  recoverTransactionAddress,
} from 'viem'
import type { Network } from '../../../src/base/model.ts'
import { membersOf } from '../members.ts'
import { type FakeChain, fees, type ReadWorld, type Settled } from './fake-chain.ts'

/** A chain of Ethereum's kind: three envelopes, completed by a node. */
export function ethereumLike(
  asset: string,
  slug: string,
  chainId: Readonly<Record<Network, number>>,
): FakeChain {
  return {
    broadcastPath: `/v3/${slug}/broadcast`,
    offchain: asset === 'ETH' || asset === 'ONE',
    errorCode: 'ethereum.broadcast.failed',
    reads: [
      {
        route: 'read',
        method: 'GET',
        path: `/v3/${slug}/transaction/count/:address`,
        answer: ({ countNonces }, { params }) => countNonces(params.address?.toLowerCase() ?? ''),
      },
      {
        route: 'rpc',
        method: 'POST',
        path: `/v3/${slug}/web3/:apiKey`,
        answer: (world, { body }) => answerRpc(world, chainId[world.network], body),
      },
    ],
    async verify(txData, pending, network) {
      const tx = readSigned(txData, chainId[network])
      const asked = JSON.parse(String(pending.serializedTransaction))
      assert(tx.to?.toLowerCase() === plainAddress(asked.to), 'another recipient than asked for')
      assert((tx.value ?? 0n) === BigInt(asked.value ?? 0), 'another amount than asked for')
      assert(plainHex(tx.data) === plainHex(asked.data ?? asked.input), 'other data than asked for')
      return settledBy(tx, txData, asset)
    },
    verifyAlone: async (txData, network) =>
      settledBy(readSigned(txData, chainId[network]), txData, asset),
  }
}

function readSigned(txData: string, chainId: number): EvmTransaction {
  assert(isHex(txData), 'not hex with 0x')
  const tx: EvmTransaction = parseTransaction(txData)
  assert(tx.r !== undefined, 'not signed')
  // EIP-2: nodes refuse the other of the two values of s that verify.
  assert(BigInt(tx.s ?? 0) <= secp256k1.Point.Fn.ORDER / 2n, 'with a high s')
  assert(tx.chainId === chainId, 'for another chain id')
  return tx
}

async function settledBy(tx: EvmTransaction, txData: string, asset: string): Promise<Settled> {
  const serializedTransaction = txData as `0x02${string}`
  const from = (await recoverTransactionAddress({ serializedTransaction })).toLowerCase()
  const { gasPrice, maxFeePerGas = gasPrice ?? 0n, maxPriorityFeePerGas = gasPrice ?? 0n } = tx
  return {
    txId: keccak256(serializedTransaction),
    from: [from],
    paid: evmPayments(tx, asset),
    claims: [`nonce/${from}/${tx.nonce ?? 0}`],
    bids: [maxFeePerGas, maxPriorityFeePerGas],
  }
}

type EvmTransaction = {
  readonly to?: Hex | null | undefined
  readonly value?: bigint | undefined
  readonly data?: Hex | undefined
  readonly nonce?: number | undefined
  readonly chainId?: number | undefined
  readonly gasPrice?: bigint | undefined
  readonly maxFeePerGas?: bigint | undefined
  readonly maxPriorityFeePerGas?: bigint | undefined
  readonly r?: Hex | undefined
  readonly s?: Hex | undefined
}

export function evmPayments(
  { to, value = 0n, data }: EvmTransaction,
  asset: string,
): Settled['paid'] {
  const recipient = to?.toLowerCase() ?? 'a new contract'
  const coins = value > 0n ? [{ to: recipient, amount: value, asset }] : []
  if (!data?.startsWith('0xa9059cbb')) return coins
  const call = decodeFunctionData({ abi: erc20Abi, data })
  if (call.functionName !== 'transfer') return coins
  const [tokenRecipient, amount] = call.args
  return [...coins, { to: tokenRecipient.toLowerCase(), amount, asset: `${asset}:${recipient}` }]
}

/** XDC writes its addresses with `xdc`, too. */
function plainAddress(text: unknown): string | undefined {
  return typeof text === 'string' ? text.toLowerCase().replace(/^xdc/, '0x') : undefined
}

export function plainHex(text: unknown): string {
  return String(text ?? '')
    .replace(/^0x/, '')
    .toLowerCase()
}

export function answerRpc({ countNonces }: ReadWorld, chainId: number, body: unknown): unknown {
  const { id, method, params } = membersOf(body)
  const [first] = Array.isArray(params) ? params : []
  const { data } = membersOf(first)
  const results = new Map([
    ['eth_chainId', chainId],
    ['eth_gasPrice', fees.medium],
    ['eth_getTransactionCount', countNonces(String(first).toLowerCase())],
    ['eth_estimateGas', data === undefined ? 21_000 : 65_000],
  ])
  const result = results.get(String(method))
  const answer =
    result === undefined
      ? { error: { code: -32601, message: 'method not found' } }
      : { result: `0x${result.toString(16)}` }
  return { jsonrpc: '2.0', id, ...answer }
}
