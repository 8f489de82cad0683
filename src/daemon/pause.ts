import { asKmsError } from '../base/errors.ts'
import type { SignerClient } from '../signer/client.ts'
import type { EventLog } from './events.ts'
import type { Journal } from './journal.ts'

export type PauseDeps = {
  readonly signer: Pick<SignerClient, 'ask'>
  readonly journal: Pick<Journal, 'probe'>
  readonly log: Pick<EventLog, 'info' | 'error'>
}

/** Rests while what must be remembered cannot be written: full disks are emptied, servers come back. */
export type Pause = {
  /** True for a fault that a pause is for; one that lasts is said once. */
  begin(fault: unknown): boolean
  /** For works that are started now: aborted by the next pause, and by the daemon's own stop. */
  nextStop(): AbortSignal
  /** Throws the fault again while it lasts. */
  tryToEnd(): Promise<void>
}

export function createPause({ signer, journal, log }: PauseDeps, stop: AbortSignal): Pause {
  let said: string | undefined
  let isTrying = true
  let era = startEra(stop)
  return {
    begin(fault) {
      const { code, message: reason } = asKmsError(fault)
      if (code !== 'disk') return false
      era.abort()
      isTrying = false
      if (said !== reason) log.error('nothing can be signed', { reason })
      said = reason
      return true
    },
    nextStop: () => era.stop,
    async tryToEnd() {
      if (said === undefined) return
      if (isTrying) {
        // A whole period went well: what passes a probe may still not take a payment.
        said = undefined
        log.info('payments go on')
        return
      }
      await signer.ask({ type: 'probe' })
      await journal.probe()
      era = startEra(stop)
      isTrying = true
    },
  }
}

type Era = { readonly stop: AbortSignal; abort(): void }

function startEra(stop: AbortSignal): Era {
  const paused = new AbortController()
  return { stop: AbortSignal.any([stop, paused.signal]), abort: () => paused.abort() }
}
