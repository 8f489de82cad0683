/** Builds `dist/release` once more, elsewhere, and ends with 1 unless every byte is the same. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { releaseElsewhere } from './release/elsewhere.ts'

const root = resolve(import.meta.dir, '..')
const out = mkdtempSync(join(tmpdir(), 'kms-reproduced-'))
try {
  releaseElsewhere(root, { out, runtimes: join(root, '.tools/runtimes'), targets: [] })
  const [first, second] = [join(root, 'dist/release'), out].map(folder =>
    readFileSync(join(folder, 'SHA256SUMS'), 'utf8').trim().split('\n'),
  )
  for (const line of second ?? []) {
    const isSame = first?.includes(line) === true
    if (!isSame) process.exitCode = 1
    console.log(`release: ${line.split('  ')[1]} ${isSame ? 'reproduced' : 'IS DIFFERENT'}`)
  }
} finally {
  rmSync(out, { recursive: true })
}
