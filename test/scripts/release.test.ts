import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { engines } from '../../package.json'
import { readElf } from '../../scripts/release/elf.ts'
import { releaseElsewhere } from '../../scripts/release/elsewhere.ts'
import { fetchRuntime, RegistryError } from '../../scripts/release/runtimes.ts'
import { signMachO } from '../../scripts/release/sign-macho.ts'
import { targets, targetsNamed } from '../../scripts/release/targets.ts'
import { machineFor } from '../support/foreign-machines.ts'
import { readMachO } from '../support/mach-o.ts'
import { readPortableExecutable } from '../support/portable-executable.ts'

const root = resolve(import.meta.dir, '../..')
const runtimes = join(root, '.tools/runtimes')
const limitMs = 600_000

/** One of each format and processor: `make reproduce` builds all of them again. */
const again = ['linux-x64', 'linux-arm64', 'darwin-x64', 'windows-x64']

const whyNot = await reasonNotToBuild()
if (whyNot !== undefined) say(`not built: ${whyNot}`)

async function reasonNotToBuild(): Promise<string | undefined> {
  const fetched = targets.map(target => fetchRuntime(target, runtimes))
  const failed = (await Promise.allSettled(fetched)).find(({ status }) => status === 'rejected')
  if (failed?.status !== 'rejected') return undefined
  if (failed.reason instanceof RegistryError) return failed.reason.message
  throw failed.reason
}

function say(line: string): void {
  process.stderr.write(`release: ${line}\n`)
}

/** What our documents promise of each: README, and docs/operations.md "Download and verify". */
const glibc = ['libc.so.6', 'libdl.so.2', 'libm.so.6', 'libpthread.so.0']
const ofMacOs = ['libSystem.B', 'libc++.1', 'libicucore.A', 'libresolv.9']
const ofWindows = [
  ...['advapi32', 'api-ms-win-core-synch-l1-2-0', 'bcryptprimitives', 'crypt32', 'dbghelp'],
  ...['iphlpapi', 'kernel32', 'ntdll', 'ole32', 'oleaut32', 'shell32', 'user32', 'userenv'],
  ...['ws2_32', 'wsock32'],
]
const needs: Readonly<Record<string, readonly string[]>> = {
  'linux-x64': [...glibc, 'ld-linux-x86-64.so.2'],
  'linux-x64-baseline': [...glibc, 'ld-linux-x86-64.so.2'],
  'linux-arm64': [...glibc, 'ld-linux-aarch64.so.1'],
  'linux-x64-musl': ['libc.musl-x86_64.so.1', 'libstdc++.so.6'],
  'darwin-arm64': ofMacOs.map(name => `/usr/lib/${name}.dylib`),
  'darwin-x64': ofMacOs.map(name => `/usr/lib/${name}.dylib`),
}

describe.skipIf(whyNot !== undefined)('a release', () => {
  const folder = mkdtempSync(join(tmpdir(), 'kms-release-'))
  const [first, second] = [join(folder, 'first'), join(folder, 'second')] as const
  const done = new Map(targets.map(({ name }) => [name, ['built']]))
  const programOf = (name: string): string => join(first, targetsNamed([name])[0]?.file ?? '')
  const read = (name: string): Uint8Array => readFileSync(programOf(name))

  beforeAll(() => {
    const script = join(root, 'scripts/release.ts')
    const folders = [`--out=${first}`, `--runtimes=${runtimes}`]
    const run = Bun.spawnSync([process.execPath, script, ...folders], {
      cwd: root,
      env: { PATH: process.env['PATH'] ?? '' },
      stdout: 'ignore',
      stderr: 'pipe',
    })
    if (run.exitCode !== 0) throw new Error(run.stderr.toString())
    releaseElsewhere(root, { out: second, runtimes, targets: again })
  }, limitMs)

  afterAll(() => {
    for (const [name, words] of done) say(`${name} ${words.join(', ')}`)
    rmSync(folder, { recursive: true })
  })

  test.each(targetsNamed(again))(
    'for $name is the same when it is built somewhere else',
    ({ name, file }) => {
      const isSame = readFileSync(join(second, file)).equals(read(name))
      expect(isSame).toBe(true)
      done.get(name)?.push('reproduced')
    },
  )

  test('has the checksums of all its files, of which some are made again somewhere else', () => {
    const sums = readFileSync(join(first, 'SHA256SUMS'), 'utf8')
    const names = sums
      .trimEnd()
      .split('\n')
      .map(line => line.split('  ')[1])
    expect(names).toEqual([...targets.map(({ file }) => file), 'tatum-kms.cdx.json'].toSorted())
    const madeAgain = readFileSync(join(second, 'SHA256SUMS'), 'utf8').trimEnd().split('\n')
    expect(madeAgain).toHaveLength(again.length + 1)
    expect(sums.split('\n')).toEqual(expect.arrayContaining(madeAgain))
    const check = Bun.spawnSync(['sha256sum', '--check', '--quiet', 'SHA256SUMS'], { cwd: first })
    expect(check.exitCode).toBe(0)
  })

  test.each(targets.filter(({ name }) => name.startsWith('linux-')))(
    'for $name needs these libraries, and none newer than glibc 2.17',
    ({ name }) => {
      const { libraries, versions, machine } = readElf(read(name))
      expect(libraries.toSorted()).toEqual(needs[name]?.toSorted() ?? [])
      expect(name).toContain(machine)
      const numbers = versions.map(version => Number(/^GLIBC_2\.(\d+)/.exec(version)?.[1]))
      expect(Math.max(17, ...numbers)).toBe(17)
    },
  )

  test.each(targets.filter(({ name }) => name.startsWith('darwin-')))(
    'for $name needs only libraries of the system, and every page is as it was signed',
    ({ name }) => {
      const { libraries, signature } = readMachO(read(name))
      expect(libraries).toEqual(needs[name]?.toSorted() ?? [])
      // Flag 2: ad hoc, by nobody.
      expect(signature).toMatchObject({ identifier: 'tatum-kms', flags: 2, bad: 0, isWhole: true })
      expect(signature.pages).toBeGreaterThan(10_000)
    },
  )

  test.each(targets.filter(({ name }) => name.startsWith('windows-')))(
    'for $name needs only libraries of the system, and claims no signature',
    ({ name }) => {
      const { libraries, isSigned } = readPortableExecutable(read(name))
      expect(libraries).toEqual(ofWindows.map(library => `${library}.dll`))
      expect(isSigned).toBe(false)
    },
  )

  test('is signed anew wherever a byte is changed', () => {
    const program = Buffer.from(read('darwin-x64'))
    program[5_000_000] = (program[5_000_000] ?? 0) ^ 1
    expect(readMachO(program).signature.bad).toBe(1)
    const signed = readMachO(signMachO(program, 'somebody')).signature
    expect(signed).toMatchObject({ identifier: 'somebody', bad: 0, isWhole: true })
  })

  test.each(targets)(
    'for $name runs its selftest, if a machine is at hand',
    async ({ name }) => {
      const machine = machineFor(name)
      if (typeof machine === 'string') {
        done.get(name)?.push(machine)
        return
      }
      const printed = await machine.run(programOf(name), ['selftest'])
      const [, passed] = /passed (\d+), failed 0/.exec(printed) ?? []
      expect(Number(passed)).toBeGreaterThan(50)
      done.get(name)?.push(`selftest ${passed} passed ${machine.how}`.trimEnd())
    },
    limitMs,
  )
})

test('a target that does not exist is refused', () => {
  expect(() => targetsNamed(['linux-x64', 'plan9'])).toThrow('no such target: plan9')
})

test('a runtime that is not the one we looked at is refused, and not kept', async () => {
  const cache = mkdtempSync(join(tmpdir(), 'kms-runtimes-'))
  try {
    const [target] = targetsNamed(['linux-x64'])
    if (target === undefined) throw new Error('no such target')
    const archive = join(cache, `@oven-bun-linux-x64-${engines.bun}.tgz`)
    writeFileSync(archive, 'something else')
    await expect(fetchRuntime(target, cache)).rejects.toThrow(
      'is not what scripts/release/targets.ts',
    )
    expect(existsSync(archive)).toBe(false)
  } finally {
    rmSync(cache, { recursive: true })
  }
})

test('a program that is no Mach-O file is not signed', () => {
  expect(() => signMachO(new Uint8Array(64), 'a')).toThrow('not a 64-bit Mach-O program')
})

test.skipIf(!existsSync('/usr/bin/readelf'))('readelf reads the same of a program', () => {
  const { libraries, interpreter } = readElf(readFileSync(process.execPath))
  const shown = Bun.spawnSync(['readelf', '-W', '-d', '-l', process.execPath]).stdout.toString()
  const named = [...shown.matchAll(/\(NEEDED\).*\[(.+)\]/g)].map(([, library]) => library)
  expect(named).toEqual([...libraries])
  expect(shown).toContain(`[Requesting program interpreter: ${interpreter}]`)
})
