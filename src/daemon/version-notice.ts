import type { NewerVersion } from '../tatum/latest-version.ts'
import type { EventLog } from './events.ts'

const dayMs = 86_400_000

/** Tells once a day, whatever a server says how often, that Tatum knows a newer protocol. */
export function createVersionNotice(
  log: EventLog,
  monotonic: () => number,
): (newer: NewerVersion) => void {
  let last = Number.NEGATIVE_INFINITY
  return ({ version, grade, message }) => {
    if (monotonic() - last < dayMs) return
    last = monotonic()
    log.info('newer version of the protocol', { version, grade, message })
  }
}
