/**
 * Builds the programs of a release, with their bill of materials and checksums:
 * `release.ts [--out FOLDER] [--runtimes FOLDER] [TARGET …]`. The same sources give the same bytes,
 * whatever folder they are in. MINISIGN_KEY names the file of the key that signs the checksums.
 */
import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { name, version } from '../package.json'
import { compileProgram } from './compile.ts'
import { billOfMaterials } from './release/bill-of-materials.ts'
import { fetchRuntime, readRuntime } from './release/runtimes.ts'
import { signFile } from './release/sign-file.ts'
import { signMachO } from './release/sign-macho.ts'
import { type Target, targetsNamed } from './release/targets.ts'

const { values, positionals } = parseArgs({
  options: {
    out: { type: 'string', default: 'dist/release' },
    runtimes: { type: 'string', default: '.tools/runtimes' },
  },
  allowPositionals: true,
})

const root = resolve(import.meta.dir, '..')
const wanted = targetsNamed(positionals)
mkdirSync(values.out, { recursive: true })
await Promise.all(wanted.map(target => fetchRuntime(target, values.runtimes)))
for (const target of wanted) {
  await build(target)
  console.log(`release: ${target.name} built`)
}
const bill = `${name}.cdx.json`
writeFileSync(join(values.out, bill), billOfMaterials(root))
const checksums = 'SHA256SUMS'
writeFileSync(join(values.out, checksums), sumsOf([...wanted.map(({ file }) => file), bill]))
const key = process.env['MINISIGN_KEY'] ?? ''
if (key === '') console.log(`release: ${checksums} is not signed: MINISIGN_KEY names no key`)
else {
  signFile(join(values.out, checksums), { key: resolve(key), comment: `${name} ${version}` })
  console.log(`release: ${checksums} signed`)
}

async function build(target: Target): Promise<void> {
  // A constant name, because the compiler writes it into the program.
  const folder = mkdtempSync(join(values.out, 'build-'))
  const outfile = join(folder, target.file.endsWith('.exe') ? `${name}.exe` : name)
  try {
    const runtime = await readRuntime(target, values.runtimes)
    compileProgram({ entry: 'src/main.ts', outfile, runtime, target: target.bunTarget })
    if (target.name.startsWith('darwin-')) {
      writeFileSync(outfile, signMachO(readFileSync(outfile), name))
    }
    renameSync(outfile, join(values.out, target.file))
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** In the form that `sha256sum --check` reads. */
function sumsOf(files: readonly string[]): string {
  const lines = files.toSorted().map(file => {
    const bytes = readFileSync(join(values.out, file))
    return `${createHash('sha256').update(bytes).digest('hex')}  ${file}\n`
  })
  return lines.join('')
}
