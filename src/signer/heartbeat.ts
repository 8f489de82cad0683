import type { Notifier } from '../base/notify.ts'
import type { Progress, Question } from './messages.ts'
import type { Signer } from './serve.ts'

export type HeartbeatSettings = {
  readonly notifier: Notifier
  /** Milliseconds since some time, whatever the clock is set to. */
  readonly monotonic: () => number
  /** What systemd allows between two signs of life; null where it does not watch. */
  readonly watchdogMs: number | null
}

/**
 * A signer whose life shows: systemd hears that the daemon is ready when the front first says that it
 * is at work, and that it is alive as long as the front goes on saying so and signing does not hang.
 */
export function withHeartbeat(signer: Signer, settings: HeartbeatSettings): Signer {
  const { notifier, monotonic, watchdogMs } = settings
  const underWay = new Set<{ readonly since: number }>()
  let isReady = false
  const isStuck = (): boolean => {
    const longest = watchdogMs ?? Number.POSITIVE_INFINITY
    return underWay.values().some(({ since }) => monotonic() - since > longest)
  }
  const hear = (progress: Progress): void => {
    if (!isReady) isReady = notifier.ready()
    notifier.status(statusText(progress))
    if (watchdogMs !== null && !isStuck()) notifier.alive()
  }
  return async question => {
    if (question.type === 'progress') hear(question)
    const work = { since: monotonic() }
    if (usesKeys(question)) underWay.add(work)
    try {
      return await signer(question)
    } finally {
      underWay.delete(work)
    }
  }
}

/** All of it is numbers: the front may have been taken over, and this is read on terminals. */
export function statusText({ chains, failing, listed, unsent }: Progress): string {
  const parts = [`chains: ${chains}`, `listed: ${listed}`, `not yet sent: ${unsent}`]
  return [...parts, ...(failing > 0 ? [`polls that fail: ${failing}`] : [])].join(', ')
}

function usesKeys({ type }: Question): boolean {
  return type === 'sign' || type === 'cancel' || type === 'resign' || type === 'publicKeys'
}
