import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import { membersOf } from '../members.ts'
import { type ReadSol, readSol, readSolMessage, solPayments, toBase58 } from '../solana.ts'
import type { FakeChain } from './fake-chain.ts'

/** What a node of Solana remembers. A block is made when there is something for it. */
export type SolNode = {
  /** JSON-RPC: body in, body out. */
  answer(body: unknown): unknown
  /** The transactions on chain, by their first signature. */
  readonly landed: Map<string, ReadSol>
  /** Lets so much time go by that nothing can arrive any more that was made before. */
  expire(): void
}

export function createSolNode(): SolNode {
  const landed = new Map<string, ReadSol>()
  const blockhashes: string[] = []
  const makeBlock = (): void => {
    const digest = createHash('sha256').update(`block ${blockhashes.length}`).digest()
    blockhashes.push(toBase58(digest))
  }
  makeBlock()
  let oldest = 0
  let slot = 1_000
  const methods: Readonly<Record<string, (params: readonly unknown[]) => unknown>> = {
    getLatestBlockhash([options]) {
      assert(isDeepStrictEqual(options, { commitment: 'finalized' }), 'of a block that may vanish')
      const value = { blockhash: blockhashes.at(-1), lastValidBlockHeight: slot + 150 }
      return { context: { slot }, value }
    },
    sendTransaction([wire, options]) {
      assert(membersOf(options)['encoding'] === 'base64', 'in another encoding than it says')
      const tx = readSol(String(wire))
      assert(blockhashes.indexOf(tx.blockhash) >= oldest, 'Blockhash not found')
      const [signature = ''] = tx.signatures
      assert(!landed.has(signature), 'This transaction has already been processed')
      landed.set(signature, tx)
      makeBlock()
      return signature
    },
    getTransaction: ([signature]) =>
      landed.has(String(signature)) ? { slot: 1_000, meta: { err: null } } : null,
    getEpochInfo: () => ({ absoluteSlot: slot, blockHeight: slot }),
    getSignatureStatuses: ([signatures]) => ({
      context: { slot },
      value: [signatures]
        .flat()
        .map(signature =>
          landed.has(String(signature)) ? { err: null, confirmationStatus: 'confirmed' } : null,
        ),
    }),
    getFirstAvailableBlock: () => 0,
  }
  return {
    landed,
    expire() {
      slot += 1_000
      oldest = blockhashes.length
      makeBlock()
    },
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
      answer(world, { body }) {
        const isSent = membersOf(body)['method'] === 'sendTransaction'
        if (isSent && !world.isMining) node.expire()
        return node.answer(body)
      },
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
