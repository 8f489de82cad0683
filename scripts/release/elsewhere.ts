import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { folderOf, runtimePackages } from './lock-file.ts'

const sources = ['src', 'scripts', 'systemd', 'package.json', 'bun.lock', 'tsconfig.json']

/**
 * Runs scripts/release.ts in a copy of the project that is somewhere else: what it writes must not
 * depend on where it was built. The runtimes are those that this project has fetched.
 */
export function releaseElsewhere(
  root: string,
  { out, runtimes, targets }: { out: string; runtimes: string; targets: readonly string[] },
): void {
  const folder = mkdtempSync(join(tmpdir(), 'kms-elsewhere-'))
  try {
    const packages = runtimePackages(root).map(folderOf)
    for (const path of [...sources, ...packages]) {
      cpSync(join(root, path), join(folder, path), { recursive: true })
    }
    const folders = [`--out=${resolve(out)}`, `--runtimes=${resolve(runtimes)}`]
    const run = Bun.spawnSync([process.execPath, 'scripts/release.ts', ...folders, ...targets], {
      cwd: folder,
      stdin: 'ignore',
      stdout: 'ignore',
      stderr: 'inherit',
    })
    if (run.exitCode !== 0) throw new Error(`the second release ended with ${run.exitCode}`)
  } finally {
    rmSync(folder, { recursive: true })
  }
}
