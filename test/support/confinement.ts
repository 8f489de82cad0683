import { join } from 'node:path'
import type { Syscall } from '../../src/base/syscall-numbers.ts'
import type { ConfinedPlan, Outcomes } from './confined-process.ts'

/** A user that is nobody in particular: root may do what others may not. */
export const otherUser = 65_534
export const asOtherUser = [
  'setpriv',
  `--reuid=${otherUser}`,
  `--regid=${otherUser}`,
  '--clear-groups',
] as const

/** Whether tests may become another user, on a system with something to confine by. */
export const canChangeUser = process.platform === 'linux' && process.getuid?.() === 0

/** What neither process does, and what the arguments of `confined-process.ts` make harmless. */
export const foreignCalls = [
  'execve',
  'ptrace',
  'process_vm_readv',
  'process_vm_writev',
  'pidfd_open',
  'kcmp',
  'bpf',
  'perf_event_open',
  'userfaultfd',
  'keyctl',
  'setns',
  'open_by_handle_at',
  'shmget',
] as const satisfies readonly Syscall[]

/** What neither does with a descriptor that it was left, or to a process that it can name. */
export const foreignUses = [
  'type into a terminal',
  'paste into a console',
  'signal by a descriptor',
  'signal by a socket',
  'limit another process',
] as const

export function confinedCommand(plan: ConfinedPlan): readonly string[] {
  return [process.execPath, join(import.meta.dir, 'confined-process.ts'), JSON.stringify(plan)]
}

export async function runConfined(
  plan: ConfinedPlan,
  before: readonly string[],
): Promise<Outcomes> {
  const run = Bun.spawn([...before, ...confinedCommand(plan)], {
    cwd: '/',
    env: {},
    stderr: 'pipe',
    timeout: 20_000,
  })
  const [stdout, stderr] = await Promise.all([run.stdout.text(), run.stderr.text()])
  if ((await run.exited) !== 0) throw new Error(stderr)
  return JSON.parse(stdout)
}
