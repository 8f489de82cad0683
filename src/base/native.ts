import { readFileSync } from 'node:fs'
import { callFailed, cString, errno, libc, linux, mac } from './native-libc.ts'
import { mapPrivatePages, viewMemory, zeroMemory } from './native-memory.ts'
import * as windows from './native-windows.ts'

/**
 * What the operating system can do and Bun cannot. The native calls of the program are all made here
 * and in the files native-*.ts; nothing is loaded before the first one.
 */

const onMac = process.platform === 'darwin'
const onLinux = process.platform === 'linux'
const onWindows = process.platform === 'win32'

const EINTR = 4
const EAGAIN = onMac ? 35 : 11
const AF_UNIX = 1

/**
 * Takes the advisory lock of an open file; false when `nonblocking` and somebody else has it. It
 * goes with the descriptor. On Windows there is `openUnshared` instead.
 */
export function flockFd(fd: number, kind: 'exclusive' | 'shared', nonblocking: boolean): boolean {
  const operation = (kind === 'exclusive' ? 2 : 1) | (nonblocking ? 4 : 0)
  while (libc().flock(fd, operation) !== 0) {
    const reason = errno()
    if (reason === EAGAIN) return false
    if (reason !== EINTR) throw callFailed('disk', 'cannot lock a file', reason)
  }
  return true
}

/** Windows: opens a file nobody else has open, and answers what closes it; undefined when one has. */
export const openUnshared = windows.openUnshared

/**
 * Hides what is typed at the terminal `fd`, and answers what puts it back as it was. Ctrl-C does not
 * signal meanwhile: it ends the line with byte 3, so that the reader can restore the terminal first.
 */
export function turnEchoOff(fd: number): () => void {
  if (onWindows) return windows.turnEchoOff()
  const saved = new Uint8Array(128)
  if (libc().tcgetattr(fd, saved) !== 0) throw callFailed('usage', 'not a terminal to ask at')
  const hidden = saved.slice()
  const fields = new DataView(hidden.buffer)
  const { lflag, echo, echoNewline, lines, signals, endOfLine } = termios
  const flags = fields.getUint32(lflag, true)
  fields.setUint32(lflag, (flags & ~(echo | signals)) | echoNewline | lines, true)
  hidden[endOfLine] = 3
  const apply = (settings: Uint8Array) => {
    if (libc().tcsetattr(fd, 2 /* TCSAFLUSH */, settings) !== 0) {
      throw callFailed('unexpected', 'cannot change the terminal')
    }
  }
  apply(hidden)
  return () => apply(saved)
}

/** struct termios: where c_lflag and c_cc[VEOL] stand, and ECHO, ECHONL, ICANON, ISIG. */
const termios = onMac
  ? { lflag: 24, echo: 8, echoNewline: 0x10, lines: 0x100, signals: 0x80, endOfLine: 33 }
  : { lflag: 12, echo: 8, echoNewline: 0x40, lines: 2, signals: 1, endOfLine: 28 }

/** read(2) straight into memory: how many bytes came, 0 at the end. Waits even on a non-blocking fd. */
export function readInto(fd: number, address: number, length: number): number {
  if (onWindows) return windows.readInto(fd, viewMemory(address, length))
  for (;;) {
    const count = Number(libc().read(fd, address, length))
    if (count >= 0) return count
    waitOrFail(fd, 1 /* POLLIN */, 'cannot read an open file')
  }
}

/** Waits until `fd` can be read, at most so long, and no longer than until a signal comes. */
export function awaitInput(fd: number, milliseconds: number): boolean {
  if (onWindows) return true
  return libc().poll(new Int32Array([fd, 1 /* POLLIN */]), 1, milliseconds) > 0
}

/** write(2) of all of it, straight from where it lies. Waits even on a non-blocking fd. */
export function writeOut(fd: number, bytes: Uint8Array): void {
  if (onWindows) {
    windows.writeOut(fd, bytes)
    return
  }
  for (let rest = bytes; rest.length > 0; ) {
    const count = Number(libc().write(fd, rest, rest.length))
    if (count >= 0) rest = rest.subarray(count)
    else waitOrFail(fd, 4 /* POLLOUT */, 'cannot write to an open file')
  }
}

/** After a call that moved nothing: interrupted, not ready yet, or failed. */
function waitOrFail(fd: number, event: number, message: string): void {
  const reason = errno()
  if (reason === EINTR) return
  if (reason !== EAGAIN) throw callFailed('unexpected', message, reason)
  // struct pollfd { int fd; short events; short revents }
  libc().poll(new Int32Array([fd, event]), 1, -1)
}

/**
 * Blanks the value of `name` where the kernel shows it (/proc/PID/environ, `ps e`); true when it was
 * there. Deleting the variable does not do that, and this does not delete it.
 */
export function overwriteEnvironment(name: string): boolean {
  if (onWindows) return windows.overwriteEnvironment(name)
  if (onMac) return blankCopyOf(name)
  const stat = readFileSync('/proc/self/stat', 'latin1')
  // proc(5): env_start and env_end are fields 50 and 51; what follows the name starts at field 3.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const start = Number(fields[50 - 3])
  const block = viewMemory(start, Number(fields[51 - 3]) - start)
  const wanted = Buffer.from(`${name}=`)
  let found = false
  for (let at = 0; at < block.length; ) {
    const next = block.indexOf(0, at)
    const end = next === -1 ? block.length : next
    if (wanted.equals(block.subarray(at, at + wanted.length))) {
      block.fill(0, at + wanted.length, end)
      found = true
    }
    at = end + 1
  }
  return found
}

function blankCopyOf(name: string): boolean {
  const value = Number(libc().getenv(cString(name)))
  if (value === 0) return false
  zeroMemory(value, Number(libc().strlen(value)))
  return true
}

/** Two connected stream sockets; neither outlives an exec unless `setCloseOnExec` lets it. */
export function socketPair(): readonly [number, number] {
  const fds = new Int32Array(2)
  if (libc().socketpair(AF_UNIX, 1 /* SOCK_STREAM */, 0, fds) !== 0) {
    throw callFailed('unexpected', 'cannot make a pair of sockets')
  }
  return closedOnExec(fds)
}

/** The end to read from, then the end to write to; neither outlives an exec. */
export function pipe(): readonly [number, number] {
  const fds = new Int32Array(2)
  if (libc().pipe(fds) !== 0) throw callFailed('unexpected', 'cannot make a pipe')
  return closedOnExec(fds)
}

function closedOnExec([first = -1, second = -1]: Int32Array): readonly [number, number] {
  setCloseOnExec(first, true)
  setCloseOnExec(second, true)
  return [first, second]
}

/** Says whether the program started by `execve` gets the descriptor. */
export function setCloseOnExec(fd: number, closes: boolean): void {
  // Not fcntl: its variadic argument travels on the stack on Apple's arm64, where FFI puts none.
  const [close, keep] = onMac ? [0x20006601, 0x20006602] : [0x5451, 0x5450] // FIOCLEX, FIONCLEX
  if (libc().ioctl(fd, closes ? close : keep) === 0) return
  throw callFailed('unexpected', 'cannot say what becomes of a descriptor')
}

/** Becomes another program under the same process id. Returns only by throwing. */
export function execve(
  path: string,
  argv: readonly string[],
  env: Readonly<Record<string, string>>,
): never {
  const variables = Object.entries(env).map(([name, value]) => `${name}=${value}`)
  libc().execve(cString(path), stringTable(argv), stringTable(variables))
  throw callFailed('unexpected', 'cannot start this program again')
}

/** `char *const table[]` in memory of its own, where no garbage collection can take the texts away. */
function stringTable(texts: readonly string[]): number {
  const strings = texts.map(cString)
  let at = 8 * (strings.length + 1)
  const { address, length } = mapPrivatePages(strings.reduce((sum, text) => sum + text.length, at))
  const bytes = viewMemory(address, length)
  const table = new DataView(bytes.buffer)
  for (const [i, text] of strings.entries()) {
    table.setBigUint64(8 * i, BigInt(address + at), true)
    bytes.set(text, at)
    at += text.length
  }
  return address
}

export type Ending = { readonly code: number } | { readonly signal: number }

/** How a child ended; waits for it. */
export function waitPid(pid: number): Ending {
  for (;;) {
    const ending = reap(pid, 0)
    if (ending !== undefined) return ending
  }
}

/** How a child ended; undefined while it runs. */
export function pollPid(pid: number): Ending | undefined {
  return reap(pid, 1 /* WNOHANG */)
}

function reap(pid: number, options: number): Ending | undefined {
  const status = new Int32Array(1)
  const ended = libc().waitpid(pid, status, options)
  if (ended === 0) return undefined
  if (ended !== pid) {
    const reason = errno()
    if (reason === EINTR) return undefined
    throw callFailed('unexpected', 'cannot wait for a child process', reason)
  }
  const [word = 0] = status
  const signal = word & 0x7f // wait(2): WTERMSIG, WEXITSTATUS
  return signal === 0 ? { code: (word >> 8) & 0xff } : { signal }
}

/** Whether debuggers and /proc may look into this process. Answers whether the system obeyed. */
export function setDumpable(dumpable: boolean): boolean {
  if (onLinux) return linux().prctl(4 /* PR_SET_DUMPABLE */, dumpable ? 1 : 0, 0, 0, 0) === 0
  if (onMac && !dumpable) return mac().ptrace(31 /* PT_DENY_ATTACH */, 0, 0, 0) === 0
  return false
}

/** A crash leaves no memory image behind. Answers whether the system obeyed. */
export function setNoCoreDumps(): boolean {
  if (onWindows) return windows.setNoCoreDumps()
  if (libc().setrlimit(4 /* RLIMIT_CORE */, new BigUint64Array([0n, 0n])) === 0) return true
  // A service's filter refuses the call where the service has no core dumps to begin with.
  return onLinux && /^Max core file size +0 +0 /m.test(readFileSync('/proc/self/limits', 'latin1'))
}

/** CLOCK_MONOTONIC in microseconds, the same in all processes. Linux only. */
export function monotonicMicroseconds(): bigint {
  const time = new BigInt64Array(2) // struct timespec
  libc().clock_gettime(1, time)
  const [seconds = 0n, nanoseconds = 0n] = time
  return seconds * 1_000_000n + nanoseconds / 1_000n
}
