import type { ChainReads, NodeName } from '../base/model.ts'
import type { SignerClient } from '../signer/client.ts'
import type { TatumApi } from '../tatum/api.ts'
import type { ChainNode } from '../tatum/node.ts'

export type ReadsDeps = {
  readonly api: Pick<TatumApi, 'get' | 'post' | 'rpc'>
  readonly nodes: Readonly<Record<NodeName, ChainNode>>
  readonly signer: Pick<SignerClient, 'ask'>
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>
}

/** What a chain has to say about a payment that goes on all the same. */
export type Warning = { readonly event: string; readonly reason: string }

/** The world as one payment of a chain sees it, until `signal`. */
export function chainReads(
  { api, nodes, signer, sleep }: ReadsDeps,
  chain: string,
  warnings: Warning[],
  signal: AbortSignal,
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
    async nextNonce(address) {
      const { next } = await signer.ask({ type: 'nextNonce', chain, address })
      return next === null ? undefined : BigInt(next)
    },
    warn: (event, reason) => warnings.push({ event, reason }),
    wait: ms => sleep(ms, signal),
  }
}
