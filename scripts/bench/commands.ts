import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { binary, median, peakMemory, wallTime } from './process.ts'
import type { Row } from './rows.ts'
import { runVaultStep } from './vault.ts'

const rounds = 15

/** `--help` beside an empty program that is built in the same way; they take turns. */
export async function helpRows(root: string): Promise<readonly Row[]> {
  const empty = buildEmptyProgram(root)
  const world = { home: root }
  const times = { help: [] as number[], empty: [] as number[] }
  for (let round = 0; round <= rounds; round++) {
    const [help, nothing] = [wallTime([binary, '--help'], world), wallTime([empty], world)]
    // The first one warms up.
    if (round === 0) continue
    times.help.push(help)
    times.empty.push(nothing)
  }
  const nothing = median(times.empty)
  const emptyMb = await peakMemory([empty], world)
  return [
    {
      name: '`--help`, wall time',
      figure: median(times.help),
      unit: 'ms',
      limit: 40,
      limitName: `an empty program takes ${nothing.toFixed(1)} ms`,
      wanted: 'at most',
    },
    {
      name: '`--help`, memory',
      figure: await peakMemory([binary, '--help'], world),
      unit: 'MB',
      limit: 50,
      limitName:
        emptyMb >= 1
          ? `an empty program has ${emptyMb.toFixed()} MB`
          : 'an empty program is gone before it is seen',
      wanted: 'at most',
    },
  ]
}

function buildEmptyProgram(root: string): string {
  const entry = join(root, 'empty.ts')
  const outfile = join(root, 'empty')
  writeFileSync(entry, 'export {}\n')
  const build = Bun.spawnSync([process.execPath, 'scripts/build.ts', entry, outfile])
  if (build.exitCode !== 0) throw new Error(`building the empty program: ${build.stderr}`)
  return outfile
}

export function sizeRow(): Row {
  return {
    name: 'the binary',
    figure: statSync(binary).size / 1e6,
    unit: 'MB',
    limit: 120,
    limitName: 'Bun alone is nearly all of it',
    wanted: 'at most',
  }
}

/** Commands that open a vault, beside one scrypt of the same cost. */
export function commandRows(root: string): readonly Row[] {
  const home = mkdtempSync(join(root, 'commands-'))
  const folder = join(home, 'vault')
  mkdirSync(folder, { mode: 0o700 })
  const place = [`--path=${join(folder, 'wallet.dat')}`, `--password-fd=0`]
  const input = Buffer.from('a password for the benchmark\n')
  const run = (...args: readonly string[]): { readonly ms: number; readonly text: string } => {
    const startedAt = Bun.nanoseconds()
    const ended = Bun.spawnSync([binary, ...args, ...place], {
      env: { HOME: home },
      stdin: input,
      stderr: 'pipe',
    })
    const ms = (Bun.nanoseconds() - startedAt) / 1e6
    if (ended.exitCode !== 0) throw new Error(`${args[0]} ended: ${ended.stderr}`)
    return { ms, text: ended.stdout.toString() }
  }
  run('generatemanagedprivatekeybatch', 'ETH', '1')
  const { scryptMs } = runVaultStep(['scrypt', ''])
  const [id = ''] = Object.keys(JSON.parse(run('export').text))
  const address = median(Array.from({ length: 5 }, () => run('getaddress', id, '0').ms))
  const rows: Row[] = [
    {
      name: '`getaddress`',
      figure: address,
      unit: 'ms',
      limit: 1.3 * scryptMs,
      limitName: '1.3 × scrypt',
      wanted: 'at most',
    },
  ]
  const keyMs = millisecondsPerKey()
  for (const count of [1_000, 25_000]) {
    rows.push({
      name: `batch of ${count.toLocaleString('en-US')} ETH keys`,
      figure: run('generatemanagedprivatekeybatch', 'ETH', String(count)).ms,
      unit: 'ms',
      limit: 2 * (scryptMs + count * keyMs),
      limitName: '2 × (scrypt + noble’s public keys)',
      wanted: 'at most',
    })
  }
  rmSync(home, { recursive: true })
  return rows
}

function millisecondsPerKey(): number {
  const count = 2_000
  const keys = Array.from({ length: count + 200 }, () => secp256k1.utils.randomSecretKey())
  for (const key of keys.slice(count)) secp256k1.getPublicKey(key)
  const startedAt = Bun.nanoseconds()
  for (const key of keys.slice(0, count)) secp256k1.getPublicKey(key)
  return (Bun.nanoseconds() - startedAt) / 1e6 / count
}
