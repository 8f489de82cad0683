/** Builds `dist/release` once more, elsewhere, and ends with 1 unless every byte is the same. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { releaseElsewhere } from './release/elsewhere.ts'

const root = resolve(import.meta.dir, '..')
const released = readSums(join(root, 'dist/release'))
const out = mkdtempSync(join(tmpdir(), 'kms-reproduced-'))
try {
  releaseElsewhere(root, { out, runtimes: join(root, '.tools/runtimes'), targets: [] })
  for (const line of readSums(out)) {
    const isSame = released.includes(line)
    if (!isSame) process.exitCode = 1
    console.log(`release: ${line.split('  ')[1]} ${isSame ? 'reproduced' : 'IS DIFFERENT'}`)
  }
} finally {
  rmSync(out, { recursive: true })
}

function readSums(folder: string): readonly string[] {
  const path = join(folder, 'SHA256SUMS')
  if (!existsSync(path)) throw new Error(`no ${path}: run make release first`)
  return readFileSync(path, 'utf8').trimEnd().split('\n')
}
