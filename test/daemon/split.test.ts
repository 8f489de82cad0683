import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'bun:test'
import {
  chmodSync,
  closeSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connectStream } from '../../src/base/native-unix.ts'
import { type DaemonProcess, makeHome, until } from '../support/daemon-process.ts'
import { type FakeTatum, startFakeTatum } from '../support/fake-tatum.ts'
import { btcPayment, wallets } from '../support/payments.ts'
import { runProgram } from '../support/program.ts'
import {
  canActivate,
  signerSocket,
  startFrontService,
  startSignerService,
} from '../support/split-daemon.ts'
import { playSystemd } from '../support/systemd.ts'
import { storeWallets } from '../support/test-vault.ts'

const template = mkdtempSync(join(tmpdir(), 'kms-split-'))
const running = new Set<DaemonProcess>()
let home: ReturnType<typeof makeHome>
let tatum: FakeTatum

beforeAll(() => storeWallets(template, [wallets.btcKey]))
afterAll(() => rmSync(template, { recursive: true }))

beforeEach(() => {
  home = makeHome(template)
  tatum = startFakeTatum({ network: 'mainnet' })
})

afterEach(async () => {
  for (const process of running) process.kill('SIGKILL')
  await Promise.all([...running].map(({ ended }) => ended))
  running.clear()
  await tatum.stop()
  home[Symbol.dispose]()
})

describe.skipIf(!canActivate)('front and signer as two services', () => {
  test('pay, with a signer that has no socket but the one to the front', async () => {
    const { signer, front } = await both()
    const id = tatum.queue(btcPayment(1))
    await until(
      () => tatum.state.settled.has(id),
      () => signer.said() + front.said(),
    )
    const [, , , ...others] = openFiles(signer.pid)
    expect(others.filter(name => name.startsWith('socket:'))).toHaveLength(1)
    expect(openFiles(front.pid).filter(name => /wallet|password/.test(name))).toEqual([])
  })

  test('show no API key, and nothing of their environment', async () => {
    const env = { SOME_SECRET: 'a variable to look for' }
    const { signer, front } = await both({ env })
    for (const { pid } of [signer, front]) {
      const line = readFileSync(`/proc/${pid}/cmdline`, 'latin1')
      const environment = readFileSync(`/proc/${pid}/environ`, 'latin1')
      expect(environment).not.toMatch(/TATUM|SECRET|HOME|LISTEN/)
      expect(line + environment).not.toContain(tatum.apiKey)
    }
  })

  test('give all threads up to the same confinement as parent and child', async () => {
    const args = ['--require-hardening']
    const { signer, front } = await both({ args })
    for (const { pid } of [signer, front]) {
      for (const thread of readdirSync(`/proc/${pid}/task`)) {
        const status = readFileSync(`/proc/${pid}/task/${thread}/status`, 'latin1')
        expect(status).toMatch(/^NoNewPrivs:\t1$/m)
        expect(status).toMatch(/^Seccomp:\t2$/m)
      }
    }
  })

  test.each(['signer', 'front'] as const)('a SIGTERM to the %s ends both with 0', async name => {
    const pair = await both()
    pair[name].kill('SIGTERM')
    expect([await pair.signer.ended, await pair.front.ended]).toEqual([0, 0])
  })

  test('when the front is killed, the signer ends', async () => {
    const { signer, front } = await both()
    front.kill('SIGKILL')
    expect(await signer.ended).toBe(0)
  })

  test('when the signer is killed, the front says so and ends with 1', async () => {
    const { signer, front } = await both()
    signer.kill('SIGKILL')
    expect(await front.ended).toBe(1)
    expect(front.said()).toContain('the signer process has ended')
  })

  test('end with the reason when there can be no signer: 12 for a wrong password', async () => {
    writeFileSync(join(home.folder, 'password'), 'another one\n', { mode: 0o600 })
    const signer = signerService()
    await listens()
    const front = frontService()
    expect([await signer.ended, await front.ended]).toEqual([12, 12])
    expect(front.said()).toContain('the signer could not start')
    expect(tatum.state.requests).toEqual([])
  })

  test('end with the reason when the password cannot be had: 15 for one that others can read', async () => {
    chmodSync(join(home.folder, 'password'), 0o644)
    const signer = signerService()
    await listens()
    const front = frontService()
    expect([await signer.ended, await front.ended]).toEqual([15, 15])
  })

  test('a front of another user is refused', async () => {
    const signer = signerService({ args: ['--front-user=4242'] })
    await listens()
    const front = frontService()
    await until(() => signer.said().includes('refused'), signer.said)
    expect(await front.ended).toBe(1)
    expect(tatum.state.requests).toEqual([])
  })

  test('a front that gave up before it was served is passed over', async () => {
    const signer = signerService()
    await listens()
    const fd = connectStream(signerSocket(home.folder)) ?? -1
    closeSync(fd)
    const front = frontService()
    await until(
      () => tatum.state.requests.length > 0,
      () => signer.said() + front.said(),
    )
  })

  test('a second client is not served while the first one is', async () => {
    const { front, signer } = await both()
    expect(connectStream(signerSocket(home.folder))).toBeUndefined()
    front.kill('SIGTERM')
    expect(await signer.ended).toBe(0)
  })

  test('each tells systemd that it is ready, alive and about to end', async () => {
    await using ofSigner = await playSystemd(home.folder)
    await using ofFront = await playSystemd(home.folder, { isAbstract: true })
    const env = { WATCHDOG_USEC: '400000' }
    const signer = signerService({ env: { ...env, NOTIFY_SOCKET: ofSigner.socket } })
    await listens()
    const front = frontService({ env: { ...env, NOTIFY_SOCKET: ofFront.socket } })
    const explain = (): string => signer.said() + front.said()
    for (const systemd of [ofSigner, ofFront]) {
      await until(() => systemd.count('WATCHDOG=1') > 3, explain)
      expect(systemd.count('READY=1')).toBe(1)
      expect(systemd.count('STATUS=chains: 1, listed: 0, not yet sent: 0')).toBe(1)
    }
    // A signer that hangs starves both.
    signer.kill('SIGSTOP')
    await Bun.sleep(200)
    const before = ofFront.count('WATCHDOG=1')
    await Bun.sleep(800)
    expect(ofFront.count('WATCHDOG=1')).toBe(before)
    signer.kill('SIGCONT')
    front.kill('SIGTERM')
    expect([await signer.ended, await front.ended]).toEqual([0, 0])
    for (const systemd of [ofSigner, ofFront])
      expect(systemd.count('STOPPING=1')).toBeGreaterThan(0)
  })

  test('the API key comes from the credential tatum-api-key', async () => {
    const credentials = mkdtempSync(join(home.folder, 'credentials-'))
    writeFileSync(join(credentials, 'tatum-api-key'), `${tatum.apiKey}\n`, { mode: 0o400 })
    const env = { TATUM_API_KEY: 'a wrong one', CREDENTIALS_DIRECTORY: credentials }
    signerService()
    await listens()
    const front = frontService({ env })
    const id = tatum.queue(btcPayment(1))
    await until(() => tatum.state.settled.has(id), front.said)
  })

  test('status tells of a signer in its own service', async () => {
    const { folder } = home
    const { front } = await both()
    const status = join(folder, 'front/status.json')
    await until(() => Bun.file(status).size > 0, front.said)
    const flags = [`--path=${join(folder, 'wallet.dat')}`, `--journal=${join(folder, 'front')}`]
    const run = await runProgram(['status', ...flags], { home: folder })
    expect(run.status).toBe(0)
    expect(run.stdout).toContain(`signer in its own service, front ${front.pid}`)
  })
})

describe('started by hand', () => {
  test.each([
    ['signer-service', ['--front-user=0'], 'there is no socket to wait at'],
    ['signer-service', [], 'say with --front-user'],
    ['signer-service', ['--front-user=no-such-user'], 'is not in /etc/passwd'],
    ['front-service', ['--external-url=http://127.0.0.1:9'], 'say with --signer'],
    [
      'front-service',
      ['--external-url=http://127.0.0.1:9', '--signer=/nobody'],
      'nobody listens at',
    ],
  ])('%s %j is refused', async (name, args, reason) => {
    const { folder } = home
    const place = name === 'signer-service' ? `--path=${join(folder, 'wallet.dat')}` : ''
    const given = [name, ...args, place || `--state-folder=${join(folder, 'front')}`]
    const run = await runProgram(given, { home: folder, env: { TATUM_API_KEY: 'key' } })
    expect([1, 2]).toContain(run.status)
    expect(run.stderr).toContain(reason)
  })
})

type Started = Parameters<typeof startSignerService>[1]

async function both(started: Started = {}) {
  const signer = signerService(started)
  await listens()
  const front = frontService(started)
  const explain = (): string => signer.said() + front.said()
  await until(() => tatum.state.requests.length > 0, explain)
  return { signer, front }
}

function listens(): Promise<void> {
  return until(() => existsSync(signerSocket(home.folder)))
}

function signerService(started?: Started): DaemonProcess {
  return kept(startSignerService(home.folder, started))
}

function frontService(started?: Started): DaemonProcess {
  const args = ['--chain=BTC', ...(started?.args ?? [])]
  return kept(startFrontService(home.folder, tatum, { ...started, args }))
}

function kept(process: DaemonProcess): DaemonProcess {
  running.add(process)
  void process.ended.then(() => running.delete(process))
  return process
}

function openFiles(pid: number): readonly string[] {
  return readdirSync(`/proc/${pid}/fd`).map(fd => readlinkSync(`/proc/${pid}/fd/${fd}`))
}
