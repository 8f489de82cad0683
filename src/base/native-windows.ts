import { dlopen, FFIType } from 'bun:ffi'
import { readSync, writeSync } from 'node:fs'
import { KmsError } from './errors.ts'

/** The Windows half of `native.ts`: kernel32, loaded at the first call. */

const { i32, u32, u64, ptr } = FFIType
const pageSize = 4096

/** Private memory between two pages that are reserved and never committed. */
export function mapPrivatePages(length: number): { address: number; length: number } {
  const inner = Math.ceil(length / pageSize) * pageSize
  const base = kernel32().VirtualAlloc(0, inner + 2 * pageSize, MEM_RESERVE, PAGE_NOACCESS)
  const address = Number(base) + pageSize
  if (base === 0n || kernel32().VirtualAlloc(address, inner, MEM_COMMIT, PAGE_READWRITE) === 0n) {
    throw failed('memory', `cannot reserve ${length} bytes of memory`)
  }
  return { address, length: inner }
}

export function lockPages(address: number, length: number): string | undefined {
  growWorkingSet(length)
  if (kernel32().VirtualLock(address, length) !== 0) return undefined
  return `VirtualLock of ${length} bytes failed (error ${kernel32().GetLastError()})`
}

/** A process may lock no more than its minimum working set, about 200 KiB to begin with. */
function growWorkingSet(length: number): void {
  const sizes = new BigUint64Array(2)
  const self = kernel32().GetCurrentProcess()
  const [least, most] = [sizes.subarray(0, 1), sizes.subarray(1)]
  if (kernel32().GetProcessWorkingSetSize(self, least, most) === 0) return
  const more = BigInt(length + 2 * pageSize)
  kernel32().SetProcessWorkingSetSize(self, (least[0] ?? 0n) + more, (most[0] ?? 0n) + more)
}

export function zeroMemory(address: number, length: number): void {
  kernel32().RtlZeroMemory(address, length)
}

export function openUnshared(path: string): (() => void) | undefined {
  const access = GENERIC_READ | GENERIC_WRITE
  const handle = kernel32().CreateFileW(wide(path), access >>> 0, 0, null, OPEN_ALWAYS, 0, 0)
  if (handle !== INVALID_HANDLE) return () => void kernel32().CloseHandle(handle)
  if (kernel32().GetLastError() === ERROR_SHARING_VIOLATION) return undefined
  throw failed('disk', 'cannot open a lock file')
}

/** Echo of the console this process reads from. Ctrl-C still ends the process: it owns no terminal. */
export function turnEchoOff(): () => void {
  const input = kernel32().GetStdHandle(STD_INPUT_HANDLE)
  const mode = new Uint32Array(1)
  if (kernel32().GetConsoleMode(input, mode) === 0) {
    throw failed('usage', 'not a terminal to ask at')
  }
  const saved = mode[0] ?? 0
  kernel32().SetConsoleMode(input, (saved & ~ENABLE_ECHO_INPUT) | ENABLE_LINE_INPUT)
  return () => void kernel32().SetConsoleMode(input, saved)
}

/** Bun reads straight into the view, here as elsewhere. */
export function readInto(fd: number, into: Uint8Array): number {
  return readSync(fd, into)
}

export function writeOut(fd: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at)
}

/** There is no block to blank on Windows: the variable goes from the process environment. */
export function overwriteEnvironment(name: string): boolean {
  return kernel32().SetEnvironmentVariableW(wide(name), null) !== 0
}

/** No error dialog and no crash report. */
export function setNoCoreDumps(): boolean {
  kernel32().SetErrorMode(SEM_FAILCRITICALERRORS | SEM_NOGPFAULTERRORBOX | SEM_NOOPENFILEERRORBOX)
  return true
}

const MEM_COMMIT = 0x1000
const MEM_RESERVE = 0x2000
const PAGE_NOACCESS = 1
const PAGE_READWRITE = 4
const GENERIC_READ = 0x80000000
const GENERIC_WRITE = 0x40000000
const OPEN_ALWAYS = 4
const INVALID_HANDLE = 0xffffffffffffffffn
const ERROR_SHARING_VIOLATION = 32
const STD_INPUT_HANDLE = 0xfffffff6
const ENABLE_LINE_INPUT = 2
const ENABLE_ECHO_INPUT = 4
const SEM_FAILCRITICALERRORS = 1
const SEM_NOGPFAULTERRORBOX = 2
const SEM_NOOPENFILEERRORBOX = 0x8000

function failed(code: 'memory' | 'disk' | 'usage', message: string): KmsError {
  return new KmsError(code, `${message} (error ${kernel32().GetLastError()})`)
}

function wide(text: string): Uint8Array {
  if (text.includes('\0')) throw new KmsError('usage', 'a text for the system holds a zero byte')
  return Buffer.from(`${text}\0`, 'utf16le')
}

function openKernel32() {
  return dlopen('kernel32.dll', {
    CloseHandle: { args: [u64], returns: i32 },
    CreateFileW: { args: [ptr, u32, u32, ptr, u32, u32, u64], returns: u64 },
    GetConsoleMode: { args: [u64, ptr], returns: i32 },
    GetCurrentProcess: { args: [], returns: u64 },
    GetLastError: { args: [], returns: u32 },
    GetProcessWorkingSetSize: { args: [u64, ptr, ptr], returns: i32 },
    GetStdHandle: { args: [u32], returns: u64 },
    RtlZeroMemory: { args: [u64, u64], returns: FFIType.void },
    SetConsoleMode: { args: [u64, u32], returns: i32 },
    SetEnvironmentVariableW: { args: [ptr, ptr], returns: i32 },
    SetErrorMode: { args: [u32], returns: u32 },
    SetProcessWorkingSetSize: { args: [u64, u64, u64], returns: i32 },
    VirtualAlloc: { args: [u64, u64, u32, u32], returns: u64 },
    VirtualLock: { args: [u64, u64], returns: i32 },
  }).symbols
}

let loaded: ReturnType<typeof openKernel32> | undefined
function kernel32(): ReturnType<typeof openKernel32> {
  loaded ??= openKernel32()
  return loaded
}
