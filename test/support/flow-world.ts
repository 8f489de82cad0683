import { KmsError } from '../../src/base/errors.ts'
import type { Json } from '../../src/base/json.ts'
import type { ChainReads } from '../../src/base/model.ts'
import { flow } from '../../src/chains/flow.ts'
import { noReads, pendingOf } from './evm.ts'
import { createFlowNetwork } from './fake-chains/flow.ts'
import { ownOf, payments, signaturesOf } from './flow.ts'
import { recordedCases } from './recorded-cases.ts'

// The access node of the sandbox knows the owner's keys: those of the recorded wallets.
export const secret = Buffer.from(
  recordedCases('FLOW')
    .flatMap(({ wallets }) => Object.values(wallets))
    .find(({ privateKey }) => privateKey !== undefined)?.privateKey ?? '',
  'hex',
)
export const own = ownOf('cadence1', 'testnet', secret)

export const { signal } = new AbortController()

type Account = { readonly keys: readonly Readonly<Record<string, unknown>>[] }

/** An account of Tatum's in the sandbox. */
export function accountOf(address: string): Account {
  return createFlowNetwork().answer(`GET /v1/accounts/${address.slice(2)}`) as Account
}

export type Answers = Readonly<Record<string, unknown>>

/** The sandbox's network; `answers` come first: by request, or by what requests begin with. */
export function createWorld(answers: Answers = {}, submitting = own) {
  const network = createFlowNetwork()
  const asked: string[] = []
  const released: Json[] = []
  const warned: string[] = []
  const waits: number[] = []
  const answer = (request: string, body?: Json): unknown => {
    const names = Object.keys(answers).toSorted((a, b) => b.length - a.length)
    const name = names.find(start => request.startsWith(start))
    asked.push(request)
    if (request === 'POST /v3/flow/broadcast' && body !== undefined) released.push(body)
    if (name === undefined) return network.answer(request, body)
    const given = answers[name]
    if (given instanceof KmsError) throw given
    return typeof given === 'function' ? given(body) : given
  }
  const reading = {
    get: async (path: string) => answer(`GET ${path}`),
    find: async (path: string) => answer(`GET ${path}`),
    post: async (path: string, body: Json) => answer(`POST ${path}`, body),
  }
  const reads: ChainReads = {
    ...noReads,
    ...reading,
    node: () => reading,
    warn: event => void warned.push(event),
    wait: async ms => void waits.push(ms),
  }
  const signed = async () => {
    const pending = pendingOf(flow, payments.transfer)
    const prepared = flow.prepare(pending, own, await flow.complete(pending, own, reads, signal))
    return prepared.seal(signaturesOf(prepared, secret))
  }
  const finish = async (txData: string) =>
    (await flow.finish?.(txData, own, reads, signal)) ?? never()
  return {
    network,
    reads,
    asked,
    released,
    warned,
    waits,
    signed,
    finish,
    finished: async () => finish((await signed()).txData),
    submit: async (txData: string) =>
      (await flow.submit?.(txData, submitting, reads, signal)) ?? never(),
  }
}

function never(): never {
  throw new Error('there is none')
}
