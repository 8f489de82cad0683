import { type ErrorCode, KmsError } from '../base/errors.ts'
import {
  type Http,
  type HttpRequest,
  type HttpResponse,
  type Retries,
  request,
  retrying,
} from '../base/http.ts'
import { asArray, asRecord, asString, encodeJson, type Json, parseJson } from '../base/json.ts'
import type { WalletId } from '../base/model.ts'
import {
  baseOf,
  type Clean,
  commonHeaders,
  createCleaner,
  describeOutcome,
  isSuccess,
  readJson,
  wrongShape,
} from './answers.ts'
import {
  clientVersion,
  latestVersionHeader,
  type NewerVersion,
  readNewerVersion,
} from './latest-version.ts'
import { shareCalls } from './shared-calls.ts'

export type TatumApiSettings = {
  readonly baseUrl: string
  readonly apiKey: string
  /** Our own version, for the user-agent. */
  readonly version: string
  readonly insecureHttp?: boolean
  readonly http?: Http
  readonly observer?: ApiObserver
} & Pick<Retries, 'sleep' | 'random'>

type ApiCall = 'pending' | 'read' | 'rpc' | 'broadcast' | 'report'

/** Hears of each request, retries included. */
export type ApiObserver = {
  /** `credits`: what it costs by what Tatum says of its prices, which may change. */
  called(kind: ApiCall, credits: number): void
  newerVersion(newer: NewerVersion): void
}

type BroadcastAnswer = {
  readonly txId?: string
  /** False: on chain, but the ledger withdrawal must be completed by hand (protocol 1.5). */
  readonly completed?: boolean
}

export type ErrorReport = { readonly signatureId: string; readonly error: string }

export type TatumApi = {
  /** What waits for these wallets, unread: an entry can come twice when its wallets are many. */
  pending(
    chain: string,
    signatureIds: readonly WalletId[],
    signal?: AbortSignal,
  ): Promise<readonly unknown[]>
  /** `{apiKey}` in the path becomes the key. */
  get(path: string, signal?: AbortSignal): Promise<unknown>
  /** As `get`. Posted again when its answer is lost: it must be safe to arrive twice. */
  post(path: string, body: Json, signal?: AbortSignal): Promise<unknown>
  /** One call for all who ask the same while it is under way. */
  rpc(path: string, method: string, params: readonly Json[], signal?: AbortSignal): Promise<unknown>
  broadcast(
    sent: { readonly path: string; readonly body: Json },
    signal?: AbortSignal,
  ): Promise<BroadcastAnswer>
  reportErrors(errors: readonly ErrorReport[], signal?: AbortSignal): Promise<void>
}

const label = 'the Tatum API'
/** Protocol 1.2: the API refuses more ids in one request. */
const maxIdsPerRequest = 25_000
const maxPending = 10_000
/** Of a pending answer, strings included: `[[[…` costs a hundred times its length once parsed. */
const maxBrackets = 250_000
const mebibyte = 2 ** 20
const maxBytes = {
  pending: 8 * mebibyte,
  read: mebibyte,
  broadcast: mebibyte / 4,
  report: mebibyte / 4,
} as const
/** The documentation of tatum-kms: 1 for every 500 ids. All else: what a usual call costs. */
const idsPerCredit = 500
const creditsPerCall = 2
const timeoutMs = 60_000
const readAttempts = 3
const broadcastAttempts = 4

/** The Tatum API as the front needs it. Neither the key nor a URL is in anything it throws. */
export function createTatumApi(settings: TatumApiSettings): TatumApi {
  const { apiKey, sleep, random } = settings
  const ask = createAsk(settings)
  const clean = createCleaner(apiKey)
  const calling = observed(settings, clean)
  const reads = { attempts: readAttempts, sleep, random }
  const reading = retrying(calling('read'), reads)
  const rpcReading = retrying(calling('rpc'), reads)
  const sharing = shareCalls<unknown>()
  const broadcasting = retrying(calling('broadcast'), { ...reads, attempts: broadcastAttempts })

  return {
    async pending(chain, signatureIds, signal) {
      const path = `/v3/kms/pending/${encodeURIComponent(chain)}`
      const all: unknown[] = []
      for (const ids of chunks(signatureIds, maxIdsPerRequest)) {
        const body = { signatureIds: ids }
        const credits = Math.ceil(ids.length / idsPerCredit)
        const polling = retrying(calling('pending', credits), reads)
        const response = await polling(
          ask({ method: 'POST', path, body, maxBytes: maxBytes.pending }, signal),
        )
        all.push(...readPending(requireSuccess(response, 'polling', clean)))
      }
      return all
    },

    async get(path, signal) {
      const response = await reading(ask({ method: 'GET', path, maxBytes: maxBytes.read }, signal))
      return readJson(requireSuccess(response, 'a read', clean), 'a read')
    },

    async post(path, body, signal) {
      const sent = ask({ method: 'POST', path, body, maxBytes: maxBytes.read }, signal)
      return readJson(requireSuccess(await reading(sent), 'a request', clean), 'a request')
    },

    rpc(path, method, params, signal) {
      const body = { jsonrpc: '2.0', id: 1, method, params }
      return sharing(`${path} ${encodeJson(body)}`, signal, async () => {
        const call = ask({ method: 'POST', path, body, maxBytes: maxBytes.read }, signal)
        return readRpc(await rpcReading(call), method, clean)
      })
    },

    async broadcast({ path, body }, signal) {
      // The same bytes can pay only once, so that sending them again is always safe.
      const sent = ask({ method: 'POST', path, body, maxBytes: maxBytes.broadcast }, signal)
      return readBroadcast(await broadcasting(sent), clean)
    },

    async reportErrors(errors, signal) {
      const cleaned = errors.map(({ signatureId, error }) => ({
        signatureId,
        error: clean(error, maxReport),
      }))
      const path = '/v3/tatum/kms/batch'
      const sent = ask(
        { method: 'POST', path, body: { errors: cleaned }, maxBytes: maxBytes.report },
        signal,
      )
      const response = await calling('report')(sent)
      // Asked again it would be refused again: it is about what is in it.
      const code = isRefusal(response) ? 'transaction-refused' : 'network'
      requireSuccess(response, 'the error report', clean, code)
    },
  }
}

type Calling = (kind: ApiCall, credits?: number) => Http

function observed({ http = request, observer }: TatumApiSettings, clean: Clean): Calling {
  return (kind, credits = creditsPerCall) =>
    async asked => {
      observer?.called(kind, credits)
      const response = await http(asked)
      const header = response.headers.get(latestVersionHeader)
      const newer = header === null ? undefined : readNewerVersion(header, clean)
      if (newer !== undefined) observer?.newerVersion(newer)
      return response
    }
}

type Ask = (
  asked: {
    readonly method: HttpRequest['method']
    readonly path: string
    readonly body?: Json
    /** Of the answer. */
    readonly maxBytes: number
  },
  signal: AbortSignal | undefined,
) => HttpRequest

/** Checks the address and the key once, so that a slip is seen at the start and not per request. */
function createAsk({ baseUrl, apiKey, version, insecureHttp }: TatumApiSettings): Ask {
  const address = baseOf(baseUrl, { label, insecureHttp })
  if (!/^[\x21-\x7e]+$/.test(apiKey)) {
    throw new KmsError('usage', 'the API key is empty or holds characters no key has')
  }
  const common = { ...commonHeaders(version), 'x-ttm-kms-client-version': clientVersion }
  return ({ method, path, body, maxBytes: limit }, signal) => {
    // Protocol 1.8: endpoints that take the key in the path take no header.
    const isKeyInPath = path.includes('{apiKey}')
    return {
      method,
      url: address(path.replaceAll('{apiKey}', () => encodeURIComponent(apiKey))),
      label,
      headers: {
        ...common,
        ...(isKeyInPath ? {} : { 'x-api-key': apiKey }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: encodeJson(body) }),
      timeoutMs,
      maxBytes: limit,
      insecureHttp,
      signal,
    }
  }
}

function* chunks<T>(values: readonly T[], size: number): Generator<readonly T[]> {
  for (let at = 0; at < values.length; at += size) yield values.slice(at, at + size)
}

function readPending({ text }: HttpResponse): readonly unknown[] {
  const entries = isAmplifying(text) ? undefined : asArray(parseJson(text))
  if (entries === undefined || entries.length > maxPending) {
    throw new KmsError('network', `${label} answered pending transactions of the wrong shape`)
  }
  return entries
}

function isAmplifying(text: string): boolean {
  let brackets = 0
  for (let at = 0; at < text.length && brackets <= maxBrackets; at++) {
    const code = text.charCodeAt(at)
    if (code === openBrace || code === openBracket) brackets++
  }
  return brackets > maxBrackets
}

const openBrace = 0x7b
const openBracket = 0x5b

/** Nodes answer faults with an error member, and some with an HTTP status besides. */
function readRpc(response: HttpResponse, method: string, clean: Clean): unknown {
  const what = `rpc ${method}`
  const answer = asRecord(parseJson(response.text))
  const error = answer?.get('error') ?? undefined
  if (error !== undefined && !isKeyRefusal(response)) {
    const message =
      asString(asRecord(error)?.get('message')) ?? asString(error) ?? 'no reason given'
    throw new KmsError('network', `${what} failed: ${clean(message, maxRpcMessage)}`)
  }
  requireSuccess(response, what, clean)
  if (!answer?.has('result')) throw wrongShape(what)
  return answer.get('result')
}

/**
 * What geth, Bitcoin Core and their kin, java-tron, algod and rippled say of this very transaction, in
 * the mempool or in a block. Not what is also said of another one with its number or its outputs
 * ("nonce too low", tefPAST_SEQ, tx_bad_seq, "bad-txns-inputs-missingorspent").
 */
const alreadyThere = new RegExp(
  [
    'already ?known|\\bknown transaction|transaction already exists',
    'already[- ]in[- ](mempool|block ?chain|utxo)|txn-already-(known|in-mempool)',
    'txn-same-nonwitness-data-in-mempool',
    '\\bdup[ _]transaction|transaction already in ledger|\\btefALREADY\\b',
  ].join('|'),
  'i',
)

/** A 2xx means the bytes were taken, whatever its body says or fails to say. */
function readBroadcast(response: HttpResponse, clean: Clean): BroadcastAnswer {
  // How nodes refuse bytes that they have already: it is what was wanted.
  if (response.status >= 400 && alreadyThere.test(response.text)) return {}
  const { text } = requireSuccess(response, 'broadcast', clean)
  const answer = asRecord(parseJson(text))
  const txId = asString(answer?.get('txId'))
  const completed = answer?.get('completed')
  return {
    ...(txId !== undefined && /^[\x21-\x7e]{1,200}$/.test(txId) ? { txId } : {}),
    ...(typeof completed === 'boolean' ? { completed } : {}),
  }
}

function requireSuccess(
  response: HttpResponse,
  what: string,
  clean: Clean,
  code: ErrorCode = 'network',
): HttpResponse {
  if (isSuccess(response)) return response
  const outcome = describeOutcome(response, clean)
  if (isKeyRefusal(response)) {
    throw new KmsError('api-key-refused', `${label} refused the API key with ${outcome}`, {
      hint: 'check the API key and its plan',
    })
  }
  throw new KmsError(code, `${what} was answered with ${outcome}`)
}

function isRefusal({ status }: HttpResponse): boolean {
  return status === 400 || status === 403 || status === 404 || status === 413 || status === 422
}

/** Protocol 1.7: a 403 with an error code is about the transaction, one without about the key. */
function isKeyRefusal({ status, text }: HttpResponse): boolean {
  if (status !== 403) return status === 401
  return asString(asRecord(parseJson(text))?.get('errorCode')) === undefined
}

const maxRpcMessage = 200
const maxReport = 1_000
