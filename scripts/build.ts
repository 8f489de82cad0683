/** Builds `dist/tatum-kms`, or with arguments `ENTRY OUTFILE` any other program in the same way. */
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { patchRuntime } from './patch-runtime.ts'

const [entry = 'src/main.ts', outfile = 'dist/tatum-kms'] = process.argv.slice(2)

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

/** Threads have entry points of their own; `secret/key-room.ts` knows where they end up. */
const workers = entry === 'src/main.ts' ? ['src/secret/key-worker.ts'] : []

mkdirSync(dirname(outfile), { recursive: true })
const exitCode = buildOn(patchRuntime(readFileSync(process.execPath)).bytes)
if (exitCode !== 0) process.exit(exitCode ?? 1)
// Independent of the umask it was built under. Its name is part of its bytes: keep it constant.
chmodSync(outfile, 0o755)

/** The runtime that Bun embeds our program in is a patched copy of the one that runs this script. */
function buildOn(runtime: Uint8Array): number | null {
  const folder = mkdtempSync(join(tmpdir(), 'kms-runtime-'))
  try {
    const path = join(folder, 'bun')
    writeFileSync(path, runtime, { mode: 0o755 })
    const executable = `--compile-executable-path=${path}`
    return Bun.spawnSync(
      [process.execPath, 'build', ...flags, executable, entry, ...workers, `--outfile=${outfile}`],
      { stdout: 'inherit', stderr: 'inherit' },
    ).exitCode
  } finally {
    rmSync(folder, { recursive: true })
  }
}
