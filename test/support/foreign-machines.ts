import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { forwardingLibrary } from './forwarding-library.ts'

/** How programs of one platform are run on this machine. */
export type ForeignMachine = {
  /** Such as `under qemu`; empty for our own platform. */
  readonly how: string
  run(program: string, args: readonly string[]): Promise<string>
}

/** The machine that runs programs of a release target, or why there is none. */
export function machineFor(target: string): ForeignMachine | string {
  const here = `${process.platform}-${process.arch}`
  if (target === here || target === `${here}-baseline`) return { how: '', run: runNatively }
  if (target === 'linux-arm64' && process.platform === 'linux') return emulated()
  if (target === 'windows-x64' && here === 'linux-x64') return windows()
  return `not run on ${here}`
}

const limitMs = 300_000

type Place = { readonly env: Readonly<Record<string, string>>; readonly cwd?: string }

/** What a command prints; throws when it fails. */
async function output(command: readonly string[], { env, cwd }: Place): Promise<string> {
  const run = Bun.spawn([...command], {
    env: { PATH: process.env['PATH'] ?? '', ...env },
    ...(cwd === undefined ? {} : { cwd }),
    stdin: 'ignore',
    stderr: 'pipe',
    timeout: limitMs,
    killSignal: 'SIGKILL',
  })
  const [printed, said] = await Promise.all([run.stdout.text(), run.stderr.text()])
  const status = await run.exited
  if (status !== 0) throw new Error(`${command.join(' ')}: status ${status}: ${said}\n${printed}`)
  return printed
}

async function runNatively(program: string, args: readonly string[]): Promise<string> {
  return inOwnFolder(home => output([program, ...args], { env: { HOME: home } }))
}

function emulated(): ForeignMachine | string {
  const libraries = '/usr/aarch64-linux-gnu'
  const qemu = Bun.which('qemu-aarch64') ?? Bun.which('qemu-aarch64-static')
  if (qemu === null) return 'no qemu-aarch64 here'
  if (!existsSync(join(libraries, 'lib/libc.so.6'))) return 'no C library for arm64 here'
  const command = [qemu, '-L', libraries]
  return {
    how: 'under qemu',
    run: (program, args) =>
      inOwnFolder(home => output([...command, program, ...args], { env: { HOME: home } })),
  }
}

/** The one library that Wine 8 lacks is laid beside the program, where Windows looks first. */
function windows(): ForeignMachine | string {
  const wine = Bun.which('wine')
  if (wine === null) return 'no wine here'
  return {
    how: 'under wine',
    run: (program, args) =>
      inOwnFolder(async folder => {
        const library = 'bcryptprimitives.dll'
        const forwarder = forwardingLibrary(library, 'ProcessPrng', 'advapi32.SystemFunction036')
        writeFileSync(join(dirname(program), library), forwarder)
        const prefix = join(folder, 'prefix')
        mkdirSync(prefix)
        const env = { HOME: folder, WINEPREFIX: prefix, WINEDEBUG: '-all', DISPLAY: '' }
        try {
          return await output([wine, program, ...args], { env, cwd: folder })
        } finally {
          // Its server outlives the program a little, and writes into the folder when it ends.
          await output([wine, 'wineboot', '--kill'], { env, cwd: folder }).catch(() => {})
        }
      }),
  }
}

async function inOwnFolder(work: (folder: string) => Promise<string>): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'kms-foreign-'))
  try {
    return await work(folder)
  } finally {
    rmSync(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 200 })
  }
}
