import { join } from 'node:path'
import { realDisk } from '../../src/base/disk.ts'
import { type Http, request } from '../../src/base/http.ts'
import { createLog } from '../../src/base/log.ts'
import type { ChainSettings } from '../../src/chains/chain.ts'
import { findChain } from '../../src/chains/index.ts'
import { defaultSettings } from '../../src/chains/settings.ts'
import { approveByStatus } from '../../src/daemon/approve.ts'
import { askInBatches, lookUpInBatches } from '../../src/daemon/ask-to-sign.ts'
import type { DaemonDeps } from '../../src/daemon/daemon.ts'
import type { EventLog } from '../../src/daemon/events.ts'
import type { Journal, JournalScope, PaymentRow } from '../../src/daemon/journal.ts'
import { openJournal } from '../../src/daemon/journal-sqlite.ts'
import { createMetrics, type Metrics } from '../../src/daemon/metrics.ts'
import { createObserver } from '../../src/daemon/observer.ts'
import { createPulse } from '../../src/daemon/pulse.ts'
import { createApprover } from '../../src/guard/approval.ts'
import type { SignerClient } from '../../src/signer/client.ts'
import { createTatumApi } from '../../src/tatum/api.ts'
import { createNode } from '../../src/tatum/node.ts'
import type { FakeTatum } from './fake-tatum.ts'
import type { InProcessSigner } from './in-process-signer.ts'

export type InProcessFront = AsyncDisposable & {
  readonly deps: DaemonDeps
  /** States the journal was told, `<id> <state>`, in order. */
  readonly states: string[]
  /** Log lines, parsed. */
  readonly log: Readonly<Record<string, unknown>>[]
  readonly metrics: Metrics
}

/** The front's parts with a real journal, on top of a signer without a second process. */
export async function startFront(
  folder: string,
  tatum: FakeTatum,
  signer: InProcessSigner,
  {
    http = request,
    now = Date.now,
    monotonic = now,
    idlePeriodMs = 5,
    beatMs = 3_600_000,
    random = () => 0,
    chainSettings = defaultSettings,
    open = scope => openJournal(join(folder, 'payments.sqlite'), scope, now),
  }: {
    readonly http?: Http
    readonly now?: () => number
    readonly monotonic?: () => number
    readonly idlePeriodMs?: number
    readonly beatMs?: number
    readonly random?: () => number
    readonly chainSettings?: ChainSettings
    readonly open?: (scope: JournalScope) => Promise<Journal>
  } = {},
): Promise<InProcessFront> {
  const states: string[] = []
  const log: Record<string, unknown>[] = []
  const network = 'mainnet'
  const scope = { vaultId: signer.vault.vaultId, network } as const
  const stored = await open(scope)
  const sleep = (ms: number): Promise<void> => Bun.sleep(Math.min(ms, 5))
  const journal: Journal = {
    ...stored,
    async record(row: PaymentRow) {
      const recorded = await stored.record(row)
      states.push(`${row.pendingId.slice(-2)} ${row.state}`)
      return recorded
    },
  }
  const client: SignerClient = {
    ask: signer.ask,
    config: Promise.resolve(),
    ready: Promise.resolve(),
    close: () => {},
  }
  const settings = { baseUrl: tatum.url, apiKey: tatum.apiKey, version: 'test', random: () => 0 }
  const node = { baseUrl: tatum.url, version: 'test', random: () => 0, http, sleep }
  const metrics = createMetrics()
  const observer = createObserver(metrics, { now, monotonic })
  const eventLog: EventLog = createLog({
    write: line => log.push(JSON.parse(line)),
    now: () => new Date(0),
    json: true,
    level: 'debug',
  })
  const pulse = createPulse({
    ...{ signer: client, observer, metrics, log: eventLog, now, monotonic },
    everyMs: beatMs,
    publish: async () => observer.refresh(),
  })
  return {
    states,
    log,
    metrics,
    deps: {
      api: createTatumApi({ ...settings, http, sleep }),
      approve: approveByStatus(
        createApprover({ url: tatum.approverUrl, method: 'GET', insecureHttp: false }, http),
      ),
      nodes: { vet: createNode('vet', node), flow: createNode('flow', node) },
      signer: client,
      askToSign: askInBatches(client),
      askIfSigned: lookUpInBatches(client),
      journal,
      log: eventLog,
      observer,
      pulse,
      disk: realDisk,
      stateFolder: folder,
      now,
      monotonic,
      random,
      network,
      chainSettings,
      findChain,
      chains: ['BTC', 'ETH'],
      periodMs: 5,
      idlePeriodMs,
      keepPaymentsMs: 86_400_000,
      sleep,
    },
    [Symbol.asyncDispose]: () => stored.close(),
  }
}
