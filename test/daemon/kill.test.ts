import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { randomInt } from 'node:crypto'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type CrashPlan, pointsFile } from '../support/crashing-daemon.ts'
import { makeHome, runDaemonOnce, startDaemon } from '../support/daemon-process.ts'
import { type FakeTatum, startFakeTatum } from '../support/fake-tatum.ts'
import { btcPayment, ethPayment, wallets } from '../support/payments.ts'
import { storeWallets } from '../support/test-vault.ts'

// Exactly once under kill -9: one set of bytes per pending id, and every payment arrives.

const template = mkdtempSync(join(tmpdir(), 'kms-kill-'))
beforeAll(() => storeWallets(template, Object.values(wallets)))
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
  }, 120_000)

  test('at random instants, the built program', async () => {
    const wanted = Number(process.env['KILL_RUNS'] ?? 15)
    using home = makeHome(template)
    await using tatum = startFakeTatum({ network: 'mainnet' })
    const args = [`--external-url=${tatum.approverUrl}`]
    const queueTwo = (n: number) => [tatum.queue(ethPayment(n)), tatum.queue(btcPayment(n + 1))]

    const ids = queueTwo(1)
    expect(await runDaemonOnce(home.folder, tatum, args)).toMatchObject({ status: 0 })
    ids.push(...queueTwo(3))
    const started = performance.now()
    expect(await runDaemonOnce(home.folder, tatum, args)).toMatchObject({ status: 0 })
    const wholeRunMs = performance.now() - started

    let kills = 0
    let runs = 0
    // Some runs are faster than their killer.
    for (; kills < wanted && runs < 4 * wanted; runs++) {
      ids.push(...queueTwo(2 * runs + 5))
      const daemon = startDaemon(home.folder, tatum, ['--run-once', ...args])
      await Bun.sleep(randomInt(Math.ceil(wholeRunMs)))
      killGroup(daemon.pid)
      if ((await daemon.ended) === 'SIGKILL') kills++
      const after = await runDaemonOnce(home.folder, tatum, args)
      expect({ ...after, runs }).toMatchObject({ status: 0 })
      expectEachPaidOnce(tatum, ids)
    }
    say(`killed the built program ${kills} times in ${runs} runs of ${wholeRunMs.toFixed()} ms`)
    expect(kills).toBe(wanted)
  }, 600_000)
})

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

function expectEachPaidOnce({ state }: FakeTatum, ids: readonly string[]): void {
  for (const id of ids) {
    expect({ id, bytes: state.broadcasts.get(id)?.length }).toEqual({ id, bytes: 1 })
    expect({ id, settled: state.settled.get(id)?.length }).toEqual({ id, settled: 1 })
  }
  expect(state.broadcasts.size).toBe(ids.length)
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // It was faster.
  }
}

function say(line: string): void {
  process.stderr.write(`${line}\n`)
}
