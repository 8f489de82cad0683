import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'bun:test'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type DaemonProcess,
  frontOf,
  makeHome,
  runDaemonOnce,
  startDaemon,
  until,
} from '../support/daemon-process.ts'
import { type FakeTatum, startFakeTatum } from '../support/fake-tatum.ts'
import { btcPayment, ethAddress, ethPayment, pendingIdOf, wallets } from '../support/payments.ts'
import { binaryUnderTest } from '../support/script.ts'
import { storeWallets } from '../support/test-vault.ts'

const template = mkdtempSync(join(tmpdir(), 'kms-operations-'))
const { btcKey, ethMnemonic } = wallets
let home: ReturnType<typeof makeHome>
let tatum: FakeTatum
let running: DaemonProcess | undefined
let latest: DaemonProcess | undefined

beforeAll(() => storeWallets(template, [btcKey]))
afterAll(() => rmSync(template, { recursive: true }))

beforeEach(() => {
  home = makeHome(template)
  tatum = startFakeTatum({ network: 'mainnet', nonces: { [ethAddress]: 5 } })
})

afterEach(async () => {
  running?.kill('SIGKILL')
  await running?.ended
  await tatum.stop()
  home[Symbol.dispose]()
})

function start(...args: readonly string[]): DaemonProcess {
  const all = [`--external-url=${tatum.approverUrl}`, '--period=0.05', ...args]
  const daemon = startDaemon(home.folder, tatum, all)
  running = daemon
  latest = daemon
  void daemon.ended.then(() => {
    running = undefined
  })
  return daemon
}

/** A command beside the daemon, with what it printed. */
function kms(...args: readonly string[]) {
  const command = [...binaryUnderTest, ...args, `--path=${join(home.folder, 'wallet.dat')}`]
  const env = { HOME: home.folder }
  const { exitCode, stdout, stderr } = Bun.spawnSync(command, { cwd: home.folder, env })
  return { status: exitCode, answer: stdout.toString(), said: stderr.toString() }
}

function said(daemon: DaemonProcess): readonly Readonly<Record<string, unknown>>[] {
  const lines = daemon.said().split('\n')
  return lines.filter(line => line.startsWith('{')).map(line => JSON.parse(line))
}

function explain(): string {
  return latest?.said() ?? ''
}

describe('a daemon that is looked at', () => {
  test('serves metrics, life and readiness at a socket, and writes them to a file', async () => {
    // The front may write nothing beside the vault.
    const folder = join(home.folder, 'metrics')
    mkdirSync(folder)
    const [unix, file] = [join(folder, 'socket'), join(folder, 'kms.prom')]
    const daemon = start(`--metrics=unix:${unix}`, `--metrics-file=${file}`)
    const id = tatum.queue(btcPayment(1))
    await until(() => daemon.said().includes('payment sent') && existsSync(unix), explain)
    const ask = (path: string) => fetch(`http://kms${path}`, { unix })
    while ((await ask('/readyz')).status !== 200) await Bun.sleep(10)
    expect(await (await ask('/livez')).text()).toBe('ok\n')
    const response = await ask('/metrics')
    expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8')
    const text = await response.text()
    expect(text).toContain('\ntatum_kms_payments_total{chain="BTC",outcome="sent"} 1\n')
    expect(text).toContain('\ntatum_kms_approvals_total{verdict="approved"} 1\n')
    expect(text).toContain('\ntatum_kms_http_requests_total{peer="approver",outcome="ok"} 1\n')
    expect(text).toMatch(/\ntatum_kms_signer_seconds_count\{question="sign"\} 1\n/)
    expect(text).toMatch(/\ntatum_kms_process_resident_bytes\{side="signer"\} \d{7,}\n/)
    for (const secret of [id, btcKey.id, tatum.apiKey, home.folder])
      expect(text).not.toContain(secret)
    expect(statSync(file).mode & 0o777).toBe(0o644)
    expect(readFileSync(file, 'utf8')).toContain('# TYPE tatum_kms_build_info gauge\n')
    daemon.kill('SIGTERM')
    expect(await daemon.ended).toBe(0)
    const events = said(daemon).map(({ event }) => event)
    expect(events.at(0)).toBe('daemon started')
    expect(events.at(-1)).toBe('daemon stopping')
  })

  test.each([
    '--metrics=0.0.0.0:9464',
    '--metrics=9464',
    '--metrics=127.0.0.1:0',
    '--metrics=127.0.0.1:65536',
    '--metrics=localhost:9464',
    '--metrics=[::]:9464',
    '--metrics=unix:relative',
    '--idle-period=0.01',
    '--idle-period=x',
    '--log-format=xml',
    '--log-level=loud',
  ])('%s is refused before anything is started', async flag => {
    const daemon = start(flag)
    expect(await daemon.ended).toBe(2)
    expect(tatum.state.requests).toEqual([])
  })

  test('says what it does, and status tells when none runs', async () => {
    expect(kms('status')).toMatchObject({ status: 3, answer: 'no daemon runs\n', said: '' })
    expect(existsSync(join(home.folder, 'wallet.dat.ledger.lock'))).toBe(false)
    const daemon = start()
    const file = join(home.folder, 'journal', 'status.json')
    await until(() => existsSync(file), explain)
    expect(statSync(file).mode & 0o777).toBe(0o600)
    const { status, answer } = kms('status')
    expect(status).toBe(0)
    expect(answer).toStartWith('a daemon runs; it said ')
    expect(answer).toContain(`signer ${daemon.pid}, front ${frontOf(daemon)}, since 20`)
    expect(JSON.parse(kms('status', '--json').answer)).toMatchObject({
      running: true,
      told: { network: 'mainnet', hasApprover: true, periodMs: 50, vault: { wallets: 1 } },
    })
    daemon.kill('SIGKILL')
    await daemon.ended
    await until(() => kms('status').status === 3)
    expect(kms('status').answer).toStartWith('no daemon runs; it said ')
  })

  test('speaks in lines for journald when stderr is its own, and from a level up', async () => {
    const log = join(home.folder, 'log')
    const api = { TATUM_API_URL: tatum.url, TATUM_API_KEY: 'wrong' }
    const env = { HOME: home.folder, PATH: '/usr/bin:/bin', ...api }
    const run = (args: string) => {
      const shell = `exec 2>${log}; JOURNAL_STREAM=$(stat -Lc %d:%i ${log}) exec ${args}`
      return Bun.spawn(['sh', '-c', shell], { cwd: home.folder, env }).exited
    }
    const flags = `--path=wallet.dat --password-file=password --external-url=http://127.0.0.1:1/`
    await run(`${binaryUnderTest.join(' ')} daemon --run-once ${flags}`)
    const lines = readFileSync(log, 'utf8').trimEnd().split('\n')
    expect(lines[0]).toMatch(/^<6>\{"time":"20.*"event":"daemon started"/)
    expect(lines.filter(line => /^<4>\{.*"event":"poll failed"/.test(line))).toHaveLength(1)
    await run(
      `${binaryUnderTest.join(' ')} daemon --run-once ${flags} --log-level=warning --log-format=text`,
    )
    expect(readFileSync(log, 'utf8')).toMatch(/^<4>20\S+ warning poll failed chain=BTC .*\n$/)
    await run(`${binaryUnderTest.join(' ')} daemon --run-once ${flags} --metrics=x`)
    expect(readFileSync(log, 'utf8')).toMatch(/^<3>tatum-kms: error: .*\n<3>tatum-kms: hint: .*\n$/)
  })
})

describe('tx retry', () => {
  test('has a payment tried with the next poll that would wait', async () => {
    tatum.onApproval(() => 403)
    const id = tatum.queue(btcPayment(1))
    const daemon = start()
    await until(() => asked() > 5, explain)
    tatum.onApproval(() => 200)
    expect(JSON.parse(kms('tx', 'retry', id).answer)).toMatchObject({ id, daemon: 'running' })
    await until(() => said(daemon).some(({ event }) => event === 'payment sent'), explain)
    const events = said(daemon).map(({ event }) => event)
    expect(events.filter(event => event === 'payment is tried at once')).toHaveLength(1)
    expect(events.indexOf('payment is tried at once')).toBeLessThan(events.indexOf('payment sent'))
  })

  test('opens a payment again that is closed, with the next start', async () => {
    tatum.queue(btcPayment(1, { serializedTransaction: '{' }))
    const url = `--external-url=${tatum.approverUrl}`
    expect(await runDaemonOnce(home.folder, tatum, [url])).toMatchObject({ status: 40 })
    expect(await runDaemonOnce(home.folder, tatum, [url])).toMatchObject({ status: 40 })
    expect(tatum.state.reports).toHaveLength(1)
    const { status, answer, said: warning } = kms('tx', 'retry', pendingIdOf(1))
    expect({ status, ...JSON.parse(answer) }).toEqual({
      ...{ status: 0, id: pendingIdOf(1), state: 'refused', daemon: 'stopped' },
    })
    expect(warning).toContain('make sure that nobody pays it again')
    expect(kms('tx', 'retry', pendingIdOf(1)).status).toBe(0)
    const { said: log } = await runDaemonOnce(home.folder, tatum, [url])
    expect(log).toContain('payment is tried at once')
    expect(tatum.state.reports).toHaveLength(2)
    expect(
      readdirSync(join(home.folder, 'journal')).filter(name => name.startsWith('retry')),
    ).toEqual([])
  })

  test('is refused for a payment that is sent, and for one that is not known', async () => {
    tatum.queue(btcPayment(1))
    await runDaemonOnce(home.folder, tatum, [`--external-url=${tatum.approverUrl}`])
    expect(kms('tx', 'retry', pendingIdOf(1))).toMatchObject({ status: 40, answer: '' })
    expect(kms('tx', 'retry', pendingIdOf(2))).toMatchObject({ status: 2, answer: '' })
    expect(kms('tx', 'retry', '../../etc')).toMatchObject({ status: 2, answer: '' })
  })
})

describe('a running daemon', () => {
  test('polls for a wallet that is added, and no more for one that is removed; it has no password', async () => {
    const daemon = start()
    await until(() => polled('BTC') > 1, explain)
    // Where nobody has the password any more, there is nothing to give scrypt.
    renameSync(join(home.folder, 'password'), join(home.folder, 'elsewhere'))
    await storeWallets(home.folder, [ethMnemonic])
    const id = tatum.queue(ethPayment(1))
    await until(() => tatum.state.settled.has(id), explain)
    const { status } = kms('removewallet', ethMnemonic.id, '--password-file=elsewhere')
    expect(status).toBe(0)
    await until(() => reloads(daemon) === 2, explain)
    // One that was under way when it was removed may still come in; then there is no other.
    const btc = polled('BTC')
    await until(() => polled('BTC') > btc + 2, explain)
    const eth = polled('ETH')
    await until(() => polled('BTC') > btc + 5, explain)
    expect(polled('ETH')).toBe(eth)
  })

  test('ends with 0 on SIGTERM while Tatum hangs, and on a second one too', async () => {
    tatum.fail('pending', { kind: 'hang' })
    const daemon = start()
    await until(() => polled('BTC') > 0, explain)
    daemon.kill('SIGTERM')
    daemon.kill('SIGTERM')
    expect(await daemon.ended).toBe(0)
  })

  test.each([0, 20, 60, 120, 200, 300])(
    'ends on SIGTERM %d ms after its start, with both processes, and starts again',
    async ms => {
      const daemon = start()
      await Bun.sleep(ms)
      daemon.kill('SIGTERM')
      // Where nobody was listening yet, the signal itself is the end.
      expect([0, 143, 'SIGTERM']).toContain(await daemon.ended)
      await until(() => groupOf(daemon.pid).length === 0)
      const { status } = await runDaemonOnce(home.folder, tatum, [
        `--external-url=${tatum.approverUrl}`,
        '--lock-wait=0',
      ])
      expect(status).toBe(0)
    },
  )
})

/** Processes that are left of a group. */
function groupOf(leader: number): readonly string[] {
  return readdirSync('/proc').filter(name => {
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'latin1')
      const [state, , group] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
      return group === String(leader) && state !== 'Z'
    } catch {
      return false
    }
  })
}

function asked(): number {
  return tatum.state.requests.filter(({ route }) => route === 'approve').length
}

function reloads(daemon: DaemonProcess): number {
  return said(daemon).filter(({ event }) => event === 'vault reloaded').length
}

function polled(chain: string): number {
  const path = `/v3/kms/pending/${chain}`
  return tatum.state.requests.filter(request => request.path === path).length
}
