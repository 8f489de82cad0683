import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import type { Subprocess } from 'bun'

/**
 * A machine of its own with a real systemd: Debian, started by systemd-nspawn with a network of
 * nothing but its loopback. What it writes is gone with it.
 */
export type Machine = AsyncDisposable & {
  /** Runs a command inside as root, to its end. */
  run(command: readonly string[], stdin?: string): Promise<Ran>
  /** The same for a line of shell; throws when it fails, else answers what it printed. */
  shell(line: string): Promise<string>
  write(path: string, text: string): Promise<void>
  /** Starts a command inside that is talked to over its pipes, and ends with the machine. */
  start(command: readonly string[]): Subprocess<'pipe', 'pipe', 'ignore'>
}

export type Ran = { readonly status: number; readonly stdout: string; readonly stderr: string }

const image = process.env['TATUM_KMS_TEST_ROOTFS'] ?? join(homedir(), '.cache/tatum-kms/bookworm')
const mirror = process.env['TATUM_KMS_TEST_MIRROR'] ?? 'http://deb.debian.org/debian'
const packages = 'systemd,systemd-sysv,dbus,procps'
const makeLimitMs = 300_000

/** Why there can be no machine here; undefined when there is one to start. Makes its image if need be. */
export async function whyNoMachine(): Promise<string | undefined> {
  if (process.platform !== 'linux' || process.arch !== 'x64') return 'only on linux x64'
  if (process.getuid?.() !== 0) return 'not root'
  if (Bun.which('systemd-nspawn') === null) return 'no systemd-nspawn (systemd-container)'
  if (existsSync(image)) return undefined
  if (Bun.which('debootstrap') === null) return 'no debootstrap'
  const fresh = `${image}.${process.pid}.tmp`
  mkdirSync(dirname(image), { recursive: true })
  try {
    const made = Bun.spawn(
      ['debootstrap', '--variant=minbase', `--include=${packages}`, 'bookworm', fresh, mirror],
      { stdout: 'ignore', stderr: 'ignore', timeout: makeLimitMs, killSignal: 'SIGKILL' },
    )
    if ((await made.exited) !== 0) return `debootstrap failed or took too long: ${mirror}`
    renameSync(fresh, image)
    return undefined
  } finally {
    rmSync(fresh, { recursive: true, force: true })
  }
}

/** @param shared a folder of this machine that stands there as /shared, to be read */
export async function startMachine(shared: string): Promise<Machine> {
  const container = Bun.spawn([...nspawn, `--bind-ro=${shared}:/shared`], {
    env: { PATH: process.env['PATH'] ?? '', SYSTEMD_NSPAWN_UNIFIED_HIERARCHY: '1' },
    stdin: 'ignore',
    stdout: 'ignore',
    stderr: 'ignore',
    detached: true,
  })
  const started: Subprocess[] = []
  const stop = async (): Promise<void> => {
    for (const process of started) process.kill('SIGKILL')
    container.kill('SIGTERM')
    const late = setTimeout(() => container.kill('SIGKILL'), 10_000)
    await container.exited
    clearTimeout(late)
  }
  const machine = { ...inside(() => leaderOf(container.pid), started), [Symbol.asyncDispose]: stop }
  for (let waited = 0; waited < 600; waited++) {
    if (container.exitCode !== null) break
    if (leaderOf(container.pid) !== undefined) {
      const { stdout } = await machine.run(['systemctl', 'is-system-running'])
      if (/running|degraded/.test(stdout)) return machine
    }
    await Bun.sleep(100)
  }
  await stop()
  throw new Error('the machine did not start')
}

/** Ends with the tests, however they end. Its own filter keeps memory from being locked, and more that the daemon asks for. */
const nspawn = [
  ...['setpriv', '--pdeathsig', 'SIGTERM'],
  'systemd-nspawn',
  '--quiet',
  `--directory=${image}`,
  '--boot',
  '--volatile=overlay',
  '--register=no',
  '--keep-unit',
  '--private-network',
  '--console=pipe',
  '--rlimit=RLIMIT_MEMLOCK=infinity',
  '--capability=all',
  '--system-call-filter=@memlock memfd_secret bpf landlock_create_ruleset landlock_add_rule landlock_restrict_self',
] as const

/** A signal to its whole group, sent inside, must not reach the tests. */
const ownGroup = { detached: true } as const

function inside(
  leader: () => number | undefined,
  started: Subprocess[],
): Omit<Machine, typeof Symbol.asyncDispose> {
  const enter = (command: readonly string[]): string[] => [
    ...['nsenter', '-t', `${leader()}`, '-m', '-p', '-i', '-u', '-n', '-C', '-r', '-w', '--'],
    ...command,
  ]
  const env = {
    PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    HOME: '/root',
  }
  const run = async (command: readonly string[], stdin = ''): Promise<Ran> => {
    const child = Bun.spawn(enter(command), {
      env,
      ...ownGroup,
      stdin: Buffer.from(stdin),
      stdout: 'pipe',
      stderr: 'pipe',
      timeout: 90_000,
      killSignal: 'SIGKILL',
    })
    const [stdout, stderr] = await Promise.all([child.stdout.text(), child.stderr.text()])
    return { status: await child.exited, stdout, stderr }
  }
  return {
    run,
    async shell(line) {
      const { status, stdout, stderr } = await run(['sh', '-ec', line])
      if (status !== 0) throw new Error(`${line}\nstatus ${status}\n${stdout}\n${stderr}`)
      return stdout.trim()
    },
    async write(path, text) {
      const { status, stderr } = await run(['sh', '-c', 'cat > "$1"', 'write', path], text)
      if (status !== 0) throw new Error(stderr)
    },
    start(command) {
      const process = Bun.spawn(enter(command), {
        ...{ env, stdin: 'pipe', stdout: 'pipe', stderr: 'ignore' },
        ...ownGroup,
      })
      started.push(process)
      return process
    },
  }
}

/** The first process of the container: a systemd below nspawn, whose own children may be between. */
function leaderOf(pid: number): number | undefined {
  for (const child of childrenOf(pid)) {
    const found = nameOf(child) === 'systemd' ? child : leaderOf(child)
    if (found !== undefined) return found
  }
  return undefined
}

function childrenOf(pid: number): readonly number[] {
  return readProc(`/proc/${pid}/task/${pid}/children`).trim().split(' ').filter(Boolean).map(Number)
}

function nameOf(pid: number): string {
  return readProc(`/proc/${pid}/comm`).trim()
}

function readProc(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
