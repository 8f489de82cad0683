import { closeSync, constants, openSync, readFileSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { until } from './daemon-process.ts'
import { binaryUnderTest } from './script.ts'

/**
 * Runs a command whose answer nobody reads, until it hangs in writing it: the last moment of its
 * life at which its memory can be looked at. Killed at the end of the block.
 */
export async function runUntilItAnswers(
  folder: string,
  args: readonly string[],
  stdin: string,
  env: Readonly<Record<string, string>> = {},
): Promise<AsyncDisposable & { readonly pid: number }> {
  const pipe = join(folder, 'full-pipe')
  if (Bun.spawnSync(['mkfifo', pipe]).exitCode !== 0) throw new Error('no mkfifo')
  const reader = openSync(pipe, constants.O_RDWR | constants.O_NONBLOCK)
  fill(reader)
  const stdout = openSync(pipe, constants.O_WRONLY)
  const child = Bun.spawn([...binaryUnderTest, ...args], {
    cwd: folder,
    env: { HOME: folder, ...env },
    stdin: new Blob([stdin]),
    stdout,
    stderr: 'pipe',
  })
  closeSync(stdout)
  const stop = async (): Promise<void> => {
    child.kill('SIGKILL')
    await child.exited
    closeSync(reader)
    rmSync(pipe)
  }
  try {
    await until(() => isWriting(child.pid) || child.exitCode !== null)
    if (child.exitCode !== null) throw new Error(await new Response(child.stderr).text())
  } catch (fault) {
    await stop()
    throw fault
  }
  return { pid: child.pid, [Symbol.asyncDispose]: stop }
}

function fill(fd: number): void {
  const page = new Uint8Array(4096)
  try {
    for (;;) writeSync(fd, page)
  } catch {
    // EAGAIN: not one byte more fits in.
  }
}

/** proc(5) syscall: the number of the call and its arguments; write(2) is 1 on x86-64, 64 on arm64. */
function isWriting(pid: number): boolean {
  try {
    return /^(1|64) 0x1 /.test(readFileSync(`/proc/${pid}/syscall`, 'latin1'))
  } catch {
    return false
  }
}
