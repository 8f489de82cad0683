import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { patchRuntime } from './patch-runtime.ts'

export type Compilation = {
  readonly entry: string
  /** Its name is part of its bytes: rename afterwards, so that it is always the same. */
  readonly outfile: string
  /** The Bun to embed the program in, as its makers publish it. */
  readonly runtime: Uint8Array
  /** What `bun build` calls the machine of this runtime; the one at hand if left out. */
  readonly target?: string
}

const flags = [
  '--compile',
  // Bytecode saves the parsing, splitting the reading of what a command does not use: together
  // `--help` starts as fast as an empty program (docs/design.md has the figures).
  '--bytecode',
  '--splitting',
  '--format=esm',
  '--minify',
  // A file in the working directory must never run code or set variables inside the KMS.
  '--no-compile-autoload-dotenv',
  '--no-compile-autoload-bunfig',
  '--no-compile-autoload-tsconfig',
  '--no-compile-autoload-package-json',
]

/** Writes a program that needs no Bun, and throws when that fails: Bun has said why by then. */
export function compileProgram({ entry, outfile, runtime, target }: Compilation): void {
  // Threads have entry points of their own; `secret/key-room.ts` knows where they end up.
  const workers = entry === 'src/main.ts' ? ['src/secret/key-worker.ts'] : []
  const folder = mkdtempSync(join(tmpdir(), 'kms-runtime-'))
  try {
    const patched = join(folder, 'bun')
    writeFileSync(patched, patchRuntime(runtime).bytes, { mode: 0o755 })
    const where = [`--compile-executable-path=${patched}`, `--outfile=${outfile}`]
    if (target !== undefined) where.push(`--target=${target}`)
    mkdirSync(dirname(outfile), { recursive: true })
    const build = [process.execPath, 'build', ...flags, ...where, entry, ...workers]
    const { exitCode } = Bun.spawnSync(build, { stdout: 'inherit', stderr: 'inherit' })
    if (exitCode !== 0) throw new Error(`bun build ended with ${exitCode}`)
  } finally {
    rmSync(folder, { recursive: true })
  }
  // Independent of the umask it was built under.
  chmodSync(outfile, 0o755)
}
