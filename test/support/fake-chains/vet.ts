import assert from 'node:assert/strict'
import { membersOf } from '../members.ts'
import { readVet } from '../vechain.ts'
import { evmPayments, plainHex } from './ethereum-like.ts'
import type { FakeChain } from './fake-chain.ts'

const chainTags = { mainnet: 0x4an, testnet: 0x27n }
const bestBlock = '0x01651a0b4a4f9a8b1c2d3e4f5061728394a5b6c7d8e9fa0b1c2d3e4f50617283'
const executionGas = 30_000

/** VeChain: completed by a node of its own, which is told no API key. */
export const veChain: FakeChain = {
  broadcastPath: '/v3/vet/broadcast',
  offchain: false,
  errorCode: 'vechain.broadcast.failed',
  reads: [
    {
      route: 'node',
      method: 'POST',
      path: '/accounts/*',
      answer: (_world, { body }) => estimate(body),
    },
    { route: 'node', method: 'GET', path: '/blocks/best', answer: () => ({ id: bestBlock }) },
  ],
  async verify(txData, pending, network) {
    const tx = readVet(txData)
    const asked = JSON.parse(String(pending.serializedTransaction))
    assert(tx.chainTag === chainTags[network], 'for another chain tag')
    assert(tx.to === (asked.to?.toLowerCase() ?? null), 'another recipient than asked for')
    assert(tx.value === BigInt(asked.value ?? 0), 'another amount than asked for')
    assert(plainHex(tx.data) === plainHex(asked.data), 'other data than asked for')
    assert(tx.blockRef === bestBlock.slice(0, 18) || asked.blockRef, 'from another block')
    return {
      txId: tx.txId,
      from: [tx.from],
      paid: evmPayments({ to: tx.to, value: tx.value, data: tx.data }, 'VET'),
      claims: [],
    }
  },
}

function estimate(body: unknown): unknown {
  const { clauses } = membersOf(body)
  assert(Array.isArray(clauses), 'without clauses')
  return clauses.map(clause => ({
    data: '0x',
    events: [],
    transfers: [],
    gasUsed: membersOf(clause)['data'] === '0x' ? 0 : executionGas,
    reverted: false,
    vmError: '',
  }))
}
