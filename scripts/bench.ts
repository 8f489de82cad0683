/** What the binary costs beside an empty program built the same way, measured in the same run. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

type Row = { readonly name: string; readonly command: readonly string[] }
type Sample = { readonly ms: number; readonly rssMb: number }

const rounds = 30
const vaults = [
  { wallets: 25_000, kind: 'key' },
  { wallets: 500_000, kind: 'key' },
  { wallets: 500_000, kind: 'mnemonic' },
] as const

const folder = mkdtempSync(join(tmpdir(), 'kms-bench-'))
try {
  const rows: readonly Row[] = [
    { name: 'empty program', command: [buildEmptyProgram(folder)] },
    { name: 'tatum-kms --help', command: [resolve('dist/tatum-kms'), '--help'] },
  ]
  print(rows, await measure(rows))
  printVaults(folder)
} finally {
  rmSync(folder, { recursive: true })
}

function buildEmptyProgram(folder: string): string {
  const entry = join(folder, 'empty.ts')
  const outfile = join(folder, 'empty')
  writeFileSync(entry, 'export {}\n')
  const build = Bun.spawnSync([process.execPath, 'scripts/build.ts', entry, outfile])
  if (build.exitCode !== 0) throw new Error(`building the empty program: ${build.stderr}`)
  return outfile
}

/** Round by round, so that a busy moment of the machine falls on every row; the first warms up. */
async function measure(rows: readonly Row[]): Promise<ReadonlyMap<string, readonly Sample[]>> {
  const samples = new Map(rows.map(row => [row.name, [] as Sample[]]))
  for (let round = 0; round <= rounds; round++) {
    for (const row of rows) {
      const sample = await runOnce(row)
      if (round > 0) samples.get(row.name)?.push(sample)
    }
  }
  return samples
}

async function runOnce(row: Row): Promise<Sample> {
  return { ms: wallTime(row), rssMb: await peakMemory(row) }
}

function wallTime({ name, command }: Row): number {
  const startedAt = Bun.nanoseconds()
  const run = Bun.spawnSync([...command], { env: { HOME: folder }, stderr: 'pipe' })
  const ms = (Bun.nanoseconds() - startedAt) / 1e6
  if (run.exitCode !== 0) throw new Error(`${name} exited with ${run.exitCode}: ${run.stderr}`)
  return ms
}

/**
 * The highest VmHWM seen until the process is gone (proc(5)), in a run of its own. Not the maxRSS
 * that wait4 answers: a child that comes from vfork starts there with the peak of its parent.
 */
async function peakMemory({ command }: Row): Promise<number> {
  const run = Bun.spawn([...command], { env: { HOME: folder }, stdout: 'ignore', stderr: 'ignore' })
  let peakKb = 0
  for (let seen = vmHwm(run.pid); seen !== undefined; seen = vmHwm(run.pid)) peakKb = seen
  await run.exited
  return peakKb / 1024
}

/** Undefined once the process has ended: what is left of it has no memory. */
function vmHwm(pid: number): number | undefined {
  const found = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
  return found === undefined ? undefined : Number(found)
}

function print(rows: readonly Row[], samples: ReadonlyMap<string, readonly Sample[]>): void {
  console.log(`${rounds} runs each, interleaved; wall time in ms, peak RSS in MB`)
  console.log(line(['', 'median', 'p90', 'RSS']))
  for (const { name } of rows) {
    const all = samples.get(name) ?? []
    const times = all.map(sample => sample.ms)
    const rss = all.map(sample => sample.rssMb)
    console.log(line([name, quantile(times, 0.5), quantile(times, 0.9), quantile(rss, 0.5)]))
  }
}

type VaultRun = { readonly scryptMs: number; readonly ms: number; readonly peakMb: number }

/** Each step in a process of its own, beside one scrypt of the same cost; the middle of three runs. */
function printVaults(folder: string): void {
  console.log('\nvaults: one scrypt, then the whole step with its own scrypt, ms; peak RSS in MB')
  console.log(line(['', 'scrypt', 'step', 'RSS']))
  for (const { wallets, kind } of vaults) {
    const path = join(folder, 'vault', 'wallet.dat')
    runVaultStep(['make', path, String(wallets), kind])
    for (const step of ['open', 'add', 'list']) {
      const runs = Array.from({ length: 3 }, () => runVaultStep([step, path]))
      const [, middle] = runs.toSorted((a, b) => a.ms - b.ms)
      if (middle === undefined) throw new Error('no run')
      const name = `vault ${step} ${wallets / 1000}k ${kind}`
      console.log(line([name, middle.scryptMs, middle.ms, middle.peakMb]))
    }
    rmSync(join(folder, 'vault'), { recursive: true })
  }
}

function runVaultStep(args: readonly string[]): VaultRun {
  const run = Bun.spawnSync([process.execPath, 'scripts/bench-vault.ts', ...args], {
    stderr: 'inherit',
  })
  if (run.exitCode !== 0) throw new Error(`bench-vault ${args[0]} exited with ${run.exitCode}`)
  return JSON.parse(run.stdout.toString())
}

function line([name = '', ...cells]: readonly (string | number)[]): string {
  const columns = cells.map(cell => (typeof cell === 'number' ? cell.toFixed(1) : cell).padStart(8))
  return `${String(name).padEnd(28)}${columns.join('')}`
}

function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0
}
