import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'bun:test'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type DaemonProcess,
  frontOf,
  makeHome,
  startDaemon,
  until,
} from '../support/daemon-process.ts'
import { type FakeTatum, startFakeTatum } from '../support/fake-tatum.ts'
import { wallets } from '../support/payments.ts'
import { playSystemd, type Systemd } from '../support/systemd.ts'
import { storeWallets } from '../support/test-vault.ts'

const template = mkdtempSync(join(tmpdir(), 'kms-systemd-'))
let home: ReturnType<typeof makeHome>
let tatum: FakeTatum
let systemd: Systemd
let daemon: DaemonProcess | undefined

beforeAll(() => storeWallets(template, [wallets.btcKey, wallets.ethKey]))
afterAll(() => rmSync(template, { recursive: true }))

beforeEach(async () => {
  home = makeHome(template)
  tatum = startFakeTatum({ network: 'mainnet' })
  systemd = await playSystemd(home.folder)
})

afterEach(async () => {
  const running = daemon
  running?.kill('SIGKILL')
  await running?.ended
  await systemd[Symbol.asyncDispose]()
  await tatum.stop()
  home[Symbol.dispose]()
})

describe('systemd hears', () => {
  test('READY once the vault is open and the front is at work, and STOPPING at the end', async () => {
    const daemon = start()
    await until(() => systemd.count('READY=1') > 0, explain)
    expect(systemd.heard[0]).toEqual(['STATUS=opening the vault'])
    daemon.kill('SIGTERM')
    expect(await daemon.ended).toBe(0)
    expect(systemd.count('READY=1')).toBe(1)
    expect(systemd.heard.at(-1)).toEqual(['STOPPING=1'])
    expect(systemd.count('WATCHDOG=1')).toBe(0)
  })

  test('the same on an abstract socket', async () => {
    await using other = await playSystemd(home.folder, { isAbstract: true })
    start({ NOTIFY_SOCKET: other.socket })
    await until(() => other.count('READY=1') > 0, explain)
  })

  test('nothing of the kind with a wrong password', async () => {
    writeFileSync(join(home.folder, 'password'), 'another one\n', { mode: 0o600 })
    expect(await start().ended).toBe(12)
    expect(systemd.count('READY=1')).toBe(0)
  })

  test('in words what is polled', async () => {
    start({ WATCHDOG_USEC: '400000' })
    const status = 'STATUS=chains: 2, listed: 0, not yet sent: 0'
    await until(() => systemd.count(status) > 0, explain)
  })

  test('RELOADING with its time, and READY again, around a SIGHUP', async () => {
    const daemon = start()
    await until(() => systemd.count('READY=1') === 1, explain)
    daemon.kill('SIGHUP')
    await until(() => systemd.count('READY=1') === 2, explain)
    const [, time = ''] = systemd.heard.find(([first]) => first === 'RELOADING=1') ?? []
    expect(time).toMatch(/^MONOTONIC_USEC=[1-9]\d*$/)
    await until(() => polls() > 0, explain)
  })

  test('nothing where its socket is gone: the daemon pays all the same', async () => {
    start({ NOTIFY_SOCKET: join(home.folder, 'nobody') })
    await until(() => polls() > 2, explain)
    expect(systemd.heard).toEqual([])
  })
})

describe('the watchdog', () => {
  const watched = { WATCHDOG_USEC: '400000' }

  test('is fed while both processes are at work', async () => {
    start(watched)
    await until(() => systemd.count('WATCHDOG=1') > 6, explain)
  })

  test('is fed while a poll hangs: that is no fault of ours', async () => {
    tatum.fail('pending', { kind: 'hang' })
    start(watched)
    await until(() => systemd.count('WATCHDOG=1') > 6, explain)
  })

  test('starves when the front is stopped, and is fed when it goes on', async () => {
    const daemon = start(watched)
    await until(() => systemd.count('WATCHDOG=1') > 2, explain)
    const front = frontOf(daemon)
    process.kill(front ?? -1, 'SIGSTOP')
    await starves()
    process.kill(front ?? -1, 'SIGCONT')
    const before = systemd.count('WATCHDOG=1')
    await until(() => systemd.count('WATCHDOG=1') > before, explain)
  })

  test('starves when the signer is stopped', async () => {
    const daemon = start(watched)
    await until(() => systemd.count('WATCHDOG=1') > 2, explain)
    daemon.kill('SIGSTOP')
    await starves()
    daemon.kill('SIGCONT')
  })

  test('is not fed by a process that it does not watch', async () => {
    start({ ...watched, WATCHDOG_PID: '1' })
    await until(() => polls() > 10, explain)
    expect(systemd.count('WATCHDOG=1')).toBe(0)
  })

  /** What was under way may still come; then nothing does for twice as long as is allowed. */
  async function starves(): Promise<void> {
    await Bun.sleep(200)
    const before = systemd.count('WATCHDOG=1')
    await Bun.sleep(800)
    expect(systemd.count('WATCHDOG=1')).toBe(before)
  }
})

function start(env: Readonly<Record<string, string>> = {}): DaemonProcess {
  const args = [`--external-url=${tatum.approverUrl}`, '--period=0.05']
  const started = startDaemon(home.folder, tatum, args, {
    env: { NOTIFY_SOCKET: systemd.socket, ...env },
  })
  daemon = started
  void started.ended.then(() => {
    daemon = undefined
  })
  return started
}

function polls(): number {
  return tatum.state.requests.filter(({ route }) => route === 'pending').length
}

function explain(): string {
  return `${daemon?.said()}\n${JSON.stringify(systemd.heard)}`
}
