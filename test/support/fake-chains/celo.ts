import assert from 'node:assert/strict'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { fromRlp, type Hex, isHex, keccak256 } from 'viem'
import { parseTransaction, serializeTransaction } from 'viem/celo'
import { recoverSigner } from '../recover.ts'
import { answerRpc, evmPayments, plainHex } from './ethereum-like.ts'
import type { FakeChain } from './fake-chain.ts'

const chainId = { mainnet: 42_220, testnet: 44_787 }

/** Celo: Ethereum's legacy envelope, or CIP-64 where a token pays the fee. */
export const celoChain: FakeChain = {
  broadcastPath: '/v3/celo/broadcast',
  offchain: false,
  errorCode: 'celo.error',
  reads: [
    {
      route: 'rpc',
      method: 'POST',
      path: '/v3/blockchain/node/CELO/:apiKey',
      answer: (world, { body }) => answerRpc(world, chainId[world.network], body),
    },
  ],
  async verify(txData, pending, network) {
    const tx = readCelo(txData)
    const asked = JSON.parse(String(pending.serializedTransaction))
    assert(tx.type === (asked.feeCurrency ? 'cip64' : 'legacy'), 'in another envelope')
    assert(tx.feeCurrency === asked.feeCurrency?.toLowerCase(), 'with another fee currency')
    assert(tx.chainId === (asked.chainId ?? chainId[network]), 'for another chain id')
    assert(tx.to === asked.to?.toLowerCase(), 'another recipient than asked for')
    assert(tx.value === BigInt(asked.value ?? 0), 'another amount than asked for')
    assert(plainHex(tx.data) === plainHex(asked.data), 'other data than asked for')
    return {
      txId: keccak256(txData as Hex),
      from: [tx.from],
      paid: evmPayments(tx, 'CELO'),
      claims: [`nonce/${tx.from}/${tx.nonce}`],
    }
  },
}

type Raw = {
  readonly chainId: number
  readonly type: string
  readonly to?: Hex | null
  readonly value?: bigint
  readonly data?: Hex
  readonly nonce?: number
  readonly gas?: bigint
  readonly gasPrice?: bigint
  readonly maxFeePerGas?: bigint
  readonly maxPriorityFeePerGas?: bigint
  readonly feeCurrency?: Hex
}

/** Signed bytes as viem's Celo parser has them, with who signed; throws unless that can be said. */
export function readCelo(txData: string) {
  assert(isHex(txData), 'not hex with 0x')
  const parsed = parseTransaction(txData as `0x7b${string}`)
  const { r: _, s: __, v: ___, yParity: ____, ...tx } = { r: 0, s: 0, v: 0, yParity: 0, ...parsed }
  const isCip64 = txData.startsWith('0x7b')
  const items = fromRlp(isCip64 ? `0x${txData.slice(4)}` : txData, 'hex')
  const [v, r, s] = (items.slice(-3) as readonly Hex[]).map(item =>
    BigInt(item === '0x' ? 0 : item),
  )
  assert(v !== undefined && r !== undefined && s !== undefined && r > 0n, 'not signed')
  // EIP-2: nodes refuse the other of the two values of s that verify.
  assert(s <= secp256k1.Point.Fn.ORDER / 2n, 'with a high s')
  const parity = isCip64 ? Number(v) : (Number(v) + 1) % 2
  const from = recoverSigner(serializeTransaction(tx as never), r, s, parity)
  const { to, nonce = 0, value = 0n, data = '0x', ...rest } = tx as unknown as Raw
  return { ...rest, ...(to && { to }), nonce, value, data, from }
}
