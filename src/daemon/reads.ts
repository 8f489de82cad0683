import { KmsError } from '../base/errors.ts'
import type { ChainReads, ChainWarning, NodeName } from '../base/model.ts'
import type { SignerClient } from '../signer/client.ts'
import type { TatumApi } from '../tatum/api.ts'
import type { ChainNode } from '../tatum/node.ts'
import type { Journal } from './journal.ts'

export type ReadsDeps = {
  readonly api: Pick<TatumApi, 'get' | 'post' | 'rpc'>
  readonly nodes: Readonly<Record<NodeName, ChainNode>>
  readonly signer: Pick<SignerClient, 'ask'>
  readonly journal: Pick<Journal, 'nextNumber'>
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>
}

/** What a chain has to say about a payment that goes on all the same. */
export type Warning = { readonly event: ChainWarning; readonly reason: string }

/**
 * The world as one payment of a chain sees it, until `signal`.
 *
 * @param beforeNumber to be waited for before a number is given out
 */
export function chainReads(
  { api, nodes, signer, journal, sleep }: ReadsDeps,
  chain: string,
  warnings: Warning[],
  signal: AbortSignal,
  beforeNumber?: Promise<unknown>,
): ChainReads {
  return {
    get: path => api.get(path, signal),
    post: (path, body) => api.post(path, body, signal),
    rpc: (path, method, params) => api.rpc(path, method, params, signal),
    node: name => ({
      get: path => nodes[name].get(path, signal),
      find: path => nodes[name].find(path, signal),
      post: (path, body) => nodes[name].post(path, body, signal),
    }),
    async nextNonce(address, counted) {
      await beforeNumber?.catch(() => {})
      const { next } = await signer.ask({ type: 'nextNonce', chain, address })
      const own = next === null ? undefined : BigInt(next)
      const shared = await journal.nextNumber(chain, address)
      if (shared === undefined) return own
      if (own !== undefined && own > shared && own > counted) throw numberMissing(own - 1n)
      return shared
    },
    warn: (event, reason) => warnings.push({ event, reason }),
    wait: ms => sleep(ms, signal),
  }
}

/**
 * What was signed here and not journaled may never leave this machine: numbers behind it would wait for
 * one that nobody has.
 */
function numberMissing(number: bigint): KmsError {
  return new KmsError(
    'too-early',
    `number ${number} of its sender was signed here for a payment that the shared journal does not have yet`,
  )
}
