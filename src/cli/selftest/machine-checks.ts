import { commonRefusals, confineCalls, networkRefusals } from '../../base/confinement.ts'
import { KmsError } from '../../base/errors.ts'
import { setNoCoreDumps, socketPair } from '../../base/native.ts'
import {
  type GuardedPages,
  lockPages,
  mapPrivatePages,
  mapSecretPages,
  viewMemory,
  zeroMemory,
} from '../../base/native-memory.ts'
import { readSystemFile } from '../../base/system-file.ts'
import { randomPublicBytes, randomSecret } from '../../secret/random.ts'
import { openDatabase } from '../../signer/ledger-tables.ts'
import type { SelfCheck, Skipped } from './check.ts'

/** What secrets and records rest on here. The last one takes the network from this process. */
export const machineChecks: readonly SelfCheck[] = [
  {
    name: 'locked memory',
    source: 'mlock(2)',
    expected: 'zero, kept and wiped',
    actual() {
      const pages = mapPrivatePages(length)
      const refused = lockPages(pages)
      return refused === undefined ? tryPages(pages) : { skipped: `not allowed here: ${refused}` }
    },
  },
  {
    name: 'guard pages',
    source: '/proc/self/maps',
    expected: 'before and behind',
    actual: () => guards(mapPrivatePages(length)),
  },
  {
    name: 'secret memory',
    source: 'memfd_secret(2)',
    expected: 'zero, kept and wiped',
    actual() {
      const pages = mapSecretPages(length)
      return pages === undefined ? { skipped: 'this system has none' } : tryPages(pages)
    },
  },
  {
    name: 'core dumps',
    source: 'setrlimit(2)',
    expected: 'off',
    actual: () => (setNoCoreDumps() ? 'off' : { skipped: 'this system refuses' }),
  },
  {
    name: 'random bytes',
    source: "the system's generator",
    expected: 'differ',
    actual() {
      const drawn = [randomPublicBytes(32), randomPublicBytes(32), new Uint8Array(32)]
      return new Set(drawn.map(String)).size === drawn.length ? 'differ' : 'are alike'
    },
  },
  {
    name: 'ledger in SQLite',
    source: 'docs/format.md',
    expected: 'synchronous 2, foreign_keys 1, temp_store 2, integrity_check ok',
    actual: ledger,
  },
  {
    name: 'system calls that are given up',
    source: 'seccomp(2)',
    expected: 'no socket',
    actual: giveUp,
  },
]

/** More than a page, wherever we are. */
const length = 100_000

function tryPages({ address, length: size }: GuardedPages): string {
  const bytes = viewMemory(address, size)
  const isZero = bytes.every(byte => byte === 0)
  bytes.fill(0xa5)
  const isKept = bytes.every(byte => byte === 0xa5)
  zeroMemory(address, size)
  const isWiped = bytes.every(byte => byte === 0)
  return isZero && isKept && isWiped ? 'zero, kept and wiped' : 'not as they were left'
}

function guards({ address, length: size }: GuardedPages): string | Skipped {
  // Wine shows that of the machine it runs on.
  const maps = process.platform === 'linux' ? readSystemFile('/proc/self/maps') : undefined
  if (maps === undefined) return { skipped: 'this system does not show its memory map' }
  const shut = [...maps.matchAll(/^([0-9a-f]+)-([0-9a-f]+) ---/gm)].map(
    ([, from = '', to = '']) => ({
      from: Number.parseInt(from, 16),
      to: Number.parseInt(to, 16),
    }),
  )
  const isShut = (at: number) => shut.some(({ from, to }) => from <= at && at < to)
  const [before, behind] = [isShut(address - 1), isShut(address + size)]
  return before && behind && !isShut(address) ? 'before and behind' : 'missing'
}

function ledger(): string {
  using auditKey = randomSecret(32)
  const db = openDatabase(':memory:', auditKey)
  try {
    const settings = ['synchronous', 'foreign_keys', 'temp_store', 'integrity_check']
    const setting = (name: string) =>
      Object.values(db.query<Record<string, unknown>, []>(`PRAGMA ${name}`).get() ?? {})[0]
    return settings.map(name => `${name} ${String(setting(name))}`).join(', ')
  } finally {
    db.close()
  }
}

/** As commands do that have read a password. */
function giveUp(): string | Skipped {
  if (process.platform !== 'linux') return { skipped: 'only on linux' }
  const misses = confineCalls([...commonRefusals, ...networkRefusals])
  if (misses.length > 0) return { skipped: misses.join('; ') }
  try {
    socketPair()
    return 'a socket'
  } catch (fault) {
    if (fault instanceof KmsError) return 'no socket'
    throw fault
  }
}
