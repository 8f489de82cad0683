import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'bun:test'
import { chmodSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { killGroup } from '../support/crash-loop.ts'
import { type DaemonProcess, makeHome, startDaemon, until } from '../support/daemon-process.ts'
import { type FakeTatum, startFakeTatum } from '../support/fake-tatum.ts'
import { btcPayment, ethPayment, wallets } from '../support/payments.ts'
import { mountSmallDisk, type SmallDisk } from '../support/small-disk.ts'
import { storeWallets } from '../support/test-vault.ts'

// The built daemon on a disk that is full: it stays up, signs nothing, and goes on by itself.

const template = mkdtempSync(join(tmpdir(), 'kms-full-'))
let disk: SmallDisk | undefined
let home: ReturnType<typeof makeHome>
let tatum: FakeTatum
let daemon: DaemonProcess | undefined

beforeAll(() => storeWallets(template, Object.values(wallets)))
afterAll(() => rmSync(template, { recursive: true }))

beforeEach(() => {
  disk = mountSmallDisk()
  home = makeHome(template)
  tatum = startFakeTatum({ network: 'mainnet' })
})

afterEach(async () => {
  if (daemon !== undefined) killGroup(daemon)
  await daemon?.ended
  daemon = undefined
  await tatum.stop()
  home[Symbol.dispose]()
  disk?.[Symbol.dispose]()
})

/** Tried now, because it decides which tests there are. */
const canMount = ((): boolean => {
  using tried = mountSmallDisk()
  if (tried === undefined)
    process.stderr.write('no small disk: mounting is not permitted, skipped\n')
  return tried !== undefined
})()

describe.skipIf(!canMount)('a disk', () => {
  test('under the journal that is full', async () => {
    const small = needDisk()
    const running = start(`--journal=${join(small.folder, 'journal')}`)
    await expectPause(running, small)
  }, 60_000)

  test('under vault and ledger that is full', async () => {
    const small = needDisk()
    const vaultFolder = join(small.folder, 'vault')
    mkdirSync(vaultFolder, { mode: 0o700 })
    await storeWallets(vaultFolder, Object.values(wallets))
    const journal = `--journal=${join(home.folder, 'journal')}`
    const running = start(journal, vaultFolder)
    await expectPause(running, small)
  }, 60_000)

  test('under the journal that is read-only at the start ends it with 1', async () => {
    const { folder, makeReadOnly } = needDisk()
    mkdirSync(join(folder, 'journal'), { mode: 0o700 })
    makeReadOnly()
    tatum.queue(btcPayment(1))
    const running = start(`--journal=${join(folder, 'journal')}`)
    expect({ status: await running.ended, said: running.said() }).toEqual({
      status: 1,
      said: expect.stringContaining('read-only'),
    })
    expect(tatum.state.requests).toEqual([])
  }, 60_000)
})

describe.skipIf(process.platform !== 'linux')('a vault file', () => {
  test('that is away for a while is said once; the one held stays in use', async () => {
    const path = join(home.folder, 'wallet.dat')
    const running = start()
    await pay(running, 1)
    renameSync(path, `${path}.away`)
    await until(() => count(running, 'vault not reloaded') === 1, running.said)
    await pay(running, 2)
    renameSync(`${path}.away`, path)
    await pay(running, 3)
    expect(count(running, 'vault not reloaded')).toBe(1)
    expect(await stop(running)).toBe(0)
  }, 60_000)

  test('that others may read for a while is not read, which is said once', async () => {
    const path = join(home.folder, 'wallet.dat')
    const running = start()
    await pay(running, 1)
    chmodSync(path, 0o644)
    await until(() => count(running, 'vault not reloaded') === 1, running.said)
    await pay(running, 2)
    chmodSync(path, 0o600)
    await pay(running, 3)
    expect(count(running, 'vault not reloaded')).toBe(1)
    expect(await stop(running)).toBe(0)
  }, 60_000)
})

async function expectPause(running: DaemonProcess, small: SmallDisk): Promise<void> {
  await pay(running, 1)
  small.fill()
  const ids = [tatum.queue(btcPayment(2)), tatum.queue(ethPayment(3))]
  await until(() => count(running, 'nothing can be signed') > 0, running.said)
  const polled = tatum.state.requests.length
  await Bun.sleep(500)
  // Other chains' polls were on their way.
  expect(tatum.state.requests.length).toBeLessThanOrEqual(polled + 2)
  expect(ids.some(id => tatum.state.broadcasts.has(id))).toBe(false)
  small.free()
  await until(() => ids.every(id => tatum.state.settled.has(id)), running.said, 20_000)
  await until(() => count(running, 'payments go on') > 0, running.said)
  expect(count(running, 'nothing can be signed')).toBe(1)
  for (const id of ids) expect(tatum.state.broadcasts.get(id)).toHaveLength(1)
  expect(await stop(running)).toBe(0)
  expect(tatum.state.reports).toEqual([])
}

async function pay({ said }: DaemonProcess, n: number): Promise<void> {
  const id = tatum.queue(btcPayment(n))
  await until(() => tatum.state.settled.has(id), said)
}

function start(journal = '', folder = home.folder): DaemonProcess {
  const args = ['--period=0.1', `--external-url=${tatum.approverUrl}`, '--chain=BTC,ETH']
  const password = `--password-file=${join(home.folder, 'password')}`
  const given = journal === '' ? [] : [journal]
  daemon = startDaemon(folder, tatum, [...args, ...given], { password })
  return daemon
}

function count({ said }: DaemonProcess, event: string): number {
  return said().split(`"event":"${event}"`).length - 1
}

function stop(running: DaemonProcess): Promise<number | string> {
  running.kill('SIGTERM')
  return running.ended
}

function needDisk(): SmallDisk {
  if (disk === undefined) throw new Error('there is no small disk')
  return disk
}
