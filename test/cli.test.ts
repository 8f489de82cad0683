import { test } from 'bun:test'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { runScript } from './support/script.ts'

const folder = join(import.meta.dir, 'cli')

for (const name of readdirSync(folder)
  .filter(name => name.endsWith('.txt'))
  .sort()) {
  test(name.replace('.txt', ''), () => runScript(join(folder, name)), 120_000)
}
