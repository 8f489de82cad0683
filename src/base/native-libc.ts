import { dlopen, type FFIFunction, FFIType, ptr as pointerTo, read } from 'bun:ffi'
import { type ErrorCode, KmsError } from './errors.ts'

/** The C library of Linux (glibc or musl) and macOS, loaded at the first call. */

const { i32, u32, i64, u64, ptr } = FFIType

export const libc = once(() =>
  load({
    accept: { args: [i32, ptr, ptr], returns: i32 },
    clock_gettime: { args: [i32, ptr], returns: i32 },
    close: { args: [i32], returns: i32 },
    connect: { args: [i32, ptr, u32], returns: i32 },
    execve: { args: [ptr, u64, u64], returns: i32 },
    flock: { args: [i32, i32], returns: i32 },
    ftruncate: { args: [i32, i64], returns: i32 },
    getenv: { args: [ptr], returns: u64 },
    getpagesize: { args: [], returns: i32 },
    getpid: { args: [], returns: i32 },
    getsockopt: { args: [i32, i32, i32, ptr, ptr], returns: i32 },
    ioctl: { args: [i32, u64], returns: i32 },
    madvise: { args: [u64, u64, i32], returns: i32 },
    memset: { args: [u64, i32, u64], returns: u64 },
    mlock: { args: [u64, u64], returns: i32 },
    mmap: { args: [u64, u64, i32, i32, i32, i64], returns: i64 },
    mprotect: { args: [u64, u64, i32], returns: i32 },
    pipe: { args: [ptr], returns: i32 },
    poll: { args: [ptr, u64, i32], returns: i32 },
    read: { args: [i32, u64, u64], returns: i64 },
    sendto: { args: [i32, ptr, u64, i32, ptr, u32], returns: i64 },
    sigaction: { args: [i32, ptr, ptr], returns: i32 },
    setrlimit: { args: [i32, ptr], returns: i32 },
    socket: { args: [i32, i32, i32], returns: i32 },
    socketpair: { args: [i32, i32, i32, ptr], returns: i32 },
    strlen: { args: [u64], returns: u64 },
    tcgetattr: { args: [i32, ptr], returns: i32 },
    tcsetattr: { args: [i32, i32, ptr], returns: i32 },
    waitpid: { args: [i32, ptr, i32], returns: i32 },
    write: { args: [i32, ptr, u64], returns: i64 },
  }),
)

export const linux = once(() =>
  load({
    __errno_location: { args: [], returns: ptr },
    prctl: { args: [i32, u64, u64, u64, u64], returns: i32 },
    syscall: { args: [i64, u64], returns: i64 },
  }),
)

const systemCall = once(() =>
  load({ syscall: { args: [i64, u64, u64, u64, u64, u64], returns: i64 } }),
)

/** syscall(2), for calls that the C library has no function for; bytes go in by their address. */
export function callKernel(number: number, ...args: readonly (number | Uint8Array)[]): number {
  return lendAddresses(
    args.filter(arg => typeof arg !== 'number'),
    () => {
      const [a = 0, b = 0, c = 0, d = 0, e = 0] = args.map(arg =>
        typeof arg === 'number' ? arg : pointerTo(arg),
      )
      return Number(systemCall().syscall(number, a, b, c, d, e))
    },
  )
}

/** Where `bytes` stand, for a structure that points to them; good until `work` is done. */
export function lendAddress<T>(bytes: Uint8Array, work: (address: number) => T): T {
  return lendAddresses([bytes], () => work(pointerTo(bytes)))
}

/** The collector sees no use in an address: what has one lent is held here meanwhile. */
const lent = new Set<Uint8Array>()

function lendAddresses<T>(all: readonly Uint8Array[], work: () => T): T {
  for (const bytes of all) lent.add(bytes)
  try {
    return work()
  } finally {
    for (const bytes of all) lent.delete(bytes)
  }
}

export const mac = once(() =>
  load({
    __error: { args: [], returns: ptr },
    ptrace: { args: [i32, i32, u64, i32], returns: i32 },
  }),
)

/** Why the last call failed. To be asked at once: the runtime makes system calls of its own. */
export function errno(): number {
  const place = process.platform === 'darwin' ? mac().__error() : linux().__errno_location()
  return typeof place === 'number' ? read.i32(place) : 0
}

/** The fault for a failed call, with the system's own number of the reason. */
export function callFailed(code: ErrorCode, message: string, reason = errno()): KmsError {
  return new KmsError(code, `${message} (errno ${reason})`)
}

export function cString(text: string): Uint8Array {
  if (text.includes('\0')) throw new KmsError('usage', 'a text for the system holds a zero byte')
  return Buffer.from(`${text}\0`)
}

function load<Functions extends Record<string, FFIFunction>>(functions: Functions) {
  for (const name of libraryNames()) {
    try {
      return dlopen(name, functions).symbols
    } catch {
      // The next name: glibc and musl go by different ones.
    }
  }
  throw new KmsError('unexpected', 'cannot load the C library')
}

function libraryNames(): readonly string[] {
  if (process.platform === 'darwin') return ['libSystem.B.dylib']
  return ['libc.so.6', `libc.musl-${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}.so.1`]
}

function once<T>(make: () => T): () => T {
  let made: T | undefined
  return () => {
    made ??= make()
    return made
  }
}
