import { asKmsError } from '../base/errors.ts'
import { processUsage } from '../base/usage.ts'
import type { Answers } from '../signer/messages.ts'
import type { EventLog } from './events.ts'
import type { Metrics } from './metrics.ts'
import type { Observer } from './observer.ts'

export type PublisherDeps = {
  readonly observer: Observer
  readonly log: EventLog
  readonly writeStatus: () => void
  /** Undefined where nobody asked for a file. */
  readonly writeMetrics: (() => void) | undefined
}

/** Writes down how the daemon is; what cannot be written is told once while it lasts. */
export function createPublisher(deps: PublisherDeps): () => void {
  const { observer, log, writeStatus, writeMetrics } = deps
  const failing = new Map<string, string>()
  const attempt = (event: 'status not written' | 'metrics not written', work: () => void): void => {
    try {
      work()
      failing.delete(event)
    } catch (thrown) {
      const { message: reason } = asKmsError(thrown)
      if (failing.get(event) !== reason) log.warning(event, { reason })
      failing.set(event, reason)
    }
  }
  return () => {
    observer.refresh()
    attempt('status not written', writeStatus)
    if (writeMetrics !== undefined) attempt('metrics not written', writeMetrics)
  }
}

/** Takes over what the signer says of itself, and of this process what it has used. */
export function recordStatus(metrics: Metrics, status: Answers['status']): void {
  metrics.set('ledger_signatures', {}, status.signed)
  metrics.set('ledger_commits', {}, status.commits)
  metrics.set('vault_generation', {}, Number(status.generation))
  metrics.set('vault_wallets', {}, status.wallets)
  for (const [side, usage] of [
    ['signer', status.usage],
    ['front', processUsage()],
  ] as const) {
    metrics.set('process_resident_bytes', { side }, usage.residentBytes)
    metrics.set('process_cpu_seconds_total', { side }, usage.cpuSeconds)
  }
}
