import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** Why no container can be run here; undefined if it can. */
export function whyNoContainer(): string | undefined {
  const missing = ['umoci', 'runc'].find(name => Bun.which(name) === null)
  if (missing !== undefined) return `no ${missing} here`
  if (process.getuid?.() !== 0) return 'not root'
  const mount = Bun.spawnSync(['unshare', '--mount', '--pid', '--fork', 'true'])
  return mount.exitCode === 0 ? undefined : 'mounting is not permitted'
}

/** Unpacks an OCI archive into a bundle for a runtime, by the work of others. */
export function unpackImage(archive: string, bundle: string): void {
  const layout = join(dirname(bundle), 'layout')
  mkdirSync(layout)
  finish(['tar', '-xf', archive, '-C', layout])
  const index = JSON.parse(readFileSync(join(layout, 'index.json'), 'utf8'))
  const tag = index.manifests[0].annotations['org.opencontainers.image.ref.name']
  finish(['umoci', 'unpack', '--image', `${layout}:${tag}`, bundle])
}

function finish(command: readonly string[]): void {
  const run = Bun.spawnSync([...command], { stdout: 'ignore', stderr: 'pipe' })
  if (run.exitCode !== 0) throw new Error(`${command.join(' ')}: ${run.stderr.toString()}`)
}

export type ContainerRun = {
  readonly bundle: string
  readonly args: readonly string[]
  readonly input: string
  /** What is mounted over folders of the image. */
  readonly folders: Readonly<Record<string, string>>
}

let count = 0

/** Runs the image's entry point, with its user and variables, on a root nobody can write to. */
export async function runInContainer({
  bundle,
  args,
  input,
  folders,
}: ContainerRun): Promise<string> {
  const path = join(bundle, 'config.json')
  const asUnpacked = readFileSync(path, 'utf8')
  writeFileSync(path, JSON.stringify(configured(JSON.parse(asUnpacked), args, folders)))
  const state = join(bundle, '..', 'runc')
  const name = `kms-test-${process.pid}-${count++}`
  try {
    const run = Bun.spawn(['runc', '--root', state, 'run', '--bundle', bundle, name], {
      stdin: Buffer.from(input),
      stderr: 'pipe',
      timeout: 200_000,
      killSignal: 'SIGKILL',
    })
    const [printed, said] = await Promise.all([run.stdout.text(), run.stderr.text()])
    const status = await run.exited
    if (status !== 0) throw new Error(`${args.join(' ')}: status ${status}: ${said}\n${printed}`)
    return printed
  } finally {
    writeFileSync(path, asUnpacked)
  }
}

type RuntimeConfig = {
  readonly process: { readonly args: readonly string[] }
  readonly root: object
  readonly mounts: readonly { readonly type: string }[]
  readonly linux: object
}

/** Without what a machine that is a container itself does not offer: control groups, /sys. */
function configured(
  config: RuntimeConfig,
  args: readonly string[],
  folders: ContainerRun['folders'],
): object {
  const unavailable = ['cgroup', 'sysfs', 'mqueue']
  const given = Object.entries(folders).map(([destination, source]) => ({
    destination,
    source,
    type: 'bind',
    options: ['rbind', 'rw'],
  }))
  return {
    ...config,
    process: { ...config.process, terminal: false, args: [...config.process.args, ...args] },
    root: { ...config.root, readonly: true },
    mounts: [...config.mounts.filter(({ type }) => !unavailable.includes(type)), ...given],
    linux: { ...config.linux, resources: {} },
  }
}
