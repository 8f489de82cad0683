import type { Clean } from './answers.ts'

/** The protocol we speak, by the version of the original that speaks it. */
export const clientVersion = '8.0.1'

/** Protocol 1.2: which version of the original there is beyond ours, how much it matters, and why. */
export type NewerVersion = {
  readonly version: string
  readonly grade: string
  readonly message: string
}

export const latestVersionHeader = 'x-ttm-kms-latest-version'

/** Reads `8.1.0;INFO;what is new`; undefined for what is not newer, and for anything else. */
export function readNewerVersion(header: string, clean: Clean): NewerVersion | undefined {
  const [version = '', grade = '', ...rest] = header.slice(0, longestHeader).split(';')
  if (!isVersion(version) || !isNewer(version)) return undefined
  return {
    version,
    grade: /^[A-Z]{1,20}$/.test(grade) ? grade : '',
    message: clean(rest.join(';'), longestMessage),
  }
}

const longestHeader = 1_000
const longestMessage = 200

function isVersion(text: string): boolean {
  return /^\d{1,5}\.\d{1,5}\.\d{1,5}$/.test(text)
}

function isNewer(version: string): boolean {
  const ours = numbersOf(clientVersion)
  const theirs = numbersOf(version)
  const first = theirs.findIndex((part, i) => part !== ours[i])
  return first >= 0 && (theirs[first] ?? 0) > (ours[first] ?? 0)
}

function numbersOf(version: string): readonly number[] {
  return version.split('.').map(Number)
}
