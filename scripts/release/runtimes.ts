import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { engines } from '../../package.json'
import type { Target } from './targets.ts'

/**
 * The Bun for a target, from npm or from `cache`. Throws unless it is, to the bit, the one that was
 * looked at when its hash was written down.
 */
export async function readRuntime(target: Target, cache: string): Promise<Uint8Array> {
  const archive = join(cache, `${target.runtime.replace('/', '-')}-${engines.bun}.tgz`)
  if (!existsSync(archive)) await fetchArchive(target, archive)
  const bytes = readFileSync(archive)
  if (integrityOf(bytes) !== target.integrity) {
    rmSync(archive)
    throw new Error(`${target.runtime}@${engines.bun} is not what scripts/release/targets.ts says`)
  }
  return programIn(bytes, target)
}

/** By the registry's ordinary client, beside its place until it is whole. */
async function fetchArchive({ runtime }: Target, archive: string): Promise<void> {
  const cache = join(archive, '..')
  mkdirSync(cache, { recursive: true })
  const folder = mkdtempSync(join(cache, 'fetch-'))
  try {
    const spec = `${runtime}@${engines.bun}`
    const pack = ['npm', 'pack', '--silent', '--ignore-scripts', `--pack-destination=${folder}`, spec]
    const npm = Bun.spawn(pack, { stdout: 'ignore', stderr: 'inherit', timeout: 300_000 })
    const status = await npm.exited
    const [file] = readdirSync(folder)
    if (status !== 0 || file === undefined) throw new Error(`npm did not fetch ${spec}`)
    renameSync(join(folder, file), archive)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

function integrityOf(bytes: Uint8Array): string {
  return `sha512-${createHash('sha512').update(bytes).digest('base64')}`
}

async function programIn(archive: Uint8Array<ArrayBuffer>, { runtime }: Target): Promise<Uint8Array> {
  const files = await new Bun.Archive(archive).files('package/bin/*')
  const [program, ...others] = files.values()
  if (program === undefined || others.length > 0) throw new Error(`${runtime} has no one program`)
  return program.bytes()
}
