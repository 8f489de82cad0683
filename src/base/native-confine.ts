import { closeSync, constants, openSync, statSync } from 'node:fs'
import { callKernel, errno, lendAddress, linux } from './native-libc.ts'
import { buildFilter, type Machine, type Refusal } from './seccomp.ts'
import { type Syscall, syscallNumbers } from './syscall-numbers.ts'

/**
 * What a Linux process can give up for good. Every function answers why the kernel refused, undefined
 * when it obeyed: a kernel without it is no fault. Elsewhere they all answer that there is no such thing.
 */

type Refused = string | undefined

/** A set-user-ID program that is executed gains nothing; the kernel wants it for all that follows. */
export function forbidNewPrivileges(): Refused {
  return control(38 /* PR_SET_NO_NEW_PRIVS */, 1)
}

/** Memory that is writable never becomes executable. To be called late: the JIT has its memory then. */
export function forbidNewCode(): Refused {
  return control(65 /* PR_SET_MDWE */, 1 /* PR_MDWE_REFUSE_EXEC_GAIN */)
}

/** Speculative reads of memory that this process may not read: store bypass, then indirect branches. */
export function limitSpeculation(): Refused {
  const forceDisable = 8 // PR_SPEC_FORCE_DISABLE
  const [bypass, branches] = [0, 1].map(kind => control(53, kind, forceDisable))
  return bypass ?? branches
}

/** seccomp(2): all threads of this process, and those they start, get these refusals for ever. */
export function refuseCalls(refusals: readonly Refusal[]): Refused {
  const machine = machineOf()
  if (machine === undefined) return notHere()
  const filter = buildFilter(machine, refusals)
  const program = new Uint8Array(16) // struct sock_fprog { u16 length; struct sock_filter *filter }
  const fields = new DataView(program.buffer)
  fields.setUint16(0, filter.length / 8, true)
  const allThreads = 1 // SECCOMP_FILTER_FLAG_TSYNC
  return lendAddress(filter, address => {
    fields.setBigUint64(8, BigInt(address), true)
    return kernel('seccomp', 1 /* SECCOMP_SET_MODE_FILTER */, allThreads, program)
  })
}

/** A file, or a folder with all that is in it, and what may be done there. */
export type PathRule = {
  readonly path: string
  /** `write` is reading, too, and making and removing files; `run` is executing and reading. */
  readonly access: 'read' | 'run' | 'write'
}

export type Reach = {
  readonly paths: readonly PathRule[]
  readonly connectPorts: readonly number[]
  readonly listenPorts: readonly number[]
  /** Processes outside of this one's confinement that it may still signal. */
  readonly signals: 'any' | 'own'
}

/** Landlock(7). The version says how much of it there is; 0 is none. */
export function landlockVersion(): number {
  if (machineOf() === undefined) return 0
  const version = callKernel(numberOf('landlock_create_ruleset'), 0, 0, 1)
  return Math.max(0, version)
}

/**
 * Landlock: files outside of `paths` can't be opened, nor, from version 4 on, other TCP ports be used.
 * It holds for this thread and what it starts: only an execve after it confines all of a process.
 * Paths that are not there are left out.
 */
export function restrictReach({ paths, connectPorts, listenPorts, signals }: Reach): Refused {
  const version = landlockVersion()
  if (version === 0) return machineOf() === undefined ? notHere() : 'the kernel has no Landlock'
  const rules = createRules(version, signals)
  if (typeof rules === 'string') return rules
  try {
    for (const rule of paths) {
      const refused = addPath(rules, rule, version)
      if (refused !== undefined) return refused
    }
    if (version >= 4) {
      for (const port of listenPorts) addPort(rules, port, net.bind)
      for (const port of connectPorts) addPort(rules, port, net.connect)
    }
    return kernel('landlock_restrict_self', rules, 0)
  } finally {
    closeSync(rules)
  }
}

/** LANDLOCK_ACCESS_FS_*, LANDLOCK_ACCESS_NET_*, LANDLOCK_SCOPE_* (linux/landlock.h) */
const fs = {
  execute: 1n << 0n,
  writeFile: 1n << 1n,
  readFile: 1n << 2n,
  readFolder: 1n << 3n,
  removeFile: 1n << 5n,
  makeFile: 1n << 8n,
  makeSocket: 1n << 9n,
  truncate: 1n << 14n,
} as const
const net = { bind: 1n, connect: 2n } as const
const scope = { abstractSockets: 1n, signals: 2n } as const

/** How many of the LANDLOCK_ACCESS_FS_* bits a version knows. */
function knownAccess(version: number): bigint {
  const bits = version >= 5 ? 16n : version >= 3 ? 15n : version === 2 ? 14n : 13n
  return (1n << bits) - 1n
}

function createRules(version: number, signals: Reach['signals']): number | string {
  const scoped = scope.abstractSockets | (signals === 'own' ? scope.signals : 0n)
  const words = [knownAccess(version), net.bind | net.connect, scoped]
  const length = version >= 6 ? 3 : version >= 4 ? 2 : 1
  const attributes = new Uint8Array(new BigUint64Array(words.slice(0, length)).buffer)
  const fd = callKernel(numberOf('landlock_create_ruleset'), attributes, attributes.length, 0)
  return fd < 0 ? failure() : fd
}

const folderAccess = {
  read: fs.readFile | fs.readFolder,
  run: fs.readFile | fs.readFolder | fs.execute,
  write:
    fs.readFile |
    fs.readFolder |
    fs.writeFile |
    fs.removeFile |
    fs.makeFile |
    fs.makeSocket |
    fs.truncate,
} as const
const ofFiles = fs.execute | fs.writeFile | fs.readFile | fs.truncate

function addPath(rules: number, { path, access }: PathRule, version: number): Refused {
  const fd = openPath(path)
  if (fd === undefined) return undefined
  try {
    const known = knownAccess(version) & (statSync(path).isDirectory() ? ~0n : ofFiles)
    const rule = new Uint8Array(12) // struct landlock_path_beneath_attr { u64 access; s32 fd }
    const fields = new DataView(rule.buffer)
    fields.setBigUint64(0, folderAccess[access] & known, true)
    fields.setInt32(8, fd, true)
    return kernel('landlock_add_rule', rules, 1 /* LANDLOCK_RULE_PATH_BENEATH */, rule, 0)
  } finally {
    closeSync(fd)
  }
}

const O_PATH = 0x200000

function openPath(path: string): number | undefined {
  try {
    return openSync(path, O_PATH | constants.O_RDONLY)
  } catch {
    return undefined
  }
}

function addPort(rules: number, port: number, access: bigint): void {
  const rule = new Uint8Array(new BigUint64Array([access, BigInt(port)]).buffer)
  kernel('landlock_add_rule', rules, 2 /* LANDLOCK_RULE_NET_PORT */, rule, 0)
}

/** Whether the kernel knows of these at all, for `doctor`; nothing is changed. */
export function offered(): {
  readonly seccomp: boolean
  readonly newCode: boolean
  readonly speculation: boolean
} {
  const { prctl } = linux()
  const refuse = new Uint8Array(new Uint32Array([0x00050000]).buffer)
  return {
    seccomp: kernel('seccomp', 2 /* SECCOMP_GET_ACTION_AVAIL */, 0, refuse) === undefined,
    newCode: prctl(66 /* PR_GET_MDWE */, 0, 0, 0, 0) >= 0,
    // Bit 0: it can be chosen for a process.
    speculation: (prctl(52 /* PR_GET_SPECULATION_CTRL */, 0, 0, 0, 0) & 1) === 1,
  }
}

function control(option: number, ...args: readonly [number, number?]): Refused {
  if (process.platform !== 'linux') return notHere()
  return linux().prctl(option, args[0], args[1] ?? 0, 0, 0) === 0 ? undefined : failure()
}

function kernel(call: Syscall, ...args: readonly (number | Uint8Array)[]): Refused {
  return callKernel(numberOf(call), ...args) === 0 ? undefined : failure()
}

function failure(): string {
  return `the kernel refuses (errno ${errno()})`
}

function machineOf(): Machine | undefined {
  if (process.platform !== 'linux') return undefined
  return process.arch === 'x64' || process.arch === 'arm64' ? process.arch : undefined
}

function numberOf(call: Syscall): number {
  const [x64, arm64] = syscallNumbers[call]
  return (process.arch === 'arm64' ? arm64 : x64) ?? -1
}

function notHere(): string {
  return `${process.platform} has no such thing`
}
