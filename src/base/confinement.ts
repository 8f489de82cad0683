import { dirname, resolve } from 'node:path'
import { KmsError } from './errors.ts'
import { setDumpable, setNoCoreDumps } from './native.ts'
import {
  forbidNewCode,
  forbidNewPrivileges,
  landlockVersion,
  limitSpeculation,
  offered,
  type PathRule,
  type Reach,
  refuseCalls,
  restrictReach,
} from './native-confine.ts'
import { isCompiled } from './program.ts'
import type { Refusal } from './seccomp.ts'
import type { Syscall } from './syscall-numbers.ts'
import { readSystemFile } from './system-file.ts'

/** What was to be given up and could not be: `files: the kernel has no Landlock`. */
export type Miss = string

/**
 * The first half, before the process executes this program once more: from then on all of its
 * threads are inside (Landlock holds for the thread that asked).
 */
export function confineReach(reach: Reach): readonly Miss[] {
  return misses({
    'new privileges': forbidNewPrivileges(),
    files: restrictReach(reach),
  })
}

/** The second half, for all threads at once, when what it forbids is not needed any more. */
export function confineCalls(refusals: readonly Refusal[]): readonly Miss[] {
  const found = misses({
    'new privileges': forbidNewPrivileges(),
    'core dumps': setNoCoreDumps() ? undefined : 'the system refuses',
    debuggers: setDumpable(false) ? undefined : 'the system refuses',
    'system calls': refuseCalls(refusals),
  })
  // Not misses: the filter forbids new code as well, and not every processor needs the other.
  forbidNewCode()
  limitSpeculation()
  return found
}

/** With `--require-hardening` a miss ends the process; without, somebody is told. */
export function settleMisses(
  who: string,
  found: readonly Miss[],
  { isRequired, warn }: { readonly isRequired: boolean; readonly warn?: (text: string) => void },
): void {
  if (found.length === 0) return
  const text = `${who} could not be confined: ${[...new Set(found)].join('; ')}`
  if (isRequired) {
    throw new KmsError('confinement', text, {
      hint: 'doctor says what this system offers; --require-hardening asks for all of it',
    })
  }
  warn?.(text)
}

function misses(measures: Readonly<Record<string, string | undefined>>): readonly Miss[] {
  return Object.entries(measures).flatMap(([name, missing]) =>
    missing === undefined ? [] : [`${name}: ${missing}`],
  )
}

/** What this system offers, changing nothing: for `doctor`. */
export function confinementOffered(): ReturnType<typeof offered> & { readonly landlock: number } {
  return { ...offered(), landlock: landlockVersion() }
}

/** What Bun and the C library read whenever this program starts. */
export function pathsOfRuntime(): readonly PathRule[] {
  const libraries = new Set(mappedFiles().map(dirname))
  const run = [process.execPath, ...libraries]
  const read = ['/proc', ...machineFiles, '/dev/urandom', ...loaderFiles]
  return [
    ...run.map(path => ({ path, access: 'run' }) as const),
    ...read.map(path => ({ path, access: 'read' }) as const),
    { path: '/dev/null', access: 'write' },
    ...(isCompiled() ? [] : [{ path: sourceFolder, access: 'read' } as const]),
  ]
}

/** How much memory and how many processors there are for us. */
const machineFiles = [
  '/sys/fs/cgroup',
  '/sys/devices/system/cpu',
  '/sys/kernel/mm/transparent_hugepage',
]
const loaderFiles = ['/etc/ld.so.cache', '/etc/ld-musl-x86_64.path', '/etc/ld-musl-aarch64.path']

/** Libraries stand in different folders on different systems; the ones in use name theirs. */
function mappedFiles(): readonly string[] {
  const maps = readSystemFile('/proc/self/maps') ?? ''
  return [...maps.matchAll(/ (\/\S+\.so(?:\.\d+)*)$/gm)].map(([, path = '']) => path)
}

const sourceFolder = resolve(import.meta.dir, '../..')

const CLONE_THREAD = 0x10000
const PROT_EXEC = 4
const PROT_WRITE_EXEC = 6
const SHM_EXEC = 0o100000
const ENOSYS = 38
/** TIOCSTI types into a terminal, TIOCLINUX pastes into a console (asm-generic/ioctls.h). */
const typingInto = [0x5412, 0x541c]
/** F_SETOWN, F_SETSIG, F_SETOWN_EX: a descriptor signals any process of this user (fcntl(2)). */
const signalsOfFiles = [8, 10, 15]
/** FIOSETOWN, SIOCSPGRP: the same for sockets. */
const signalsOfSockets = [0x8901, 0x8902]

/**
 * Of every process here: no other program, no look into other processes, no new rights, no code
 * that was data before, and nothing by which these could be had in another way (io_uring).
 */
export const commonRefusals: readonly Refusal[] = [
  ...plain('execve', 'execveat', 'fork', 'vfork'),
  { call: 'clone', argument: 0, because: { lacksAll: CLONE_THREAD } },
  // Its flags are in memory, where a filter can't look. The C library then uses clone.
  { call: 'clone3', error: ENOSYS },
  ...plain('ptrace', 'process_vm_readv', 'process_vm_writev', 'process_madvise', 'kcmp'),
  ...plain('pidfd_open', 'pidfd_getfd', 'pidfd_send_signal', 'rt_sigqueueinfo'),
  { call: 'mmap', argument: 2, because: { hasAll: PROT_WRITE_EXEC } },
  { call: 'mprotect', argument: 2, because: { hasAll: PROT_EXEC } },
  { call: 'pkey_mprotect', argument: 2, because: { hasAll: PROT_EXEC } },
  { call: 'shmat', argument: 2, because: { hasAll: SHM_EXEC } },
  // The shell behind an inherited terminal would run what is typed there.
  { call: 'ioctl', argument: 1, because: { isOneOf: [...typingInto, ...signalsOfSockets] } },
  { call: 'fcntl', argument: 1, because: { isOneOf: signalsOfFiles } },
  // Of a process that is named: a limit of 0 ends it.
  { call: 'prlimit64', argument: 0, because: 'isSet' },
  ...plain('personality', 'shmget', 'msgget', 'semget', 'mq_open'),
  ...plain('bpf', 'perf_event_open', 'userfaultfd', 'keyctl', 'add_key', 'request_key'),
  ...(['io_uring_setup', 'io_uring_enter', 'io_uring_register'] as const).map(call => ({
    call,
    error: ENOSYS,
  })),
  ...plain('mount', 'umount2', 'pivot_root', 'chroot', 'unshare', 'setns', 'open_tree'),
  ...plain('move_mount', 'fsopen', 'fsconfig', 'fsmount', 'fspick', 'mount_setattr'),
  ...plain('name_to_handle_at', 'open_by_handle_at', 'fanotify_init'),
  ...plain('init_module', 'finit_module', 'delete_module', 'kexec_load', 'kexec_file_load'),
  ...plain('reboot', 'swapon', 'swapoff', 'acct', 'quotactl', 'syslog', 'vhangup'),
  ...plain('settimeofday', 'clock_settime', 'clock_adjtime', 'adjtimex'),
  ...plain('sethostname', 'setdomainname', 'ioperm', 'iopl', 'modify_ldt'),
]

/** Of processes that have no network: no new socket, and no address or descriptor over an old one. */
export const networkRefusals: readonly Refusal[] = [
  ...plain('socket', 'socketpair', 'connect', 'bind', 'listen', 'accept', 'accept4'),
  ...plain('sendmsg', 'sendmmsg', 'recvmsg', 'recvmmsg'),
  { call: 'sendto', argument: 4, because: 'isSet' },
]

/** Of processes that signal no other one; the runtime stops threads of its own to collect garbage. */
export function signalRefusals(): readonly Refusal[] {
  return [
    { call: 'tgkill', argument: 0, because: { isNot: process.pid } },
    ...plain('tkill', 'rt_tgsigqueueinfo'),
  ]
}

function plain(...calls: readonly Syscall[]): readonly Refusal[] {
  return calls.map(call => ({ call }))
}
