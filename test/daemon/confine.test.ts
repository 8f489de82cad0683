import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'bun:test'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { landlockVersion } from '../../src/base/native-confine.ts'
import { playAtTerminal, python } from '../support/at-terminal.ts'
import type { ConfinedPlan, Outcomes } from '../support/confined-process.ts'
import {
  asOtherUser,
  canChangeUser,
  confinedCommand,
  foreignCalls,
  foreignUses,
  runConfined,
} from '../support/confinement.ts'
import {
  type DaemonProcess,
  frontOf,
  makeHome,
  runDaemonOnce,
  startDaemon,
  until,
} from '../support/daemon-process.ts'
import { type FakeTatum, startFakeTatum } from '../support/fake-tatum.ts'
import { btcPayment, ethAddress, ethPayment, wallets } from '../support/payments.ts'
import { binaryUnderTest } from '../support/script.ts'
import { storeWallets } from '../support/test-vault.ts'

const template = mkdtempSync(join(tmpdir(), 'kms-confined-'))
const running = new Set<DaemonProcess>()
let home: ReturnType<typeof makeHome>
let tatum: FakeTatum

beforeAll(() => storeWallets(template, Object.values(wallets)))
afterAll(() => rmSync(template, { recursive: true }))

beforeEach(() => {
  home = makeHome(template)
  tatum = startFakeTatum({ network: 'mainnet', nonces: { [ethAddress]: 5 } })
})

afterEach(async () => {
  for (const daemon of running) daemon.kill('SIGKILL')
  await Promise.all([...running].map(({ ended }) => ended))
  running.clear()
  await tatum.stop()
  home[Symbol.dispose]()
})

const users = [
  ['its own user', []],
  ...(canChangeUser ? [['a user without rights', asOtherUser] as const] : []),
] as const

describe.skipIf(process.platform !== 'linux').each(users)(
  'the front, run by %s',
  (user, before) => {
    test('reads and writes its journal, and nothing of the signer', async () => {
      const { folder } = home
      const journal = join(folder, 'journal')
      const policy = join(folder, 'policy.toml')
      mkdirSync(journal)
      writeFileSync(policy, '')
      if (user !== 'its own user') handOver(folder)
      const allowed = Bun.listen({ hostname: '127.0.0.1', port: 0, socket: { data() {} } })
      const other = Bun.listen({ hostname: '127.0.0.1', port: 0, socket: { data() {} } })
      const secret = [join(folder, 'wallet.dat'), join(folder, 'password'), policy, '/etc/passwd']
      const plan: ConfinedPlan = {
        role: 'front',
        vaultPath: join(folder, 'wallet.dat'),
        journalFolder: journal,
        read: ['/etc/hosts', ...secret],
        write: [join(journal, 'payments.sqlite'), join(folder, 'wallet.dat'), join(folder, 'x')],
        ports: [allowed.port, other.port],
        calls: foreignCalls,
        signal: [process.pid],
      }
      const found: Outcomes = await runConfined(plan, before)
      for (const server of [allowed, other]) server.stop(true)
      expect(found['misses']).toBe('')
      expect(found[`write ${join(journal, 'payments.sqlite')}`]).toBe('allowed')
      expect(found['read /etc/hosts on a pool thread']).toBe('allowed')
      expect(found[`connect ${allowed.port}`]).toBe('allowed')
      if (landlockVersion() >= 4) expect(found[`connect ${other.port}`]).not.toBe('allowed')
      for (const path of secret) {
        for (const where of ['', ' on a pool thread', ' in a worker']) {
          expect([path, where, found[`read ${path}${where}`]]).toEqual([path, where, 'EACCES'])
        }
      }
      for (const name of ['wallet.dat', 'x'])
        expect(found[`write ${join(folder, name)}`]).toBe('EACCES')
      for (const call of foreignCalls) expect([call, found[call]]).toEqual([call, 'errno 1'])
      for (const use of foreignUses) expect([use, found[use]]).toEqual([use, 'errno 1'])
      expect(found['start a program']).not.toBe('allowed')
      expect(found['map code']).toStartWith('errno')
      expect(found[`signal ${process.pid}`]).toBe('EPERM')
    })

    test.skipIf(python === null)(
      'types nothing into the terminal it was started from',
      async () => {
        const plan: ConfinedPlan = {
          role: 'front',
          vaultPath: join(home.folder, 'wallet.dat'),
          journalFolder: join(home.folder, 'journal'),
          ...{ read: [], write: [], ports: [], calls: [], signal: [] },
        }
        const command = [...before, ...confinedCommand(plan)]
        const { answer, screen } = await playAtTerminal({ command, attached: true, steps: [] })
        expect(JSON.parse(answer)['type into a terminal']).toBe('errno 1')
        expect(screen).toBe('')
      },
    )
  },
)

describe.skipIf(process.platform !== 'linux')('the daemon', () => {
  test('has every thread of both processes confined while it pays, and says nothing of it', async () => {
    const daemon = start(['--require-hardening'])
    const id = tatum.queue(ethPayment(1))
    await until(() => tatum.state.settled.has(id), daemon.said)
    for (const pid of [daemon.pid, frontOf(daemon) ?? 0]) {
      for (const thread of readdirSync(`/proc/${pid}/task`)) {
        const status = readFileSync(`/proc/${pid}/task/${thread}/status`, 'latin1')
        expect(status).toMatch(/^NoNewPrivs:\t1$/m)
        expect(status).toMatch(/^Seccomp:\t2$/m)
      }
      expect(readFileSync(`/proc/${pid}/limits`, 'latin1')).toMatch(/^Max core file size +0 +0 /m)
    }
    expect(daemon.said()).not.toContain('confined')
    daemon.kill('SIGTERM')
    expect(await daemon.ended).toBe(0)
  })

  test.skipIf(!canChangeUser)(
    'is closed to debuggers and dumps of its own user',
    async () => {
      handOver(home.folder)
      const daemon = start([], [...asOtherUser, ...binaryUnderTest, 'daemon'])
      const id = tatum.queue(btcPayment(1))
      await until(() => tatum.state.settled.has(id), daemon.said)
      const open = Bun.spawn([...asOtherUser, 'sleep', '60'])
      const openPid = open.pid
      await until(() => attacksOn(openPid).includes('memory'))
      expect(attacksOn(openPid)).toEqual(attackNames())
      open.kill()
      for (const pid of [daemon.pid, frontOf(daemon) ?? 0]) expect(attacksOn(pid)).toEqual([])
    },
    20_000,
  )

  test.each([
    ['landlock_create_ruleset', 'files'],
    ['seccomp', 'system calls'],
  ])('without %s pays and says so once, or refuses if told to', async (call, name) => {
    const older = join(import.meta.dir, '../support/older-kernel.ts')
    const command = [process.execPath, older, call, ...binaryUnderTest, 'daemon']
    const id = tatum.queue(btcPayment(1))
    const hard = await once(command, '--require-hardening')
    expect(hard.status).toBe(1)
    expect(hard.said).toMatch(
      new RegExp(`error: the \\S+( process)? could not be confined: .*${name}: `),
    )
    expect(tatum.state.settled.size).toBe(0)
    const soft = await once(command)
    expect(soft.status).toBe(0)
    expect(soft.said.match(/warning: the signer could not be confined/g)).toHaveLength(1)
    expect(soft.said.match(/warning: the network process could not be confined/g)).toHaveLength(1)
    expect(tatum.state.settled.has(id)).toBe(true)
  })

  test.each(['.', '..', '/'])(
    'does not share a folder with the vault: --journal=%s',
    async folder => {
      const journal = `--journal=${join(home.folder, folder)}`
      const { status, said } = await once(undefined, folder === '/' ? '--journal=/' : journal)
      expect(status).toBe(2)
      expect(said).toContain('the vault is in ')
      expect(tatum.state.requests).toEqual([])
    },
  )

  test('does not share a folder with the credentials of systemd', async () => {
    const credentials = join(home.folder, 'journal/credentials')
    mkdirSync(credentials, { recursive: true })
    const env = { CREDENTIALS_DIRECTORY: credentials }
    const daemon = startDaemon(home.folder, tatum, ['--run-once', approver()], { env })
    expect(await daemon.ended).toBe(2)
    expect(daemon.said()).toContain('the credentials folder is in ')
  })

  test('makes its journal folder itself, for itself alone', async () => {
    expect((await once()).status).toBe(0)
    expect(existsSync(join(home.folder, 'journal/payments.sqlite'))).toBe(true)
  })
})

function approver(): string {
  return `--external-url=${tatum.approverUrl}`
}

function start(args: readonly string[], command = [...binaryUnderTest, 'daemon']): DaemonProcess {
  const daemon = startDaemon(home.folder, tatum, [approver(), '--period=0.1', ...args], { command })
  running.add(daemon)
  daemon.ended.finally(() => running.delete(daemon))
  return daemon
}

function once(command: readonly string[] = [...binaryUnderTest, 'daemon'], ...args: string[]) {
  return runDaemonOnce(home.folder, tatum, [approver(), ...args], { command })
}

function handOver(folder: string): void {
  if (Bun.spawnSync(['chown', '-R', '65534:65534', folder]).exitCode !== 0) throw new Error('chown')
}

/** All that work here on a process that does not hide itself. */
function attackNames(): readonly string[] {
  const ofDebugger = Bun.which('gdb') === null ? [] : ['debugger', 'dump']
  return ['memory', 'environment', 'descriptors', ...ofDebugger]
}

/** What another process of the same user gets of this one. */
function attacksOn(pid: number): readonly string[] {
  const dump = join(tmpdir(), `kms-dump-${pid}`)
  const attacks: Readonly<Record<string, readonly string[]>> = {
    memory: [
      'sh',
      '-c',
      `read a < /proc/${pid}/maps && dd if=/proc/${pid}/mem of=/dev/null bs=1 count=1 skip=$((0x\${a%%-*}))`,
    ],
    environment: ['cat', `/proc/${pid}/environ`],
    descriptors: ['sh', '-c', `readlink /proc/${pid}/fd/0`],
    debugger: ['gdb', '-nx', '-batch', '-p', `${pid}`, '-ex', 'print $_inferior_thread_count'],
    dump: ['gcore', '-o', dump, `${pid}`],
  }
  const succeeded = attackNames().flatMap(name => {
    const command = attacks[name] ?? []
    const { stdout, exitCode } = Bun.spawnSync([...asOtherUser, ...command], {
      cwd: '/',
      env: { PATH: process.env['PATH'] ?? '', HOME: dirname(dump) },
      timeout: 10_000,
    })
    const isAttached = name !== 'debugger' || stdout.toString().includes('$1 = 1')
    return exitCode === 0 && isAttached ? [name] : []
  })
  rmSync(`${dump}.${pid}`, { force: true })
  return succeeded
}
