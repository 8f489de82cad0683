import assert from 'node:assert/strict'
import { membersOf } from '../members.ts'
import { denominated, egldHashOf, readEgld } from '../multiversx.ts'
import type { FakeChain } from './fake-chain.ts'

const chainIds = { mainnet: '1', testnet: 'T' }
const node = '/v3/egld/node/:apiKey'

/** MultiversX, completed by its node behind the API. */
export const multiversX: FakeChain = {
  broadcastPath: '/v3/egld/broadcast',
  offchain: false,
  errorCode: 'egld.broadcast.failed',
  reads: [
    {
      route: 'read',
      method: 'GET',
      path: `${node}/network/config`,
      answer: ({ network }) => {
        const config = {
          erd_chain_id: chainIds[network],
          erd_min_gas_price: 1_000_000_000,
          erd_min_transaction_version: 1,
        }
        return { data: { config }, error: '', code: 'successful' }
      },
    },
    {
      route: 'read',
      method: 'GET',
      path: `${node}/address/:address/nonce`,
      answer: ({ countNonces }, { params }) => ({
        data: { nonce: countNonces(params.address ?? '') },
      }),
    },
    {
      route: 'read',
      method: 'POST',
      path: `${node}/transaction/cost`,
      answer: (_world, { body }) => ({ data: { txGasUnits: costOf(body), returnMessage: '' } }),
    },
  ],
  async verify(txData, pending, network) {
    const tx = readEgld(txData)
    const asked = JSON.parse(String(pending.serializedTransaction))
    assert(tx.chainID === chainIds[network], 'for another chain id')
    assert(tx.sender === asked.from && tx.receiver === asked.to, 'between others than asked for')
    assert(tx.value === denominated(asked.value), 'another amount than asked for')
    assert(plain(tx.data) === (asked.data ?? ''), 'other data than asked for')
    assert(tx.gasLimit >= costOf(tx), 'with too little gas')
    return {
      txId: egldHashOf(tx),
      from: [tx.sender],
      paid: [{ to: tx.receiver, amount: BigInt(tx.value), asset: 'EGLD' }],
      claims: [`nonce/${tx.sender}/${tx.nonce}`],
    }
  },
}

function costOf(body: unknown): number {
  return 50_000 + 1_500 * Buffer.byteLength(plain(membersOf(body)['data']))
}

function plain(base64: unknown): string {
  return Buffer.from(String(base64 ?? ''), 'base64').toString()
}
