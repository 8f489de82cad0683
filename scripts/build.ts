/** Builds `dist/tatum-kms`, or with arguments `ENTRY OUTFILE` any other program in the same way. */
import { chmodSync, mkdirSync } from 'node:fs'
import { dirname } from 'node:path'

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
const { exitCode } = Bun.spawnSync(
  [process.execPath, 'build', ...flags, entry, ...workers, `--outfile=${outfile}`],
  { stdout: 'inherit', stderr: 'inherit' },
)
if (exitCode !== 0) process.exit(exitCode ?? 1)
// Independent of the umask it was built under. Its name is part of its bytes: keep it constant.
chmodSync(outfile, 0o755)
