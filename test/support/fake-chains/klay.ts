import assert from 'node:assert/strict'
import { isDeepStrictEqual } from 'node:util'
import { type Hex, keccak256 } from 'viem'
import { type ReadKlay, readKlay } from '../klay-raw.ts'
import { answerRpc, ethereumLike, evmPayments, plainHex } from './ethereum-like.ts'
import type { FakeChain, Settled } from './fake-chain.ts'

const chainId = { mainnet: 8_217, testnet: 1_001 }
const legacy = ethereumLike('KLAY', 'klaytn', chainId)

/** Kaia: Ethereum's legacy envelope and types of its own, of which both halves are taken. */
export const klayChain: FakeChain = {
  broadcastPath: '/v3/klaytn/broadcast',
  offchain: false,
  errorCode: 'klaytn.broadcast.failed',
  reads: [
    {
      route: 'rpc',
      method: 'POST',
      path: '/v3/blockchain/node/KLAY/:apiKey',
      answer: (world, { body }) => answerRpc(world, chainId[world.network], asEthereum(body)),
    },
  ],
  async verify(txData, pending, network) {
    // A legacy transaction is the list it is (EIP-2718).
    if (Number(txData.slice(0, 4)) >= 0xc0) return legacy.verify(txData, pending, network)
    const tx = readKlay(txData, chainId[network])
    const asked = JSON.parse(String(pending.serializedTransaction))
    if (asked.senderRawTransaction === undefined) checkSender(tx, asked)
    else checkPayer(tx, readKlay(asked.senderRawTransaction, chainId[network]), asked)
    return settle(tx, txData)
  },
}

type Asked = {
  readonly to?: string
  readonly value?: string
  readonly data?: string
  readonly input?: string
  readonly feePayer?: string
}

function checkSender(tx: ReadKlay, asked: Asked): void {
  assert(plainHex(tx.to) === plainHex(asked.to), 'another recipient than asked for')
  assert(tx.value === BigInt(asked.value ?? 0), 'another amount than asked for')
  assert(plainHex(tx.data) === plainHex(asked.data ?? asked.input), 'other data than asked for')
  assert(isDeepStrictEqual(tx.senders, [tx.from]), 'not signed by its sender')
  assert(tx.payers.length === 0, 'signed by a fee payer')
}

function checkPayer(tx: ReadKlay, before: ReadKlay, asked: Asked): void {
  assert(tx.type === before.type, 'of another type than the sender signed')
  assert(isDeepStrictEqual(tx.sent, before.sent), 'not what the sender signed')
  const feePayer = asked.feePayer?.toLowerCase()
  assert(tx.feePayer === feePayer, 'for another fee payer')
  assert(isDeepStrictEqual(tx.payers, [...before.payers, feePayer]), 'not signed by its fee payer')
}

function settle(tx: ReadKlay, txData: string): Settled {
  const { value, data } = tx
  const to = tx.to === '0x' ? null : tx.to
  return {
    txId: keccak256(txData as Hex),
    from: [tx.from],
    paid: evmPayments({ to, value, data }, 'KLAY'),
    claims: [`nonce/${tx.from}/${tx.nonce}`],
  }
}

/** klay_gasPrice is asked as eth_gasPrice is. */
function asEthereum(body: unknown): unknown {
  return JSON.parse(JSON.stringify(body).replace('"klay_', '"eth_'))
}
