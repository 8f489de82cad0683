import {
  type HttpAnswer,
  type HttpServer,
  type LocalAddress,
  serveLocally,
} from '../base/http-server.ts'
import { expositionType } from './exposition.ts'
import type { Observer } from './observer.ts'
import type { Pulse } from './pulse.ts'

export type Health = {
  readonly observer: Observer
  readonly pulse: Pick<Pulse, 'age' | 'everyMs'>
  /** The longest that a chain is left alone on purpose. */
  readonly longestPeriodMs: number
}

/** Serves `/metrics`, `/livez` and `/readyz` to this machine. */
export function serveMetrics(
  address: LocalAddress,
  writeMetrics: () => string,
  health: Health,
): Promise<HttpServer> {
  return serveLocally(address, path => {
    if (path === '/metrics') return { status: 200, type: expositionType, text: writeMetrics() }
    if (path === '/livez') return verdict(isAlive(health) ? [] : ['the loop does not go round'])
    if (path === '/readyz') return verdict(whatIsMissing(health))
    return { status: 404, type: 'text/plain', text: 'not found\n' }
  })
}

/** Between two beats the loop asks the signer for the wallets, which may be many. */
const slowestRoundMs = 30_000

export function isAlive({ pulse }: Pick<Health, 'pulse'>): boolean {
  return pulse.age() <= pulse.everyMs + slowestRoundMs
}

/** A request may take a minute, and one poll may fail. */
const latePollMs = 75_000

/** Why the daemon is not at work as it should be; the vault is open, or nobody would listen. */
export function whatIsMissing(health: Health): readonly string[] {
  const longest = 2 * health.longestPeriodMs + latePollMs
  const polled = health.observer.chains().filter(({ isPolled }) => isPolled)
  const late = polled.filter(({ age }) => age === null || age > longest)
  return [
    ...(isAlive(health) ? [] : ['the loop does not go round']),
    ...late.map(({ chain }) => `the last poll of ${chain} that worked is too long ago`),
  ]
}

function verdict(missing: readonly string[]): HttpAnswer {
  const text = missing.length === 0 ? 'ok\n' : missing.map(reason => `${reason}\n`).join('')
  return { status: missing.length === 0 ? 200 : 503, type: 'text/plain', text }
}
