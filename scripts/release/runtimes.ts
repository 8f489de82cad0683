import { createHash } from 'node:crypto'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { engines } from '../../package.json'
import type { Target } from './targets.ts'

/** The registry cannot be reached, or has no such package. */
export class RegistryError extends Error {}

/** The Bun for a target, as its makers publish it. */
export async function readRuntime(target: Target, cache: string): Promise<Uint8Array> {
  const archive = await fetchRuntime(target, cache)
  return programIn(await Bun.file(archive).bytes(), target)
}

/**
 * Where in `cache` the package is, from npm unless it is there already. Throws unless it is, to the
 * bit, the one that was looked at when its hash was written down.
 */
export async function fetchRuntime(target: Target, cache: string): Promise<string> {
  const archive = join(cache, `${target.runtime.replace('/', '-')}-${engines.bun}.tgz`)
  if (!existsSync(archive)) await fetchArchive(target, archive)
  if (integrityOf(readFileSync(archive)) === target.integrity) return archive
  rmSync(archive)
  throw new Error(`${target.runtime}@${engines.bun} is not what scripts/release/targets.ts says`)
}

/** By the registry's ordinary client, beside its place until it is whole. */
async function fetchArchive({ runtime }: Target, archive: string): Promise<void> {
  const cache = dirname(archive)
  mkdirSync(cache, { recursive: true })
  const folder = mkdtempSync(join(cache, 'fetch-'))
  try {
    const spec = `${runtime}@${engines.bun}`
    const patience = ['--fetch-retries=1', '--fetch-timeout=60000']
    const options = ['--silent', '--ignore-scripts', ...patience, `--pack-destination=${folder}`]
    const npm = Bun.spawn(['npm', 'pack', ...options, spec], {
      stdout: 'ignore',
      stderr: 'inherit',
      timeout: 300_000,
    })
    const status = await npm.exited
    const [file] = readdirSync(folder)
    if (status !== 0 || file === undefined) throw new RegistryError(`npm did not fetch ${spec}`)
    renameSync(join(folder, file), archive)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

function integrityOf(bytes: Uint8Array): string {
  return `sha512-${createHash('sha512').update(bytes).digest('base64')}`
}

async function programIn(
  archive: Uint8Array<ArrayBuffer>,
  { runtime }: Target,
): Promise<Uint8Array> {
  const files = await new Bun.Archive(archive).files('package/bin/*')
  const [program, ...others] = files.values()
  if (program === undefined || others.length > 0) throw new Error(`${runtime} has no one program`)
  return program.bytes()
}
