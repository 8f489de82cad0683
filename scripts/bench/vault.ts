import { rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Growth } from './growth.ts'
import { median } from './process.ts'
import type { Row } from './rows.ts'

/** What one step of a vault took in a process of its own. */
export type VaultRun = {
  /** One scrypt of the vault's cost, in the same process. */
  readonly scryptMs: number
  /** Reading the body with AES-GCM and JSON.parse alone. */
  readonly rawMs: number
  readonly ms: number
  readonly peakMb: number
}

export function runVaultStep(args: readonly string[]): VaultRun {
  const program = join(import.meta.dir, 'vault-step.ts')
  const run = Bun.spawnSync([process.execPath, program, ...args], { stderr: 'inherit' })
  if (run.exitCode !== 0) throw new Error(`vault-step ${args[0]} ended with ${run.exitCode}`)
  return JSON.parse(run.stdout.toString())
}

/** Opening a vault and adding a wallet, by the number of its wallets. */
export function vaultRows(root: string, sizes: readonly number[]) {
  const rows: Row[] = []
  const open: { size: number; cost: number }[] = []
  const add: { size: number; cost: number }[] = []
  const memory: { size: number; cost: number }[] = []
  for (const size of sizes) {
    const path = join(root, 'vault', 'wallet.dat')
    runVaultStep(['make', path, String(size), 'key'])
    for (const [step, points] of [
      ['open', open],
      ['add', add],
    ] as const) {
      const runs = Array.from({ length: 3 }, () => runVaultStep([step, path]))
      const ms = median(runs.map(run => run.ms))
      const scryptMs = median(runs.map(run => run.scryptMs))
      const rawMs = median(runs.map(run => run.rawMs))
      points.push({ size, cost: Math.max(ms - scryptMs, 0.1) })
      if (step === 'open') memory.push({ size, cost: median(runs.map(run => run.peakMb)) })
      if (size < 25_000) continue
      rows.push({
        name: `${step === 'open' ? 'opening' : 'adding to'} a vault of ${size.toLocaleString('en-US')}`,
        figure: ms,
        unit: 'ms',
        limit: scryptMs + 3 * rawMs,
        limitName: 'scrypt + 3 × (AES-GCM + JSON.parse)',
        wanted: 'at most',
      })
    }
    rmSync(join(root, 'vault'), { recursive: true })
  }
  const growth: readonly Growth[] = [
    { name: 'opening a vault, beyond scrypt, by wallets', unit: 'ms', points: open },
    { name: 'adding a wallet, beyond scrypt, by wallets', unit: 'ms', points: add },
    { name: 'peak memory of opening, by wallets', unit: 'MB', points: memory },
  ]
  return { rows, growth }
}
