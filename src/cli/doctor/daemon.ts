import { readSystemFile } from '../../base/system-file.ts'
import type { Context } from '../context.ts'
import { isDaemonRunning } from '../is-daemon-running.ts'
import { readStatus } from '../read-status.ts'
import { type Check, check, type Finding } from './check.ts'

/** What the processes of a daemon that runs have given up, as the kernel tells. */
export function checkDaemon(context: Context): readonly Promise<Check>[] {
  return [check('daemon', () => daemon(context))]
}

/** It tells every few seconds; what it told before it was ended is of other processes. */
const latestMs = 60_000

function daemon(context: Context): Finding {
  if (!isDaemonRunning(context)) return ['ok', 'none runs with this vault']
  const told = readStatus(context)
  if (told === undefined || told.toldAt < context.now() - latestMs) {
    return ['warning', 'one runs, but it has not said lately how it is', 'tatum-kms status']
  }
  if (process.platform !== 'linux') return ['ok', `one runs, version ${told.version}`]
  return confined({
    signer: readSystemFile(`/proc/${told.pid}/status`),
    front: readSystemFile(`/proc/${told.frontPid}/status`),
  })
}

/** @param processes what `/proc/PID/status` says of each (proc(5)) */
export function confined(processes: Readonly<Record<string, string | undefined>>): Finding {
  const hint = '--require-hardening ends a daemon that cannot be confined'
  for (const [name, text] of Object.entries(processes)) {
    if (text === undefined) return ['warning', `one runs, but its ${name} is not to be seen here`]
    if (!/^NoNewPrivs:\s+1$/m.test(text)) {
      return ['warning', `one runs, and its ${name} may gain new privileges`, hint]
    }
    if (!/^Seccomp:\s+2$/m.test(text)) {
      return ['warning', `one runs, and its ${name} may make any system call`, hint]
    }
  }
  return ['ok', 'one runs, confined: no new privileges, system calls filtered']
}
