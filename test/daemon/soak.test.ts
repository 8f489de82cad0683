import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { randomInt } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type CrashLoop,
  createCrashLoop,
  expectAllPaidOnce,
  killGroup,
  liveAndDie,
} from '../support/crash-loop.ts'
import { type DaemonProcess, frontOf, makeHome } from '../support/daemon-process.ts'
import { startFakeTatum } from '../support/fake-tatum.ts'
import { mixedWallets } from '../support/mixed-payments.ts'
import { seededRandom } from '../support/seeded-random.ts'
import { mountSmallDisk, type SmallDisk } from '../support/small-disk.ts'
import { storeWallets } from '../support/test-vault.ts'

// Everything at once for as long as one has time: a few seconds here, ten minutes in `make soak`.

const seconds = Number(process.env['SOAK_SECONDS'] ?? 8)
const seed = Number(process.env['SOAK_SEED'] ?? randomInt(2 ** 31))
const template = mkdtempSync(join(tmpdir(), 'kms-soak-'))

beforeAll(() => storeWallets(template, mixedWallets))
afterAll(() => rmSync(template, { recursive: true }))

describe.skipIf(process.platform !== 'linux')('mixed faults', () => {
  test(
    'of daemon, server and disk pay nothing twice and lose nothing',
    async () => {
      using home = makeHome(template)
      using disk = mountSmallDisk(64)
      await using tatum = startFakeTatum({ network: 'mainnet' })
      const random = seededRandom(seed)
      const journal = disk === undefined ? undefined : join(disk.folder, 'journal')
      const loop = await createCrashLoop(home.folder, tatum, random, journal)
      const ends = endsOf(loop, disk)
      const counts = new Map<string, number>()
      const deadline = performance.now() + seconds * 1000
      while (performance.now() < deadline) {
        const [name, end] = random.oneOf(ends)
        counts.set(name, (counts.get(name) ?? 0) + 1)
        await liveAndDie(loop, end)
      }
      await expectAllPaidOnce(loop)
      const told = [...counts].map(([name, count]) => `${count} ${name}`).join(', ')
      const { losses, restarts, faults } = loop.counts
      process.stderr.write(
        `soak: ${told}, ${losses} journals lost, ${restarts} restarts of the server, ${faults} faults between: each of ` +
          `${loop.ids.length} payments paid once (SOAK_SEED=${seed})\n`,
      )
      expect(loop.ids.length).toBeGreaterThan(0)
    },
    (seconds + 240) * 1000,
  )
})

type End = (daemon: DaemonProcess) => Promise<void> | void

function endsOf(
  { random, longestLifeMs }: CrashLoop,
  disk: SmallDisk | undefined,
): readonly (readonly [string, End])[] {
  const aWhile = (): Promise<void> => Bun.sleep(random.below(longestLifeMs / 2))
  return [
    ['killed', killGroup],
    ['signers killed', daemon => signal(daemon.pid, 'SIGKILL')],
    ['fronts killed', daemon => signal(frontOf(daemon), 'SIGKILL') || killGroup(daemon)],
    ['told to end', daemon => signal(daemon.pid, 'SIGTERM')],
    [
      'stopped for a while, then killed',
      async daemon => {
        signal(-daemon.pid, 'SIGSTOP')
        await aWhile()
        signal(-daemon.pid, 'SIGCONT')
        await aWhile()
        killGroup(daemon)
      },
    ],
    [
      'killed on a disk that was full for a while',
      async daemon => {
        disk?.fill()
        await aWhile()
        if (random.isOneIn(2)) killGroup(daemon)
        disk?.free()
        await aWhile()
        killGroup(daemon)
      },
    ],
  ]
}

/** False where nobody is there any more. */
function signal(pid: number | undefined, name: NodeJS.Signals): boolean {
  try {
    return pid !== undefined && process.kill(pid, name)
  } catch {
    return false
  }
}
