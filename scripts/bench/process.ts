import { readdirSync, readFileSync } from 'node:fs'

export const binary = process.env['TATUM_KMS_BINARY'] ?? `${import.meta.dir}/../../dist/tatum-kms`

type Run = { readonly home: string; readonly env?: Readonly<Record<string, string>> }

/** Runs a program to its end; answers the milliseconds that took. */
export function wallTime(command: readonly string[], { home, env }: Run): number {
  const startedAt = Bun.nanoseconds()
  const run = Bun.spawnSync([...command], { env: { HOME: home, ...env }, stderr: 'pipe' })
  const ms = (Bun.nanoseconds() - startedAt) / 1e6
  if (run.exitCode === 0) return ms
  throw new Error(`${command.slice(0, 2).join(' ')} ended with ${run.exitCode}: ${run.stderr}`)
}

/**
 * The highest VmHWM in MB that is seen until the process is gone (proc(5)), in a run of its own. Not
 * the maxRSS that wait4 answers: a child that comes from vfork starts there with its parent's peak.
 */
export async function peakMemory(command: readonly string[], { home, env }: Run): Promise<number> {
  const run = Bun.spawn([...command], {
    env: { HOME: home, ...env },
    stdout: 'ignore',
    stderr: 'ignore',
  })
  let peakMb = 0
  for (let seen = statusOf(run.pid, 'VmHWM'); seen !== undefined; ) {
    peakMb = seen
    seen = statusOf(run.pid, 'VmHWM')
    await Bun.sleep(0)
  }
  await run.exited
  return peakMb
}

/** A size in a process's status, in MB; undefined once it has ended. */
export function statusOf(pid: number, name: 'VmHWM' | 'VmRSS'): number | undefined {
  return sizeIn(`/proc/${pid}/status`, name)
}

/** Its share of memory, what it has in common with others being divided by their number, in MB. */
export function pssOf(pid: number): number | undefined {
  return sizeIn(`/proc/${pid}/smaps_rollup`, 'Pss')
}

function sizeIn(file: string, name: string): number | undefined {
  try {
    const found = new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(readFileSync(file, 'utf8'))?.[1]
    return found === undefined ? undefined : Number(found) / 1024
  } catch {
    return undefined
  }
}

/** Milliseconds of processor time that a process has had (proc(5) stat, fields 14 and 15). */
export function cpuTime(pid: number): number {
  const fields = statFields(pid)
  const clockTicksPerSecond = 100
  return ((Number(fields[11]) + Number(fields[12])) * 1_000) / clockTicksPerSecond
}

export function childrenOf(pid: number): readonly number[] {
  const pids = readdirSync('/proc').flatMap(name => (/^\d+$/.test(name) ? [Number(name)] : []))
  return pids.filter(child => {
    try {
      return Number(statFields(child)[1]) === pid
    } catch {
      return false
    }
  })
}

/** From field 3 on: the name in field 2 may hold anything. */
function statFields(pid: number): readonly string[] {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
}
