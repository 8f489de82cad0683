import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Machine, startMachine, whyNoMachine } from '../support/machine.ts'
import { wallets } from '../support/payments.ts'
import type { SandboxPlace } from '../support/sandbox-server.ts'
import { binaryUnderTest } from '../support/script.ts'
import { storeWallets, testPassword } from '../support/test-vault.ts'

const shared = mkdtempSync(join(tmpdir(), 'kms-machine-'))
const [binary = '', ...fromSource] = binaryUnderTest
const why = fromSource.length > 0 ? 'no compiled program' : await whyNoMachine()
if (why !== undefined) process.stderr.write(`systemd: not run: ${why}\n`)

const startedAt = performance.now()
let machine: Machine
let sandbox: Sandbox
let payments = 0

describe.skipIf(why !== undefined)('under a real systemd', () => {
  beforeAll(async () => {
    await storeWallets(shared, [wallets.ethMnemonic])
    mkdirSync(join(shared, 'bin'))
    copyFileSync(binary, join(shared, 'bin/tatum-kms'))
    await compile('test/support/sandbox-server.ts', join(shared, 'bin/sandbox'))
    machine = await startMachine(shared)
    sandbox = await startSandbox()
    await machine.shell(`
      install -m 0711 /shared/bin/tatum-kms /usr/local/bin/
      mkdir -m 0700 /var/lib/tatum-kms
      install -m 0600 /shared/wallet.dat /var/lib/tatum-kms/
    `)
  }, 400_000)

  afterAll(async () => {
    await machine?.[Symbol.asyncDispose]()
    const seconds = Math.round((performance.now() - startedAt) / 1000)
    process.stderr.write(`systemd: single unit and split pair run, ${seconds} s\n`)
  }, 30_000)

  describe('one unit', () => {
    test('is installed with a password that opens the vault, and no other', async () => {
      const wrong = await install('another password')
      expect(wrong.status).toBe(12)
      expect(await machine.shell('ls /etc/systemd/system/tatum-kms* 2>&1 || true')).toContain(
        'cannot',
      )
      const { status, stdout } = await install(testPassword)
      expect(status).toBe(0)
      expect(stdout).toContain('wrote /etc/systemd/system/tatum-kms.service\n')
      expect(await machine.shell('grep -rl sandbox-api-key /etc/tatum-kms || true')).toBe('')
    }, 60_000)

    test('becomes ready with its credentials, and pays', async () => {
      await machine.write(
        '/etc/tatum-kms/daemon.env',
        settings('--policy=/etc/tatum-kms/policy/p.toml'),
      )
      await writePolicy('allow')
      await quicken('tatum-kms.service')
      await machine.shell('systemctl start tatum-kms.service')
      expect(await stateOf('tatum-kms.service')).toBe('active')
      await sandbox.pays()
    }, 120_000)

    test('reads its policy again when it is reloaded', async () => {
      await writePolicy('deny')
      await machine.shell('systemctl reload tatum-kms.service')
      const id = await sandbox.queue()
      await untilSaid('tatum-kms.service', 'policy-denied')
      expect(await sandbox.paid(id)).toBe(false)
      await writePolicy('allow')
      await machine.shell('systemctl reload tatum-kms.service')
      await until(() => sandbox.paid(id))
    }, 120_000)

    test.each(['front', 'signer'])(
      'is restarted by the watchdog when the %s hangs',
      async half => {
        const before = await restartsOf('tatum-kms.service')
        await machine.shell(`pkill --signal STOP --full '^/tatum-kms ${half} '`)
        await until(async () => (await restartsOf('tatum-kms.service')) > before)
        await until(async () => (await stateOf('tatum-kms.service')) === 'active')
        await sandbox.pays()
      },
      120_000,
    )

    test('stops cleanly', async () => {
      await machine.shell('systemctl stop tatum-kms.service')
      expect(await show('tatum-kms.service', 'Result', 'ExecMainStatus')).toEqual(['success', '0'])
    }, 60_000)

    test('is not started over and over with a password that is wrong', async () => {
      await machine.shell(`
        cd /etc/tatum-kms && cp vault-password.cred kept
        printf wrong | systemd-creds encrypt --name=vault-password - vault-password.cred
        systemctl start tatum-kms.service || true
      `)
      expect(await show('tatum-kms.service', 'ActiveState', 'ExecMainStatus')).toEqual([
        'failed',
        '12',
      ])
      await machine.shell('cd /etc/tatum-kms && mv kept vault-password.cred')
    }, 60_000)
  })

  describe('two units', () => {
    const pair = ['tatum-kms-front.service', 'tatum-kms-signer.service'] as const

    test('are installed beside it, keeping what is sealed', async () => {
      const { status, stdout } = await install('', '--split')
      expect(status).toBe(0)
      expect(stdout).toContain('ran systemd-sysusers ')
      expect(stdout).not.toContain('.cred')
    }, 60_000)

    test('become ready and pay, of two users, the signer without a network', async () => {
      await machine.write('/etc/tatum-kms/front.env', settings())
      await machine.write(
        '/etc/tatum-kms/signer.env',
        'TATUM_KMS_OPTIONS=--policy=/etc/tatum-kms/policy/p.toml\n',
      )
      for (const unit of pair) await quicken(unit)
      await machine.shell('systemctl start tatum-kms-front.service')
      await sandbox.pays()
      for (const unit of pair) expect(await stateOf(unit)).toBe('active')
      const [front = '', signer = ''] = await Promise.all(pair.map(mainPid))
      const users = await machine.shell(`stat -c %u /proc/${front} /proc/${signer}`)
      expect(new Set(['0', ...users.split('\n')]).size).toBe(3)
      const network = await machine.shell(`readlink /proc/1/ns/net /proc/${signer}/ns/net`)
      expect(new Set(network.split('\n')).size).toBe(2)
    }, 120_000)

    test('let nobody but the front to the signer, not even root', async () => {
      await machine.shell('systemctl stop tatum-kms-front.service')
      await until(async () => (await stateOf('tatum-kms-signer.service')) === 'inactive')
      const stranger = machine.start(['/usr/local/bin/tatum-kms', ...strangerArguments()])
      await untilSaid('tatum-kms-signer.service', 'user 0 connected')
      stranger.kill('SIGKILL')
      await machine.shell('systemctl start tatum-kms-front.service')
      await sandbox.pays()
    }, 120_000)

    test('read the policy again when the signer is reloaded', async () => {
      await writePolicy('deny')
      await machine.shell('systemctl reload tatum-kms-signer.service')
      const id = await sandbox.queue()
      await untilSaid('tatum-kms-front.service', 'policy-denied')
      await writePolicy('allow')
      await machine.shell('systemctl reload tatum-kms-signer.service')
      await until(() => sandbox.paid(id))
    }, 120_000)

    test.each(pair)(
      'come back when %s hangs',
      async unit => {
        const before = await mainPid(unit)
        await machine.shell(`kill -STOP ${before}`)
        await until(async () => (await mainPid(unit)) !== before)
        await until(async () => (await stateOf('tatum-kms-front.service')) === 'active')
        await sandbox.pays()
      },
      120_000,
    )

    test('stop cleanly, the signer by itself', async () => {
      await machine.shell('systemctl stop tatum-kms-front.service')
      await until(async () => (await stateOf('tatum-kms-signer.service')) === 'inactive')
      for (const unit of pair)
        expect(await show(unit, 'Result', 'ExecMainStatus')).toEqual(['success', '0'])
    }, 60_000)

    test('start again with the signer when that is restarted by hand', async () => {
      await machine.shell('systemctl start tatum-kms-front.service')
      await machine.shell('systemctl restart tatum-kms-signer.service')
      await sandbox.pays()
      await machine.shell('systemctl stop tatum-kms-signer.service')
      await until(async () => (await stateOf('tatum-kms-front.service')) === 'inactive')
    }, 120_000)
  })

  test('all of it is taken away again, but for the vault', async () => {
    const changed = await machine.run([
      'sh',
      '-c',
      'echo "# mine" >> /etc/systemd/system/tatum-kms.service; tatum-kms uninstall-service',
    ])
    expect(changed.status).toBe(2)
    expect(changed.stderr).toContain('is not as it was installed')
    await machine.shell('tatum-kms uninstall-service --force')
    const left = await machine.shell(
      'find /etc /usr/local -name "*tatum-kms*" -not -name "*.d" | sort',
    )
    expect(left.split('\n')).toEqual(['/etc/tatum-kms', '/usr/local/bin/tatum-kms'])
    expect(await machine.shell('ls /etc/tatum-kms/*.cred 2>&1 || true')).toContain('cannot access')
    await machine.shell('test -s /var/lib/tatum-kms/wallet.dat')
  }, 60_000)
})

afterAll(() => rmSync(shared, { recursive: true }))

type Sandbox = {
  readonly place: SandboxPlace
  queue(): Promise<string>
  paid(id: string): Promise<boolean>
  /** A payment that is queued now is paid. */
  pays(): Promise<void>
}

async function startSandbox(): Promise<Sandbox> {
  const program = machine.start(['/shared/bin/sandbox'])
  const lines = linesOf(program.stdout)
  const ask = async (line: string): Promise<string> => {
    program.stdin.write(`${line}\n`)
    await program.stdin.flush()
    return (await lines.next()).value ?? ''
  }
  const queue = (): Promise<string> => ask(`queue ${++payments}`)
  const paid = async (id: string): Promise<boolean> => (await ask(`paid ${id}`)) === '1'
  return {
    place: JSON.parse((await lines.next()).value ?? ''),
    queue,
    paid,
    async pays() {
      const id = await queue()
      await until(() => paid(id))
    },
  }
}

async function* linesOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<string, undefined> {
  let text = ''
  for await (const chunk of stream) {
    text += Buffer.from(chunk).toString()
    const lines = text.split('\n')
    text = lines.pop() ?? ''
    yield* lines
  }
  return undefined
}

function install(password: string, ...args: readonly string[]) {
  const command = `TATUM_API_KEY=sandbox-api-key tatum-kms install-service --password-fd=0 ${args.join(' ')}`
  return machine.run(['sh', '-c', command], `${password}\n`)
}

function settings(options = ''): string {
  const { url, approverUrl } = sandbox.place
  return [
    `TATUM_KMS_OPTIONS=--external-url=${approverUrl} --chain=ETH --period=0.2 ${options}`,
    ...['TATUM_API_URL', 'TATUM_KMS_VET_URL', 'TATUM_KMS_FLOW_URL'].map(name => `${name}=${url}`),
    '',
  ].join('\n')
}

/** A front that root starts by hand. */
function strangerArguments(): readonly string[] {
  const folder = '/tmp/stranger'
  const flags = ['--signer=/run/tatum-kms/signer.sock', `--state-folder=${folder}`, '--testnet']
  return ['front-service', ...flags, '--api-key=none', '--chain=ETH']
}

function writePolicy(verdict: 'allow' | 'deny'): Promise<void> {
  return machine.write('/etc/tatum-kms/policy/p.toml', `version = 1\ndefault = "${verdict}"\n`)
}

/** A minute is long for a test. */
async function quicken(unit: string): Promise<void> {
  const folder = `/run/systemd/system/${unit}.d`
  await machine.shell(`mkdir -p ${folder}`)
  await machine.write(`${folder}/quick.conf`, '[Service]\nWatchdogSec=4\nRestartSec=500ms\n')
  await machine.shell('systemctl daemon-reload')
}

async function show(unit: string, ...properties: readonly string[]): Promise<readonly string[]> {
  const answers = properties.map(name => machine.shell(`systemctl show --value -p ${name} ${unit}`))
  return await Promise.all(answers)
}

async function stateOf(unit: string): Promise<string> {
  return (await show(unit, 'ActiveState'))[0] ?? ''
}

/** Of a unit that runs, or is about to. */
async function mainPid(unit: string): Promise<string> {
  let pid = ''
  await until(async () => {
    pid = (await show(unit, 'MainPID'))[0] ?? ''
    return /^[1-9]\d*$/.test(pid)
  })
  return pid
}

async function restartsOf(unit: string): Promise<number> {
  return Number((await show(unit, 'NRestarts'))[0])
}

function untilSaid(unit: string, text: string): Promise<void> {
  return until(async () => (await machine.shell(`journalctl -u ${unit}`)).includes(text))
}

async function until(isSo: () => Promise<boolean>): Promise<void> {
  const limit = performance.now() + 60_000
  while (!(await isSo())) {
    if (performance.now() > limit) {
      throw new Error(`waited in vain:\n${await machine.shell('journalctl -b -n 60')}`)
    }
    await Bun.sleep(100)
  }
}

async function compile(entry: string, outfile: string): Promise<void> {
  const root = join(import.meta.dir, '../..')
  const build = Bun.spawn([process.execPath, 'scripts/build.ts', entry, outfile], {
    cwd: root,
    stdout: 'ignore',
    stderr: 'inherit',
  })
  if ((await build.exited) !== 0) throw new Error(`cannot build ${entry}`)
}
