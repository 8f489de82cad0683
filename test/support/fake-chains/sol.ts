import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import { membersOf } from '../members.ts'
import { type ReadSol, readSol, readSolMessage, solPayments, toBase58 } from '../solana.ts'
import type { FakeChain } from './fake-chain.ts'

/** What a node of Solana remembers. */
export type SolNode = {
  /** JSON-RPC: body in, body out. */
  answer(body: unknown): unknown
  /** The transactions on chain, by their first signature. */
  readonly landed: Map<string, ReadSol>
}

export function createSolNode(): SolNode {
  const landed = new Map<string, ReadSol>()
  const blockhashes = new Set<string>()
  const context = { slot: 1_000 }
  const methods: Readonly<Record<string, (params: readonly unknown[]) => unknown>> = {
    getLatestBlockhash([options]) {
      assert(isDeepStrictEqual(options, { commitment: 'finalized' }), 'of a block that may vanish')
      const seed = `block ${blockhashes.size}`
      const blockhash = toBase58(createHash('sha256').update(seed).digest())
      blockhashes.add(blockhash)
      return { context, value: { blockhash, lastValidBlockHeight: 1_150 } }
    },
    sendTransaction([wire, options]) {
      assert(membersOf(options)['encoding'] === 'base64', 'in another encoding than it says')
      const tx = readSol(String(wire))
      assert(blockhashes.has(tx.blockhash), 'Blockhash not found')
      const [signature = ''] = tx.signatures
      assert(!landed.has(signature), 'This transaction has already been processed')
      landed.set(signature, tx)
      return signature
    },
    getTransaction: ([signature]) =>
      landed.has(String(signature)) ? { slot: 1_000, meta: { err: null } } : null,
    getEpochInfo: () => ({ absoluteSlot: 1_000, blockHeight: 1_000 }),
    getSignatureStatuses: ([signatures]) => ({
      context,
      value: [signatures]
        .flat()
        .map(signature =>
          landed.has(String(signature)) ? { err: null, confirmationStatus: 'confirmed' } : null,
        ),
    }),
  }
  return {
    landed,
    answer(body) {
      const { jsonrpc, id, method, params } = membersOf(body)
      try {
        const perform = methods[String(method)]
        assert(jsonrpc === '2.0' && perform !== undefined, 'Method not found')
        assert(Array.isArray(params), 'Invalid params')
        return { jsonrpc, id, result: perform(params) }
      } catch (thrown) {
        const { message } = thrown as Error
        return { jsonrpc, id, error: { code: -32_002, message } }
      }
    },
  }
}

const node = createSolNode()

/** Solana: transactions go to a node of it, and Tatum hears of their signatures. */
export const solanaChain: FakeChain = {
  broadcastPath: '/v3/solana/broadcast',
  offchain: false,
  errorCode: 'solana.broadcast.failed',
  reads: [
    {
      route: 'rpc',
      method: 'POST',
      path: '/v3/blockchain/node/SOL/:apiKey',
      answer: (_world, { body }) => node.answer(body),
    },
  ],
  async verify(txData, pending) {
    const tx = node.landed.get(txData)
    assert(tx !== undefined, 'no transaction with this signature is on chain')
    const asked = JSON.parse(String(pending.serializedTransaction))
    const { blockhash: _, ...expected } = readSolMessage(Buffer.from(asked.txData, 'hex'))
    const { signatures: __, message: ___, blockhash: ____, ...found } = tx
    assert.deepEqual(found, expected, 'another message than asked for')
    return { txId: txData, from: tx.accounts.slice(0, 1), paid: solPayments(tx), claims: [] }
  },
}
