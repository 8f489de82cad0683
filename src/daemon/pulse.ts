import type { SignerClient } from '../signer/client.ts'
import type { Progress } from '../signer/messages.ts'
import type { EventLog } from './events.ts'
import type { Metrics } from './metrics.ts'
import type { ChainFacts, Observer } from './observer.ts'

export type PulseDeps = {
  readonly signer: Pick<SignerClient, 'ask'>
  readonly observer: Observer
  readonly metrics: Metrics
  readonly log: EventLog
  readonly now: () => number
  readonly monotonic: () => number
  readonly everyMs: number
  /** Tells everybody else. */
  readonly publish: () => Promise<void>
}

/** The sign of life of the poll loop: it comes from there only, so that a loop that hangs has none. */
export type Pulse = {
  readonly everyMs: number
  /** To be called by the loop again and again; tells every `everyMs`. */
  beat(): Promise<void>
  tell(): Promise<void>
  /** Milliseconds since the last one. */
  age(): number
}

export function createPulse(deps: PulseDeps): Pulse {
  const { signer, observer, everyMs, monotonic, publish } = deps
  const watchClock = createClockWatch(deps)
  let last = Number.NEGATIVE_INFINITY
  const tell = async (): Promise<void> => {
    last = monotonic()
    watchClock()
    // The signer passes it on to systemd, and takes it as the proof that somebody is at work here.
    await signer.ask(progressOf(observer.chains()))
    await publish()
  }
  return {
    everyMs,
    async beat() {
      if (monotonic() - last >= everyMs) await tell()
    },
    tell,
    age: () => monotonic() - last,
  }
}

function progressOf(chains: readonly ChainFacts[]): Progress {
  return {
    type: 'progress',
    chains: chains.length,
    failing: chains.filter(({ outcome }) => outcome === 'failed').length,
    listed: chains.reduce((sum, { listed }) => sum + listed, 0),
    unsent: chains.reduce((sum, { unsent }) => sum + unsent, 0),
  }
}

/** Less than this is how clocks are kept right. */
const noticeableMs = 10_000

/** Waits do not go by the clock, but expiries and what is written down do: a jump is worth a line. */
function createClockWatch({ now, monotonic, metrics, log }: PulseDeps): () => void {
  const offset = (): number => now() - monotonic()
  let before = offset()
  return () => {
    const jump = offset() - before
    before += jump
    if (Math.abs(jump) < noticeableMs) return
    metrics.count('clock_jumps_total', {})
    log.warning('clock jumped', { seconds: Math.round(jump / 1000) })
  }
}
