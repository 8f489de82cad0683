import { join } from 'node:path'
import { createLog } from '../base/log.ts'
import { writeStateFile } from '../base/state-file.ts'
import type { SignerClient } from '../signer/client.ts'
import type { Answers } from '../signer/messages.ts'
import type { ApiObserver } from '../tatum/api.ts'
import type { FrontConfig } from './config.ts'
import type { EventLog } from './events.ts'
import { meterSigner } from './metered.ts'
import { createMetrics, type Metrics } from './metrics.ts'
import { serveMetrics } from './metrics-server.ts'
import { createObserver, type Observer } from './observer.ts'
import { createPublisher, recordStatus } from './publisher.ts'
import { createPulse, type Pulse } from './pulse.ts'
import { type DaemonStatus, encodeStatus, statusFile } from './status.ts'
import { createVersionNotice } from './version-notice.ts'

export type OperationsWorld = {
  readonly version: string
  readonly now: () => number
  readonly monotonic: () => number
  readonly writeLog: (line: string) => void
  /** Where the front is a service of its own. */
  readonly service?: object
}

/** How the daemon is seen from outside: log, metrics, status, signs of life. */
export type Operations = {
  readonly log: EventLog
  readonly metrics: Metrics
  readonly observer: Observer
  readonly apiObserver: ApiObserver
  readonly pulse: Pulse
  /** The signer, whose answers are timed. */
  readonly signer: SignerClient
  /** From now on others can ask; answers what ends that. `stop` is said in the log. */
  open(stop: AbortSignal): Promise<() => void>
}

/** @param status of the signer at the start */
export function createOperations(
  { version, now, monotonic, writeLog, service }: OperationsWorld,
  config: FrontConfig,
  asked: SignerClient,
  status: Answers['status'],
): Operations {
  const { log: logSettings, metrics: address, metricsFile, beatMs } = config.operations
  const log = createLog({ ...logSettings, write: writeLog, now: () => new Date(now()) })
  const metrics = createMetrics()
  const signer = meterSigner(asked, metrics, monotonic)
  const observer = createObserver(metrics, { now, monotonic })
  const startedAt = now()
  // Else the signer is our parent.
  const pid = service === undefined ? process.ppid : null
  let latest = status
  metrics.set('build_info', { version }, 1)
  metrics.set('start_time_seconds', {}, startedAt / 1000)
  recordStatus(metrics, status)

  const publish = createPublisher({
    observer,
    log,
    writeStatus() {
      const facts = { version, pid, startedAt, toldAt: now(), ...observed(observer) }
      const text = encodeStatus({ ...facts, ...described(config), ...vaultOf(latest) })
      writeStateFile(join(config.operations.stateFolder, statusFile), text, 0o600)
    },
    // Others read it, as they read what is served: there is nothing in it but numbers.
    writeMetrics:
      metricsFile === null ? undefined : () => writeStateFile(metricsFile, metrics.write(), 0o644),
  })
  const pulse = createPulse({
    ...{ signer, observer, metrics, log, now, monotonic },
    everyMs: beatMs,
    async publish() {
      latest = await signer.ask({ type: 'status' })
      recordStatus(metrics, latest)
      publish()
    },
  })
  return {
    ...{ log, metrics, observer, pulse, signer },
    apiObserver: observeApi(metrics, createVersionNotice(log, monotonic)),
    async open(stop) {
      const { network } = config
      const { wallets, generation } = status
      log.info('daemon started', { version, network, wallets, generation })
      stop.addEventListener('abort', () => log.info('daemon stopping'))
      if (address === null) return () => {}
      const longestPeriodMs = Math.max(config.periodMs, config.operations.idlePeriodMs)
      const write = (): string => {
        observer.refresh()
        return metrics.write()
      }
      const server = await serveMetrics(address, write, { observer, pulse, longestPeriodMs })
      return () => server.close()
    },
  }
}

function observeApi(metrics: Metrics, newerVersion: ApiObserver['newerVersion']): ApiObserver {
  return {
    called(kind, credits) {
      metrics.count('api_calls_total', { kind })
      metrics.count('api_credits_total', { kind }, credits)
    },
    newerVersion,
  }
}

function observed(observer: Observer): Pick<DaemonStatus, 'chains' | 'outcomes'> {
  const chains = observer.chains().map(({ chain, polledAt, outcome, listed, unsent }) => ({
    ...{ chain, polledAt, outcome, listed, unsent },
  }))
  return { chains, outcomes: observer.outcomes() }
}

type Described = Pick<
  DaemonStatus,
  'frontPid' | 'network' | 'periodMs' | 'idlePeriodMs' | 'hasApprover'
>

/** What of its settings anybody may know. */
function described({ network, periodMs, approver, operations }: FrontConfig): Described {
  const { idlePeriodMs } = operations
  return { frontPid: process.pid, network, periodMs, idlePeriodMs, hasApprover: approver !== null }
}

function vaultOf({
  vaultId: id,
  generation,
  wallets,
}: Answers['status']): Pick<DaemonStatus, 'vault'> {
  return { vault: { id, generation, wallets } }
}
