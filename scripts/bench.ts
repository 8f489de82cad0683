/**
 * Measures the built program and prints two tables: each figure beside its own limit, measured in the
 * same run, and how costs grow with size. `--json` prints JSON; words choose sections.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { commandRows, helpRows, sizeRow } from './bench/commands.ts'
import { idleCost, pendingGrowth, rateRows, startRow } from './bench/daemon.ts'
import { exponentOf, type Growth, printGrowth } from './bench/growth.ts'
import { printRows, type Row } from './bench/rows.ts'
import { vaultRows } from './bench/vault.ts'

const sizes = [1_000, 10_000, 25_000, 100_000, 500_000]
const rows: Row[] = []
const growth: Growth[] = []
const root = mkdtempSync(join(tmpdir(), 'kms-bench-'))

const sections: Readonly<Record<string, () => Promise<void>>> = {
  async commands() {
    rows.push(...(await helpRows(root)), ...commandRows(root), sizeRow())
  },
  async vault() {
    const measured = vaultRows(root, sizes)
    rows.push(...measured.rows)
    growth.push(...measured.growth)
  },
  async start() {
    rows.push(await startRow(root))
  },
  async idle() {
    const measured = await idleCost(root, [1_000, 25_000, 100_000])
    rows.push(...measured.rows)
    growth.push(...measured.growth)
  },
  async rates() {
    rows.push(...(await rateRows(root)))
  },
  async pending() {
    growth.push(await pendingGrowth(root, [100, 1_000, 10_000]))
  },
}

const [asJson, chosen] = [process.argv.includes('--json'), process.argv.slice(2)]
const names = chosen.filter(name => name !== '--json')
try {
  for (const name of names.length > 0 ? names : Object.keys(sections)) {
    const measure = sections[name]
    if (measure === undefined) throw new Error(`no section ${name}: ${Object.keys(sections)}`)
    console.error(`measuring: ${name}`)
    await measure()
  }
} finally {
  rmSync(root, { recursive: true })
}
const machine = `${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}, Bun ${Bun.version}`
if (asJson) {
  const grown = growth.map(each => ({ ...each, exponent: exponentOf(each) }))
  console.log(JSON.stringify({ machine, rows, growth: grown }, null, 2))
} else {
  console.log(`${machine}\n`)
  printRows(rows)
  console.log('')
  printGrowth(growth)
}
