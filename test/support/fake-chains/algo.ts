import assert from 'node:assert/strict'
import type { Network } from '../../../src/base/model.ts'
import { algoAddressOf, bytesOf, type ReadAlgo, readAlgo } from '../algorand.ts'
import { membersOf } from '../members.ts'
import type { FakeChain, Settled } from './fake-chain.ts'

const genesis = {
  mainnet: ['mainnet-v1.0', 'wGHE2Pwdvd7S12BL5FaOP20EGYesN73ktiC1qzkkit8='],
  testnet: ['testnet-v1.0', 'SGO1GKSzyE7IEPItTxCByw9x8FmnrCDexi9/cOUJOiI='],
} as const

/** Algorand: nothing is completed. */
export const algorand: FakeChain = {
  broadcastPath: '/v3/algorand/broadcast',
  offchain: false,
  errorCode: 'algorand.broadcast.failed',
  onNetwork(serialized, network) {
    const [genesisID, hash] = genesis[network]
    const genesisHash = { type: 'Buffer', data: [...Buffer.from(hash, 'base64')] }
    return JSON.stringify({ ...JSON.parse(serialized), genesisID, genesisHash })
  },
  async verify(txData, pending, network) {
    const { txn, txId } = readAlgo(txData)
    refuseOther(txn, JSON.parse(String(pending.serializedTransaction)), network)
    const from = algoAddressOf(bytesOf(txn['snd']))
    return { txId, from: [from], paid: paidBy(txn), claims: [`tx/${txId}`] }
  },
}

function refuseOther(
  txn: ReadAlgo,
  asked: Readonly<Record<string, number>>,
  network: Network,
): void {
  const account = (name: string) => {
    const { publicKey } = membersOf(asked[name])
    return publicKey === undefined ? undefined : bytesByIndex(publicKey)
  }
  const [id, hash] = genesis[network]
  assert(txn['gen'] === id, 'for another network')
  assert.deepEqual(txn['gh'], Buffer.from(hash, 'base64'), 'for another network')
  assert(txn['type'] === asked['type'], 'of another type than asked for')
  assert.deepEqual(txn['snd'], account('from'), 'from another account than asked for')
  assert.deepEqual(txn['rcv'] ?? txn['arcv'], account('to'), 'another recipient than asked for')
  assert((txn['amt'] ?? txn['aamt'] ?? 0n) === BigInt(asked['amount'] ?? 0), 'another amount')
  assert((txn['xaid'] ?? txn['caid'] ?? 0n) === BigInt(asked['assetIndex'] ?? 0), 'another asset')
  assert(txn['fee'] === BigInt(asked['fee'] ?? 0), 'with another fee')
  const note = bytesByIndex(asked['note'])
  assert.deepEqual(txn['note'] ?? Buffer.alloc(0), note, 'with another note')
}

/** algosdk lets its bytes become objects in JSON. */
function bytesByIndex(value: unknown): Buffer {
  return Buffer.from(Object.values(membersOf(value)).map(Number))
}

function paidBy(txn: ReadAlgo): Settled['paid'] {
  const to = txn['rcv'] ?? txn['arcv']
  const amount = txn['amt'] ?? txn['aamt'] ?? 0n
  if (to === undefined || typeof amount !== 'bigint') return []
  const asset = txn['xaid'] === undefined ? 'ALGO' : `ALGO:${txn['xaid']}`
  return [{ to: algoAddressOf(bytesOf(to)), amount, asset }]
}
