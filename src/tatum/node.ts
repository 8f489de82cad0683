import { KmsError } from '../base/errors.ts'
import { type Http, type HttpResponse, type Retries, request, retrying } from '../base/http.ts'
import { encodeJson, type Json } from '../base/json.ts'
import type { NodeName } from '../base/model.ts'
import {
  baseOf,
  commonHeaders,
  createCleaner,
  describeOutcome,
  isSuccess,
  readJson,
} from './answers.ts'

export type NodeSettings = {
  readonly baseUrl: string
  /** Our own version, for the user-agent. */
  readonly version: string
  readonly insecureHttp?: boolean
  readonly http?: Http
} & Pick<Retries, 'sleep' | 'random'>

/** What is posted must be safe to arrive twice: a lost answer is asked for again. */
export type ChainNode = {
  get(path: string, signal?: AbortSignal): Promise<unknown>
  /** As `get`; undefined where the node says that it knows no such thing (404). */
  find(path: string, signal?: AbortSignal): Promise<unknown>
  post(path: string, body: Json, signal?: AbortSignal): Promise<unknown>
}

/** How errors and the command line call them. */
export const nodeLabels = {
  vet: 'the VeChain node',
  flow: 'the Flow node',
} as const satisfies Readonly<Record<NodeName, string>>

const maxBytes = 2 ** 20
const timeoutMs = 60_000
const attempts = 3
const clean = createCleaner()

/** A chain's own node, asked directly. It is told no API key. */
export function createNode(name: NodeName, settings: NodeSettings): ChainNode {
  const { baseUrl, version, insecureHttp, http = request, sleep, random } = settings
  const label = nodeLabels[name]
  const what = `a request to ${label}`
  const address = baseOf(baseUrl, { label, insecureHttp })
  const asking = retrying(http, { attempts, sleep, random })
  const common = { label, timeoutMs, maxBytes, insecureHttp }
  const headers = commonHeaders(version)

  const lookUp = (path: string, signal?: AbortSignal): Promise<HttpResponse> =>
    asking({ ...common, method: 'GET', url: address(path), headers, signal })
  const read = (response: HttpResponse): unknown => readJson(requireSuccess(response, what), what)

  return {
    async get(path, signal) {
      return read(await lookUp(path, signal))
    },
    async find(path, signal) {
      const response = await lookUp(path, signal)
      return response.status === 404 ? undefined : read(response)
    },
    async post(path, body, signal) {
      const sent = {
        ...common,
        method: 'POST',
        url: address(path),
        headers: { ...headers, 'content-type': 'application/json' },
        body: encodeJson(body),
        signal,
      } as const
      return read(await asking(sent))
    },
  }
}

function requireSuccess(response: HttpResponse, what: string): HttpResponse {
  if (isSuccess(response)) return response
  throw new KmsError('network', `${what} was answered with ${describeOutcome(response, clean)}`)
}
