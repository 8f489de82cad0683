import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { randomInt } from 'node:crypto'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type CrashLoop,
  createCrashLoop,
  expectAllPaidOnce,
  expectEachPaidOnce,
  liveAndDie,
} from '../support/crash-loop.ts'
import { type CrashPlan, pointsFile } from '../support/crashing-daemon.ts'
import { makeHome, runDaemonOnce, startDaemon } from '../support/daemon-process.ts'
import { type FakeTatum, startFakeTatum } from '../support/fake-tatum.ts'
import { mixedWallets } from '../support/mixed-payments.ts'
import { btcPayment, ethPayment } from '../support/payments.ts'
import { seededRandom } from '../support/seeded-random.ts'
import { storeWallets } from '../support/test-vault.ts'

// Exactly once under kill -9: one set of bytes per pending id, and every payment arrives.

const template = mkdtempSync(join(tmpdir(), 'kms-kill-'))
beforeAll(() => storeWallets(template, mixedWallets))
afterAll(() => rmSync(template, { recursive: true }))

/** Process groups are killed: of Windows there is nothing to ask, and no daemon either. */
describe.skipIf(process.platform !== 'linux')('killed', () => {
  test('before and after every write and every exchange', async () => {
    let next = 1
    let kills = 0
    let points = Number.POSITIVE_INFINITY
    const work = async (): Promise<void> => {
      while (next <= points) {
        const dieAt = next++
        const passed = await dieOnce(dieAt)
        if (passed === undefined) kills++
        else points = Math.min(points, passed)
      }
    }
    await Promise.all([work(), work()])
    say(`killed at ${kills} points between writes and exchanges`)
    // Per payment: approval, ledger, bytes and two states in the journal, broadcast.
    expect(kills).toBeGreaterThanOrEqual(2 * 3 * 6)
    expect(kills).toBeGreaterThanOrEqual(points - 2)
  }, 300_000)

  test('at random instants, the built program, at a server that loses, repeats and restarts', async () => {
    const wanted = Number(process.env['KILL_RUNS'] ?? 100)
    const seed = Number(process.env['KILL_SEED'] ?? randomInt(2 ** 31))
    const started = performance.now()
    const loops = await Promise.all([0, 1].map(n => crashUntil(wanted / 2, seed + n)))
    const sum = (name: keyof CrashLoop['counts']): number =>
      loops.reduce((total, { counts }) => total + counts[name], 0)
    const seconds = Math.round((performance.now() - started) / 1000)
    say(
      `crash loop: killed the built program ${sum('kills')} times, lost its journal ${sum('losses')} ` +
        `times, restarted the server ${sum('restarts')} times, ${sum('faults')} faults between: each of ` +
        `${loops.reduce((total, { ids }) => total + ids.length, 0)} payments paid once ` +
        `(${seconds} s, KILL_SEED=${seed})`,
    )
    expect(sum('kills')).toBeGreaterThanOrEqual(wanted)
  }, 7_200_000)
})

/** A home and a server of their own, until the daemon was killed so often. */
async function crashUntil(kills: number, seed: number): Promise<CrashLoop> {
  using home = makeHome(template)
  await using tatum = startFakeTatum({ network: 'mainnet' })
  const loop = await createCrashLoop(home.folder, tatum, seededRandom(seed))
  while (loop.counts.kills < kills && loop.counts.lives < 2 * kills) await liveAndDie(loop)
  await expectAllPaidOnce(loop)
  return loop
}

/** Dies at one point, then runs as built; answers how many points there are if it did not die. */
async function dieOnce(dieAt: number): Promise<number | undefined> {
  using home = makeHome(template)
  await using tatum = startFakeTatum({ network: 'mainnet' })
  const ids = [ethPayment(1), ethPayment(2), btcPayment(3)].map(tatum.queue)
  const first = await runAndDie(home.folder, tatum, dieAt)
  const passed = statSync(join(home.folder, pointsFile)).size
  if (first.status !== 'SIGKILL') {
    expect(first).toMatchObject({ status: 0 })
    return passed
  }
  const second = await runDaemonOnce(home.folder, tatum, [`--external-url=${tatum.approverUrl}`])
  expect({ ...second, dieAt }).toMatchObject({ status: 0, dieAt })
  expectEachPaidOnce(tatum, ids)
  return undefined
}

/** The sources, with a death in them. */
function runAndDie(folder: string, tatum: FakeTatum, dieAt: number) {
  const { url: apiUrl, apiKey, approverUrl } = tatum
  const plan: CrashPlan = { folder, apiUrl, apiKey, approverUrl, dieAt }
  const entry = join(import.meta.dir, '../support/crashing-daemon.ts')
  const daemon = startDaemon(folder, tatum, [], {
    command: [process.execPath, entry, JSON.stringify(plan)],
  })
  return daemon.ended.then(status => ({ status, said: daemon.said() }))
}

function say(line: string): void {
  process.stderr.write(`${line}\n`)
}
