import { describe, expect, test } from 'bun:test'
import { isDeepStrictEqual } from 'node:util'
import { KmsError } from '../../src/base/errors.ts'
import type { ChainReads } from '../../src/base/model.ts'
import { parsePending } from '../../src/tatum/pending.ts'
import { type FamilyMember, family, noReads, ownOf, privateKeyOf, signAll } from '../support/evm.ts'
import {
  type RecordedCase,
  type RecordedExchange,
  recordedCases,
} from '../support/recorded-cases.ts'

// Where the original is wrong, test/support/differences says what is right.

describe.each(family)('every recorded $id case', member => {
  const cases = recordedCases(member.id)
  const named = (outcome: 'signed' | 'refused') =>
    cases
      .filter(({ expected }) => expected.outcome === outcome && !expected.differsFromOriginal)
      .map(found => [found.network, found.case, found] as const)

  test.each(named('signed'))('%s %s gives the bytes of the original', async (_on, _name, found) => {
    const { txData, broadcast } = found.expected
    expect<unknown>(await sign(member, found)).toEqual({ txData, broadcast })
  })

  // Which kind of wallet it is only the vault knows: the chain's part is to name no index.
  const byChain = named('refused').filter(([, name]) => name !== 'mnemonic-no-index')
  if (byChain.length > 0) {
    test.each(byChain)('%s %s is refused', async (_on, _name, found) => {
      expect(await sign(member, found).catch(thrown => thrown)).toBeInstanceOf(KmsError)
    })
  }
})

test('a mnemonic without an index asks for a key without one, which the vault refuses', () => {
  const found = recordedCases('ETH').find(({ case: name }) => name === 'mnemonic-no-index')
  const eth = family.find(({ id }) => id === 'ETH')
  const pending = parsePending({ chain: 'ETH', ...found?.pending })
  expect(eth?.chain.keys(pending)).toEqual([{ signatureId: pending.hashes[0] ?? '' }])
})

async function sign({ chain }: FamilyMember, found: RecordedCase) {
  const { network, wallets } = found
  const pending = parsePending({ chain: chain.id, ...found.pending })
  const [ref] = chain.keys(pending)
  const wallet = wallets[ref?.signatureId ?? '']
  if (wallet === undefined) throw new Error('the case has no such wallet')
  const key = privateKeyOf(chain, wallet, network, ref?.index)
  const own = ownOf(key, network)
  const reads = readsOf(found.http)
  const completion = await chain.complete(pending, own, reads, new AbortController().signal)
  const prepared = chain.prepare(pending, own, completion)
  const { txData } = prepared.seal(signAll(prepared, key))
  return { txData, broadcast: chain.broadcast(pending, txData) }
}

/** The recorded answers; `eth_chainId` is among them and must not be asked for. */
function readsOf(http: readonly RecordedExchange[]): ChainReads {
  const answer = async (found: RecordedExchange | undefined, name: string) => {
    if (found === undefined) throw new Error(`unexpected request: ${name}`)
    return found.result ?? found.response
  }
  return {
    ...noReads,
    get: path => {
      const found = http.find(({ request }) => request === `GET ${path}`)
      return answer(found, path)
    },
    rpc: (path, method, params) => {
      expect(method).not.toBe('eth_chainId')
      const call = { method, params }
      const found = http.find(
        ({ request, jsonrpc }) => request === `POST ${path}` && isDeepStrictEqual(jsonrpc, call),
      )
      return answer(found, method)
    },
  }
}
