import { asKmsError } from '../../base/errors.ts'

/** One thing that this program must still be able to do, and what somebody else says comes of it. */
export type SelfCheck = {
  readonly name: string
  /** Who says so. */
  readonly source: string
  readonly expected: string
  /** What comes of it here, or why this machine has no such thing. */
  readonly actual: () => Actual | Promise<Actual>
}

type Actual = string | Skipped

export type Skipped = { readonly skipped: string }

/** `ok` is null where nothing could be tried, and `about` says why. */
export type SelfResult = {
  readonly name: string
  readonly source: string
  readonly ok: boolean | null
  readonly ms: number
  readonly about?: string
}

/** One after the other, so that each has its own time; one that throws has failed. */
export async function runChecks(
  checks: Iterable<SelfCheck>,
  monotonic: () => number,
): Promise<readonly SelfResult[]> {
  const results: SelfResult[] = []
  for (const { name, source, expected, actual } of checks) {
    const start = monotonic()
    const verdict = await judge(expected, actual)
    results.push({ name, source, ms: Math.round(monotonic() - start), ...verdict })
  }
  return results
}

async function judge(
  expected: string,
  actual: SelfCheck['actual'],
): Promise<Pick<SelfResult, 'ok' | 'about'>> {
  try {
    const found = await actual()
    if (typeof found !== 'string') return { ok: null, about: found.skipped }
    return found === expected ? { ok: true } : { ok: false, about: 'another result than expected' }
  } catch (thrown) {
    return { ok: false, about: asKmsError(thrown).message }
  }
}
