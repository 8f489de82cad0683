import { closeSync, constants, openSync } from 'node:fs'
import { isatty } from 'node:tty'

/** The only place that starts processes: what a child gets of us is decided here. */

export type Environment = Readonly<Record<string, string>>

/**
 * Starts a child that writes where this process does, and finds `channel` as its descriptor 3. From a
 * terminal it cannot read: what a person types there is not meant for it.
 */
export function startChild(
  command: readonly string[],
  environment: Environment,
  channel: number,
): number {
  const outputs = [1, 2].map(writeOnly)
  const [stdout = 'inherit', stderr = 'inherit'] = outputs
  const { pid } = Bun.spawn([...command], {
    stdio: ['ignore', stdout, stderr, channel],
    env: { ...environment },
  })
  for (const fd of outputs) if (fd !== undefined) closeSync(fd)
  return pid
}

/** Undefined where it must be inherited: it is no terminal, or not to be opened by this user. */
function writeOnly(fd: number): number | undefined {
  if (process.platform !== 'linux' || !isatty(fd)) return undefined
  try {
    return openSync(`/proc/self/fd/${fd}`, constants.O_WRONLY | constants.O_NOCTTY)
  } catch {
    return undefined
  }
}

export type ChildEnd = {
  /** Undefined when a signal ended it. */
  readonly status: number | undefined
  readonly isLate: boolean
  /** What it wrote to stderr. */
  readonly said: string
}

/** Asks a child over its stdin, and hears what it says to stdout: nothing secret may be in that. */
export function askChild(
  command: readonly string[],
  environment: Environment,
  { question, timeoutMs }: { readonly question: Uint8Array; readonly timeoutMs: number },
): ChildEnd & { readonly answer: string } {
  const run = Bun.spawnSync([...command], {
    stdio: [question, 'pipe', 'pipe'],
    env: { ...environment },
    timeout: timeoutMs,
    killSignal: 'SIGKILL',
  })
  return { ...endOf(run), answer: run.stdout.toString() }
}

/**
 * Runs a child to its end while this process does nothing else. It writes its answer to the pipe
 * `stdout`, which is never read here: what must not lie in the heap does not get there.
 */
export function runChild(
  command: readonly string[],
  environment: Environment,
  { stdout, timeoutMs }: { readonly stdout: number; readonly timeoutMs: number },
): ChildEnd {
  const run = Bun.spawnSync([...command], {
    stdio: ['ignore', stdout, 'pipe'],
    env: { ...environment },
    timeout: timeoutMs,
    killSignal: 'SIGKILL',
  })
  return endOf(run)
}

type Run = Pick<Bun.SyncSubprocess, 'signalCode' | 'exitCode' | 'exitedDueToTimeout'> & {
  readonly stderr: Buffer
}

function endOf({ signalCode, exitCode, exitedDueToTimeout, stderr }: Run): ChildEnd {
  return {
    status: signalCode === undefined ? exitCode : undefined,
    isLate: exitedDueToTimeout === true,
    said: stderr.toString(),
  }
}

export type ToolEnd = { readonly status: number; readonly answer: string; readonly said: string }

/**
 * Runs a program of the system to its end, found where only root puts any; it reads what is open at
 * `stdin`. A program that is not there has status 127.
 */
export function runTool(command: readonly string[], stdin: number | 'ignore' = 'ignore'): ToolEnd {
  try {
    const run = Bun.spawnSync([...command], {
      stdio: [stdin, 'pipe', 'pipe'],
      env: { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', LANG: 'C' },
    })
    return { status: run.exitCode, answer: run.stdout.toString(), said: run.stderr.toString() }
  } catch {
    return { status: 127, answer: '', said: '' }
  }
}
