import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { FakeTatum } from './fake-tatum.ts'
import { binaryUnderTest } from './script.ts'
import { testPassword } from './test-vault.ts'

export type DaemonProcess = {
  readonly pid: number
  /** The exit status, or the name of the signal that ended it; when both processes are gone. */
  readonly ended: Promise<number | string>
  /** All that was written to stderr so far. */
  said(): string
  kill(signal: NodeJS.Signals): void
}

/** A folder with a copy of `template` in it and a password file; gone at the end of the block. */
export function makeHome(template: string): Disposable & { readonly folder: string } {
  const folder = mkdtempSync(join(tmpdir(), 'kms-daemon-'))
  cpSync(template, folder, { recursive: true })
  writeFileSync(join(folder, 'password'), `${testPassword}\n`, { mode: 0o600 })
  return { folder, [Symbol.dispose]: () => rmSync(folder, { recursive: true }) }
}

/** Starts the daemon on the vault in `folder`, as the leader of a process group of its own. */
export function startDaemon(
  folder: string,
  tatum: Pick<FakeTatum, 'url' | 'apiKey' | 'approverUrl'>,
  args: readonly string[],
  {
    env = {},
    command = [...binaryUnderTest, 'daemon'],
    password = `--password-file=${join(folder, 'password')}`,
  }: {
    readonly env?: Readonly<Record<string, string>>
    readonly command?: readonly string[]
    /** The flag that says where the password comes from. */
    readonly password?: string
  } = {},
): DaemonProcess {
  // All of it, also what Tatum does not have, comes from the sandbox: nothing leaves this machine.
  const urls = {
    TATUM_API_URL: tatum.url,
    TATUM_KMS_VET_URL: tatum.url,
    TATUM_KMS_FLOW_URL: tatum.url,
  }
  const child = Bun.spawn([...command, `--path=${join(folder, 'wallet.dat')}`, password, ...args], {
    cwd: folder,
    env: { HOME: folder, ...urls, TATUM_API_KEY: tatum.apiKey, ...env },
    stdin: 'ignore',
    stdout: 'ignore',
    stderr: 'pipe',
    detached: true,
  })
  let said = ''
  const heard = (async () => {
    const decoder = new TextDecoder()
    for await (const chunk of child.stderr) said += decoder.decode(chunk, { stream: true })
  })()
  return {
    pid: child.pid,
    ended: Promise.all([child.exited, heard]).then(() => child.signalCode ?? child.exitCode ?? -1),
    said: () => said,
    kill: signal => process.kill(child.pid, signal),
  }
}

/** One run to its end. */
export async function runDaemonOnce(
  ...[folder, tatum, args, options]: Parameters<typeof startDaemon>
): Promise<{ readonly status: number | string; readonly said: string }> {
  const daemon = startDaemon(folder, tatum, ['--run-once', ...args], options)
  return { status: await daemon.ended, said: daemon.said() }
}

/** The front of a daemon: its only child. Linux only. */
export function frontOf({ pid }: DaemonProcess): number | undefined {
  const children = readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .filter(name => parentOf(name) === pid)
  return children.length === 1 ? Number(children[0]) : undefined
}

/** Field 4 of proc(5) stat; the name in field 2 may hold anything, so that its end is looked for. */
function parentOf(pid: string): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1])
  } catch {
    return undefined
  }
}

/** Waits until something is so; a test that waits in vain fails with what `explain` says. */
export async function until(
  isSo: () => boolean,
  explain: () => string = () => '',
  limitMs = 10_000,
): Promise<void> {
  for (let waited = 0; !isSo(); waited += 10) {
    if (waited > limitMs) throw new Error(`waited in vain: ${explain()}`)
    await Bun.sleep(10)
  }
}
