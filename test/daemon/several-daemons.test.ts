import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { randomInt } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseTransaction } from 'viem'
import { expectEachPaidOnce, killGroup } from '../support/crash-loop.ts'
import { type DaemonProcess, makeHome, startDaemon, until } from '../support/daemon-process.ts'
import { type FakeTatum, startFakeTatum } from '../support/fake-tatum.ts'
import { mixedPayment, mixedWallets } from '../support/mixed-payments.ts'
import { ethPayment } from '../support/payments.ts'
import { hasPostgres, startPostgres, type TestPostgres } from '../support/postgres.ts'
import { binaryUnderTest } from '../support/script.ts'
import { type Random, seededRandom } from '../support/seeded-random.ts'
import { storeWallets } from '../support/test-vault.ts'

// Three machines, one vault, one journal: each payment is paid once, whoever dies or stands still.

const leaseSeconds = 2
const template = mkdtempSync(join(tmpdir(), 'kms-several-'))
let postgres: TestPostgres
let tatum: FakeTatum

beforeAll(async () => {
  if (!hasPostgres) return
  await storeWallets(template, mixedWallets)
  postgres = await startPostgres()
  tatum = startFakeTatum({ network: 'mainnet' })
}, 60_000)
afterAll(async () => {
  await tatum?.stop()
  await postgres?.[Symbol.asyncDispose]()
  rmSync(template, { recursive: true })
})

describe.skipIf(!hasPostgres || process.platform !== 'linux')('three daemons', () => {
  test('killed, and stopped for longer than their leases, pay each payment once', async () => {
    const rounds = Math.ceil(Number(process.env['KILL_RUNS'] ?? 24) / 2)
    const seed = Number(process.env['KILL_SEED'] ?? randomInt(2 ** 31))
    const random = seededRandom(seed)
    const { url } = await postgres.createDatabase()
    using first = makeHome(template)
    using second = makeHome(template)
    using third = makeHome(template)
    const daemons = [first, second, third].map(({ folder }) => start(folder, url))
    const ids: string[] = []
    const counts = { killed: 0, stopped: 0 }
    // So that deaths fall between two steps.
    tatum.disturb(() => ({ kind: 'delay', ms: random.below(60) }))
    for (let round = 0; round < rounds; round++) {
      for (let n = 0; n < 4; n++) ids.push(tatum.queue(nextPayment(ids.length)))
      await Bun.sleep(random.below(700))
      await disturb(daemons[random.below(3)], random, counts)
    }
    const said = (): string => daemons.map(({ running }) => running.said()).join('\n---\n')
    const unpaid = (): readonly string[] => ids.filter(id => !tatum.state.settled.has(id))
    await until(
      () => unpaid().length === 0,
      () => `${unpaid()} seed ${seed}\n${said()}`,
      90_000,
    )
    await end(daemons)
    expectEachPaidOnce(tatum, ids)
    expectNoGaps(ids)
    expect(listed(first.folder, url)).toEqual(ids.toSorted().map(id => `${id} sent`))
    const { killed, stopped } = counts
    process.stderr.write(
      `three daemons on one journal: ${killed} killed, ${stopped} stopped past their lease, each of ` +
        `${ids.length} payments paid once (KILL_SEED=${seed})\n`,
    )
  }, 7_200_000)
})

/** What `tx list` says, from any machine. */
function listed(folder: string, url: string): readonly string[] {
  const command = [...binaryUnderTest, 'tx', 'list', '--json', `--journal=${url}`]
  const { stdout } = Bun.spawnSync(command, { env: { HOME: folder } })
  const payments: readonly { id: string; state: string }[] = JSON.parse(stdout.toString())
  return payments.map(({ id, state }) => `${id} ${state}`).toSorted()
}

type Daemon = { readonly folder: string; readonly url: string; running: DaemonProcess }

function start(folder: string, url: string): Daemon {
  return { folder, url, running: run(folder, url) }
}

function run(folder: string, url: string): DaemonProcess {
  const args = ['--period=0.2', `--journal=${url}`, `--lease=${leaseSeconds}`]
  return startDaemon(folder, tatum, [...args, `--external-url=${tatum.approverUrl}`])
}

/** Most are of one sender: its numbers are what daemons could get in each other's way about. */
function nextPayment(n: number) {
  return n % 4 === 0 ? mixedPayment(n) : ethPayment(n)
}

async function disturb(
  daemon: Daemon | undefined,
  random: Random,
  counts: { killed: number; stopped: number },
): Promise<void> {
  if (daemon === undefined) return
  if (random.isOneIn(2)) {
    killGroup(daemon.running)
    await daemon.running.ended
    counts.killed++
    daemon.running = run(daemon.folder, daemon.url)
    return
  }
  signalGroup(daemon, 'SIGSTOP')
  await Bun.sleep(leaseSeconds * 1000 + 300)
  signalGroup(daemon, 'SIGCONT')
  counts.stopped++
}

function signalGroup({ running }: Daemon, signal: NodeJS.Signals): void {
  process.kill(-running.pid, signal)
}

async function end(daemons: readonly Daemon[]): Promise<void> {
  // One that was started just now would not hear it.
  const haveStarted = (): boolean =>
    daemons.every(({ running }) => running.said().includes('daemon started'))
  await until(haveStarted, () => daemons.map(({ running }) => running.said()).join('\n'), 30_000)
  for (const { running } of daemons) running.kill('SIGTERM')
  for (const { running } of daemons) {
    expect({ status: await running.ended, said: running.said() }).toMatchObject({ status: 0 })
  }
}

/** What went out of the one sender is numbered from 0, each number once. */
function expectNoGaps(ids: readonly string[]): void {
  const ofSender = ids.filter(id => tatum.state.pending.get(id)?.chain === 'ETH')
  const nonces = ofSender.map(id => {
    const [txData] = tatum.state.broadcasts.get(id) ?? []
    return parseTransaction(txData as `0x${string}`).nonce ?? 0
  })
  expect(nonces.toSorted((a, b) => a - b)).toEqual(ofSender.map((_, i) => i))
}
