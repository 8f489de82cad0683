import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { createHash } from 'node:crypto'
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { targets } from '../../scripts/release/targets.ts'

const script = join(import.meta.dir, '../../scripts/install.sh')
const canSign = Bun.which('minisign') !== null
if (!canSign) process.stderr.write('install.sh: no minisign here, signatures are not tried\n')

let folder: string
let release: string
let prefix: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'kms-install-sh-'))
  release = join(folder, 'a release')
  prefix = join(folder, 'prefix')
  mkdirSync(release)
  const lines = targets.map(({ file }) => {
    const contents = `the program ${file}`
    writeFileSync(join(release, file), contents)
    return `${createHash('sha256').update(contents).digest('hex')}  ${file}\n`
  })
  writeFileSync(join(release, 'SHA256SUMS'), lines.join(''))
})
afterEach(() => rmSync(folder, { recursive: true }))

const onPosix = process.platform !== 'win32'

describe.skipIf(!onPosix || !canSign)('install.sh with a signed release', () => {
  beforeEach(() => {
    for (const name of ['ours', 'other']) {
      const files = ['-p', join(folder, `${name}.pub`), '-s', join(folder, `${name}.key`)]
      minisign('-G', '-W', '-f', ...files)
    }
    minisign('-S', '-s', join(folder, 'ours.key'), '-m', join(release, 'SHA256SUMS'))
  })

  test.each(['file', 'text'])(
    'installs the program of this machine, given its key as a %s',
    kind => {
      const path = join(folder, 'ours.pub')
      const text = readFileSync(path, 'utf8').split('\n')[1]
      const { status, stdout } = install(`--key=${kind === 'file' ? path : text}`)
      expect(status).toBe(0)
      expect(stdout).toContain(`installed ${prefix}/bin/tatum-kms\n`)
      expect(installed()).toMatch(/^the program tatum-kms-(linux|darwin)-(x64|arm64)(-musl)?$/)
      const mode = process.getuid?.() === 0 ? 0o711 : 0o755
      expect(statSync(join(prefix, 'bin/tatum-kms')).mode & 0o777).toBe(mode)
      expect(readdirSync(join(prefix, 'bin'))).toEqual(['tatum-kms'])
    },
  )

  test('replaces what is installed, and not with anything that was changed', () => {
    const key = `--key=${join(folder, 'ours.pub')}`
    install(key)
    for (const { file } of targets) appendFileSync(join(release, file), 'x')
    const { status, stderr } = install(key)
    expect(status).toBe(1)
    expect(stderr).toContain('is not the file that SHA256SUMS speaks of')
    expect(installed()).not.toEndWith('x')
    expect(readdirSync(join(prefix, 'bin'))).toEqual(['tatum-kms'])
  })

  test.each<readonly [string, string, () => void]>([
    ['checksums were changed', 'is not signed with this key', () => appendSum('x')],
    ['signature is missing', 'the release is not signed', () => remove('SHA256SUMS.minisig')],
    ['checksums are missing', 'there is no SHA256SUMS', () => remove('SHA256SUMS')],
    [
      'program is missing',
      'there is no tatum-kms-',
      () => {
        for (const { file } of targets) remove(file)
      },
    ],
  ])('installs nothing when the %s', (_, reason, damage) => {
    damage()
    refuses(install(`--key=${join(folder, 'ours.pub')}`), 1, reason)
  })

  test('installs nothing with the key of somebody else', () => {
    refuses(install(`--key=${join(folder, 'other.pub')}`), 1, 'is not signed with this key')
    refuses(install('--key=nonsense'), 1, 'is not signed with this key')
  })
})

describe.skipIf(!onPosix)('install.sh', () => {
  test('goes by the checksums alone only when it is told to, and warns', () => {
    refuses(install(), 2, '--key=KEY')
    const { status, stderr } = install('--unsigned')
    expect(status).toBe(0)
    expect(stderr).toContain('warning: nobody has said who made this release')
    expect(installed()).toStartWith('the program ')
  })

  test.each(['--key', '--key=', '--prefix=', '-x', '--unsigned=yes'])('refuses %s', option => {
    refuses(install(option), 2, 'unknown option')
  })

  test('installs nothing that the checksums have twice, or not as a checksum', () => {
    const sums = readFileSync(join(release, 'SHA256SUMS'), 'utf8')
    appendSum(sums)
    refuses(install('--unsigned'), 1, 'SHA256SUMS')
    writeFileSync(join(release, 'SHA256SUMS'), sums.replaceAll(/^[0-9a-f]{64}/gm, 'x'.repeat(64)))
    refuses(install('--unsigned'), 1, 'SHA256SUMS is odd')
    writeFileSync(join(release, 'SHA256SUMS'), '')
    refuses(install('--unsigned'), 1, 'exactly once')
  })

  test.skipIf(Bun.which('shellcheck') === null)('has nothing that shellcheck finds', () => {
    const run = Bun.spawnSync(['shellcheck', script])
    expect(run.stdout.toString()).toBe('')
    expect(run.exitCode).toBe(0)
  })
})

type Ran = { readonly status: number; readonly stdout: string; readonly stderr: string }

function install(...args: readonly string[]): Ran {
  const run = Bun.spawnSync(['sh', script, `--prefix=${prefix}`, ...args, release], {
    stdin: 'ignore',
    stderr: 'pipe',
  })
  return { status: run.exitCode, stdout: run.stdout.toString(), stderr: run.stderr.toString() }
}

function refuses({ status, stderr }: Ran, expected: number, reason: string): void {
  expect([status, stderr]).toEqual([expected, expect.stringContaining(reason)])
  expect(existsSync(join(prefix, 'bin/tatum-kms'))).toBe(false)
}

function installed(): string {
  return readFileSync(join(prefix, 'bin/tatum-kms'), 'utf8')
}

function appendSum(text: string): void {
  appendFileSync(join(release, 'SHA256SUMS'), text)
}

function remove(name: string): void {
  rmSync(join(release, name))
}

function minisign(...args: readonly string[]): void {
  const run = Bun.spawnSync(['minisign', ...args], { stdin: 'ignore', stderr: 'pipe' })
  if (run.exitCode !== 0) throw new Error(run.stderr.toString())
}
