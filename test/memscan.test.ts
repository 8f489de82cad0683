import { afterAll, afterEach, beforeAll, describe, expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type DaemonProcess,
  frontOf,
  makeHome,
  startDaemon,
  until,
} from './support/daemon-process.ts'
import { type FakeTatum, startFakeTatum } from './support/fake-tatum.ts'
import {
  markedPayment,
  markedWallets,
  recordedPayments,
  secretsOf,
  vaultSecretsOf,
} from './support/marked-vault.ts'
import { canScan, describeCopies, scanMemory } from './support/memory-scan.ts'
import type { Marked } from './support/needles.ts'
import { storeWallets } from './support/test-vault.ts'

/** Enough to end the thread that signs several times over. */
const paymentsPerCycle = 80
const cycles = 3
/** The thread that signs is ended after half a second without work. */
const idleMs = Number(process.env["IDLE"] ?? 700)

const template = mkdtempSync(join(tmpdir(), 'kms-memscan-'))
const running = new Set<DaemonProcess>()

beforeAll(() => storeWallets(template, markedWallets))
afterAll(() => rmSync(template, { recursive: true }))

afterEach(async () => {
  for (const daemon of running) daemon.kill('SIGKILL')
  await Promise.all([...running].map(({ ended }) => ended))
  running.clear()
})

describe.skipIf(!canScan())('the daemon’s memory', () => {
  test('after hundreds of signatures holds the vault’s keys once, locked, and nothing else', async () => {
    using home = makeHome(template)
    await using tatum = startFakeTatum({ network: 'mainnet' })
    const secrets = secretsIn(home.folder)
    const daemon = start(home.folder, tatum, 'locked')
    await pay(tatum, daemon, () => expectSilentFront(daemon, secrets))
    await Bun.sleep(idleMs)
    expectSilentFront(daemon, secrets)
    const { copies } = scanMemory(daemon.pid, secrets)
    const expected = ['audit key', 'body key', 'record key']
    const isHeldKey = ({ secret, form, length, mapping }: (typeof copies)[number]) =>
      expected.includes(secret) && form === 'raw' && length === 32 && mapping.isLocked
    expect(describeCopies(copies.filter(copy => !isHeldKey(copy)))).toEqual([])
    expect(copies.map(({ secret }) => secret).toSorted()).toEqual(expected)
  }, 60_000)

  test('shows nothing at all where the kernel hides secret pages', async () => {
    using home = makeHome(template)
    await using tatum = startFakeTatum({ network: 'mainnet' })
    const secrets = secretsIn(home.folder)
    const daemon = start(home.folder, tatum, 'auto')
    await pay(tatum, daemon, () => {})
    await Bun.sleep(idleMs)
    const { copies, hidden } = scanMemory(daemon.pid, secrets)
    const visible = hidden.some(({ name }) => name.includes('secretmem'))
      ? copies
      : copies.filter(({ mapping }) => !mapping.isLocked)
    expect(describeCopies(visible)).toEqual([])
  }, 60_000)
})

function secretsIn(folder: string): readonly Marked[] {
  return [...markedWallets.flatMap(secretsOf), ...vaultSecretsOf(folder)]
}

function start(folder: string, tatum: FakeTatum, memory: 'auto' | 'locked'): DaemonProcess {
  const flags = [`--external-url=${tatum.approverUrl}`, '--period=0.2', `--secret-memory=${memory}`]
  const daemon = startDaemon(folder, tatum, flags)
  running.add(daemon)
  return daemon
}

/** Many payments at once, several times; `look` looks in between, while they are being signed. */
async function pay(tatum: FakeTatum, daemon: DaemonProcess, look: () => void): Promise<void> {
  const { settled } = tatum.state
  const queued = recordedPayments.map(payment => tatum.queue(payment))
  for (let cycle = 0; cycle < cycles; cycle++) {
    for (let n = 0; n < paymentsPerCycle; n++) {
      queued.push(tatum.queue(markedPayment(cycle * paymentsPerCycle + n)))
    }
    await until(
      () => settled.size > queued.length - paymentsPerCycle / 2,
      () => daemon.said().slice(-600),
      20_000,
    )
    look()
    await until(
      () => settled.size === queued.length,
      () => daemon.said().slice(-600),
      20_000,
    )
  }
}

function expectSilentFront(daemon: DaemonProcess, secrets: readonly Marked[]): void {
  const front = frontOf(daemon)
  if (front === undefined) throw new Error(`there is no front: ${daemon.said()}`)
  expect(describeCopies(scanMemory(front, secrets).copies)).toEqual([])
}
