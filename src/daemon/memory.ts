import type { ErrorCode } from '../base/errors.ts'

/** What a chain's cycles keep for each other while the daemon runs; none of it needs to last. */
export type Memory = {
  /** True when `what` is news about `about`; undefined means that nothing is wrong with it. */
  tell(about: string, what: string | undefined): boolean
  /** Whether a payment that was tried before may be tried again. */
  isDue(id: string, now: number): boolean
  /** Counts a try, whatever came of it: one that Tatum goes on listing is not tried every time. */
  tried(id: string, now: number, longestMs?: number): void
  /** Somebody wants it tried at once, and to hear what comes of it. */
  urge(id: string): void
  /** Failures that Tatum has not been told of. */
  readonly reports: Map<string, Report>
  /** Forgets payments that are listed no more. */
  forgetAllBut(ids: readonly string[]): void
}

type Report = { readonly code: ErrorCode | 'expired'; readonly reason: string }

/** The first two tries follow the polls; then the wait doubles, up to this. */
const longestWaitMs = 60_000

export function createMemory(periodMs: number): Memory {
  const told = new Map<string, string>()
  const waits = new Map<string, { readonly tries: number; readonly due: number }>()
  const reports: Memory['reports'] = new Map()
  return {
    reports,
    tell(about, what) {
      if (told.get(about) === what) return false
      if (what === undefined) told.delete(about)
      else told.set(about, what)
      return true
    },
    isDue: (id, now) => (waits.get(id)?.due ?? now) <= now,
    tried(id, now, longestMs = longestWaitMs) {
      const tries = (waits.get(id)?.tries ?? 0) + 1
      const wait = tries === 1 ? 0 : Math.min(periodMs * 2 ** (tries - 2), longestMs)
      waits.set(id, { tries, due: now + wait })
    },
    urge(id) {
      waits.delete(id)
      told.delete(id)
    },
    forgetAllBut(ids) {
      const kept = new Set(ids)
      for (const id of waits.keys()) if (!kept.has(id)) waits.delete(id)
      for (const id of reports.keys()) if (!kept.has(id)) reports.delete(id)
      // `id` or `id/what` is about a payment; with a space in it, it is about something else.
      for (const about of told.keys()) {
        const [id = ''] = about.split('/')
        if (!kept.has(id) && !id.includes(' ')) told.delete(about)
      }
    },
  }
}
