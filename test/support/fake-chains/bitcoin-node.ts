import assert from 'node:assert/strict'
import { membersOf } from '../members.ts'
import type { FakeRead } from './fake-chain.ts'

/** `getrawtransaction` of Bitcoin Core and its kin, with its own words where it knows none. */
export function bitcoinNode(slug: string): FakeRead {
  return {
    route: 'rpc',
    method: 'POST',
    path: `/v3/${slug}/node`,
    answer({ rawTransaction }, { body }) {
      const { jsonrpc, id, method, params } = membersOf(body)
      assert(jsonrpc === '2.0' && method === 'getrawtransaction', 'another call than expected')
      assert(Array.isArray(params) && params.length === 1, 'it takes the id of a transaction')
      const result = rawTransaction(String(params[0]))
      if (result !== undefined) return { result, error: null, id }
      const message =
        'No such mempool or blockchain transaction. Use gettransaction for wallet transactions.'
      return { result: null, error: { code: -5, message }, id }
    },
  }
}
