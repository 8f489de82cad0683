import type { Network } from '../../src/base/model.ts'
import { fees, type ReadCall, type ReadWorld } from './fake-chains/fake-chain.ts'
import { fakeChains } from './fake-chains.ts'
import { actWithFault, type Fault } from './fake-faults.ts'
import {
  countNonces,
  type QueuedTx,
  queue,
  type Refusal,
  settle,
  settleAlone,
  type World,
  waiting,
} from './fake-world.ts'
import { membersOf } from './members.ts'

export type FakeRoute = 'pending' | 'broadcast' | 'read' | 'rpc' | 'node' | 'report' | 'approve'

export type FakeRequest = {
  readonly route: FakeRoute | 'unknown'
  readonly method: string
  /** As it came, an API key in it included. */
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: unknown
}

export type FakeState = Pick<World, 'pending' | 'broadcasts' | 'settled' | 'others'> & {
  readonly requests: FakeRequest[]
  readonly reports: { readonly signatureId: string; readonly error: string }[]
  /** What `getrawtransaction` answers, by transaction id. */
  readonly rawTransactions: Map<string, string>
}

export type FakeTatumOptions = {
  readonly apiKey?: string
  readonly network?: Network
  /** Transaction counts to start from, by lower-case address; 0 where nothing is said. */
  readonly nonces?: Readonly<Record<string, number>>
  /** Refuses bytes that it has already, with 403. */
  readonly refusesRepeats?: boolean
  /** Hears in plain words what happens. */
  readonly tell?: (line: string) => void
}

export type FakeTatum = AsyncDisposable & {
  readonly url: string
  readonly apiKey: string
  /** For `--external-url`; approves until `onApproval` says otherwise. */
  readonly approverUrl: string
  readonly state: FakeState
  /** Puts a transaction into the queue of its chain and answers its id. */
  queue(tx: QueuedTx): string
  /** Accepts transactions, but puts them into no block until `mine`. */
  stopMining(): void
  mine(): void
  /** As if the transaction that used up a nonce had never been seen. */
  forget(chain: string, claim: string): void
  /** The HTTP status the approver answers with. */
  onApproval(verdict: Verdict): void
  /** Switches a fault on, for the next `times` requests or until `heal`. */
  fail(
    route: FakeRoute,
    fault: Fault,
    scope?: { readonly times?: number; readonly chain?: string },
  ): void
  /** Asked before each request that no such fault is for: what goes wrong with it, if anything. */
  disturb(choose: (route: FakeRoute) => Fault | undefined): void
  /** Whether an answer hands out again, among the others, what was paid long ago. */
  onPoll(repeats: () => boolean): void
  /** As if its process had ended for a while: it comes back with all that it knew. */
  restart(downMs: number): Promise<void>
  /** Switches off every fault, or those of one route. */
  heal(route?: FakeRoute): void
  stop(): Promise<void>
}

type Verdict = (id: string, body: unknown) => number

/** A Tatum API with a memory, on 127.0.0.1: what the tests and `make demo` talk to. */
export function startFakeTatum(options: FakeTatumOptions = {}): FakeTatum {
  const sandbox = createSandbox(options)
  let server = listen(sandbox, 0)
  const { port } = server
  const url = `http://127.0.0.1:${port}`
  const stop = (): Promise<void> => server.stop(true)
  return {
    url,
    apiKey: sandbox.apiKey,
    approverUrl: `${url}/approve`,
    state: sandbox,
    queue: tx => queue(sandbox, tx),
    stopMining() {
      sandbox.isMining = false
    },
    mine() {
      sandbox.unmined.clear()
      sandbox.isMining = true
    },
    forget(chain, claim) {
      sandbox.claims.delete(`${chain}/${claim}`)
    },
    onApproval(verdict) {
      sandbox.verdict = verdict
    },
    fail(route, fault, { times = Number.POSITIVE_INFINITY, chain } = {}) {
      sandbox.faults.push({ route, fault, chain, left: times })
    },
    disturb(choose) {
      sandbox.choose = choose
    },
    onPoll(repeats) {
      sandbox.repeats = repeats
    },
    async restart(downMs) {
      await server.stop(true)
      await Bun.sleep(downMs)
      server = listen(sandbox, port)
    },
    heal(route) {
      const kept = sandbox.faults.filter(fault => route !== undefined && fault.route !== route)
      sandbox.faults.splice(0, Infinity, ...kept)
    },
    stop,
    [Symbol.asyncDispose]: stop,
  }
}

function listen(sandbox: Sandbox, port: number | undefined) {
  return Bun.serve({
    hostname: '127.0.0.1',
    port: port ?? 0,
    idleTimeout: 0,
    routes: createRoutes(sandbox),
    async fetch(request) {
      await logRequest(sandbox, 'unknown', request)
      return refuse({ statusCode: 404, errorCode: 'not.found', message: 'nothing is here' })
    },
  })
}

type Sandbox = World &
  FakeState & {
    readonly apiKey: string
    readonly faults: {
      readonly route: FakeRoute
      readonly fault: Fault
      readonly chain: string | undefined
      left: number
    }[]
    verdict: Verdict
    choose: (route: FakeRoute) => Fault | undefined
    repeats: () => boolean
  }

function createSandbox({
  apiKey = 'sandbox-api-key',
  network = 'testnet',
  nonces = {},
  refusesRepeats = false,
  tell = () => {},
}: FakeTatumOptions): Sandbox {
  return {
    apiKey,
    network,
    nonces,
    refusesRepeats,
    tell,
    pending: new Map(),
    broadcasts: new Map(),
    settled: new Map(),
    claims: new Map(),
    unmined: new Map(),
    isMining: true,
    others: [],
    requests: [],
    reports: [],
    rawTransactions: new Map(),
    faults: [],
    verdict: () => 200,
    choose: () => undefined,
    repeats: () => false,
  }
}

type Handler = (call: ReadCall) => Response | Promise<Response>
type Served = (request: Bun.BunRequest) => Promise<Response>

function createRoutes(sandbox: Sandbox): Record<string, Record<string, Served>> {
  const common = {
    '/v3/kms/pending/:chain': { POST: serve(sandbox, 'pending', call => handOut(sandbox, call)) },
    '/v3/tatum/kms/batch': { POST: serve(sandbox, 'report', call => takeReports(sandbox, call)) },
    '/v3/offchain/withdrawal/broadcast': {
      POST: serve(sandbox, 'broadcast', call => takeOffchain(sandbox, call)),
    },
    '/v3/blockchain/fee/:chain': { GET: serve(sandbox, 'read', () => Response.json(fees)) },
    '/approve/:id': {
      GET: serve(sandbox, 'approve', call => approve(sandbox, call)),
      POST: serve(sandbox, 'approve', call => approve(sandbox, call)),
    },
  }
  const knownOf = (chain: string): ReadWorld => ({
    network: sandbox.network,
    isMining: sandbox.isMining,
    countNonces: address => countNonces(sandbox, chain, address),
    rawTransaction: txId => sandbox.rawTransactions.get(txId),
  })
  const ofChains = Object.entries(fakeChains).map(([id, { broadcastPath, reads = [] }]) => ({
    [broadcastPath]: {
      POST: serve(sandbox, 'broadcast', call => takeOnchain(sandbox, id, call), id),
    },
    ...Object.fromEntries(
      reads.map(({ route, method, path, answer }) => [
        path,
        { [method]: serve(sandbox, route, call => Response.json(answer(knownOf(id), call)), id) },
      ]),
    ),
  }))
  return Object.assign({}, common, ...ofChains)
}

function serve(sandbox: Sandbox, route: FakeRoute, handler: Handler, chain?: string): Served {
  return async request => {
    const params: ReadCall['params'] = request.params
    const body = await logRequest(sandbox, route, request)
    const sentKey = params.apiKey ?? request.headers.get('x-api-key')
    if (sentKey !== keyFor(sandbox, route)) {
      // The real one quotes the key in just this way.
      const message = `Unable to find valid subscription for '${sentKey}'`
      return refuse({ statusCode: 401, errorCode: 'subscription.invalid', message })
    }
    const fault = takeFault(sandbox, route, chain ?? params.chain)
    return actWithFault(fault, async () => {
      try {
        return await handler({ params, body })
      } catch (thrown) {
        // What a sandbox does not take is refused: as an error it would be that of whichever test runs.
        if (!(thrown instanceof Error) || thrown.name !== 'AssertionError') throw thrown
        return refuse({ statusCode: 400, errorCode: 'sandbox', message: thrown.message })
      }
    })
  }
}

/** Approvers and nodes are nobody's business to tell the key. */
function keyFor({ apiKey }: Sandbox, route: FakeRoute): string | null {
  return route === 'approve' || route === 'node' ? null : apiKey
}

async function logRequest(
  { requests }: Sandbox,
  route: FakeRequest['route'],
  request: Request,
): Promise<unknown> {
  const text = await request.text()
  const body: unknown = text === '' ? undefined : JSON.parse(text)
  const { pathname, search } = new URL(request.url)
  const headers = Object.fromEntries(request.headers)
  requests.push({ route, method: request.method, path: pathname + search, headers, body })
  return body
}

function takeFault(
  { faults, choose }: Sandbox,
  route: FakeRoute,
  chain: string | undefined,
): Fault | undefined {
  const found = faults.find(
    fault => fault.route === route && fault.left > 0 && (fault.chain ?? chain) === chain,
  )
  if (found === undefined) return choose(route)
  found.left--
  return found.fault
}

function refuse(refusal: Refusal): Response {
  return Response.json(refusal, { status: refusal.statusCode })
}

function invalid(message: string): Response {
  return refuse({ statusCode: 400, errorCode: 'validation.failed', message })
}

function handOut(sandbox: Sandbox, { params, body }: ReadCall): Response {
  const { signatureIds, ...rest } = membersOf(body)
  if (!Array.isArray(signatureIds)) return invalid('signatureIds must be an array')
  if (signatureIds.length > 25_000) return invalid('signatureIds must hold at most 25000 elements')
  if (Object.keys(rest).length > 0) return invalid(`${Object.keys(rest)} should not exist`)
  const asked = { ...sandbox, settled: sandbox.repeats() ? new Map() : sandbox.settled }
  const found = waiting(asked, params.chain ?? '', signatureIds)
  for (const { id, chain } of found) sandbox.tell(`${chain} payment ${id} is handed out`)
  return Response.json(found)
}

function takeReports({ reports, tell }: Sandbox, { body }: ReadCall): Response {
  const { errors } = membersOf(body)
  if (!Array.isArray(errors)) return invalid('errors must be an array')
  for (const { signatureId, error } of errors) {
    reports.push({ signatureId, error })
    tell(`payment ${signatureId} is reported as failed: ${error}`)
  }
  return new Response(null, { status: 204 })
}

function takeOnchain(
  sandbox: Sandbox,
  chain: string,
  { body }: ReadCall,
): Response | Promise<Response> {
  if (fakeChains[chain]?.isRelease?.(body)) return Response.json({ txId: 'released' })
  const { txData, signatureId, ...rest } = membersOf(body)
  if (Object.keys(rest).length > 0) return invalid(`${Object.keys(rest)} should not exist`)
  if (signatureId === undefined) return takeAlone(sandbox, chain, txData)
  const { withdrawalId } = sandbox.pending.get(String(signatureId)) ?? {}
  if (fakeChains[chain]?.offchain && withdrawalId !== undefined) {
    const message = 'it belongs to a virtual account'
    return refuse({ statusCode: 403, errorCode: 'withdrawal.unexpected.state', message })
  }
  return take(sandbox, chain, signatureId, txData)
}

async function takeAlone(sandbox: Sandbox, chain: string, txData: unknown): Promise<Response> {
  const outcome = await settleAlone(sandbox, chain, String(txData))
  if ('errorCode' in outcome) return refuse(outcome)
  return Response.json({ txId: outcome.txId })
}

function takeOffchain(sandbox: Sandbox, { body }: ReadCall): Response | Promise<Response> {
  const { currency, txData, signatureId, withdrawalId, ...rest } = membersOf(body)
  if (Object.keys(rest).length > 0) return invalid(`${Object.keys(rest)} should not exist`)
  const expected = sandbox.pending.get(String(signatureId))?.withdrawalId
  if (expected === undefined || expected !== withdrawalId) {
    const message = 'there is no such withdrawal'
    return refuse({ statusCode: 403, errorCode: 'withdrawal.missing', message })
  }
  return take(sandbox, String(currency), signatureId, txData, { completed: true })
}

async function take(
  sandbox: Sandbox,
  chain: string,
  signatureId: unknown,
  txData: unknown,
  extra: { readonly completed?: boolean } = {},
): Promise<Response> {
  if (typeof txData !== 'string' || txData.length < 1 || txData.length > 500_000) {
    return invalid('txData must be a string of 1 to 500000 characters')
  }
  const tx = sandbox.pending.get(String(signatureId))
  if (tx === undefined) {
    const message = 'there is no such pending transaction'
    return refuse({ statusCode: 403, errorCode: 'kms.missing', message })
  }
  const outcome = await settle(sandbox, chain, tx, txData)
  if ('errorCode' in outcome) return refuse(outcome)
  return Response.json({ txId: outcome.txId, ...extra })
}

function approve({ verdict, tell }: Sandbox, { params, body }: ReadCall): Response {
  const id = params.id ?? ''
  const status = verdict(id, body)
  tell(`the approver is asked about payment ${id} and answers ${status}`)
  return new Response(null, { status })
}
