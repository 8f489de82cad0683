import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import {
  appendFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { refuseReplaceable } from '../../src/cli/services/machine.ts'
import { isUnchanged, stamped } from '../../src/cli/services/stamp.ts'
import { asOtherUser, canChangeUser } from '../support/confinement.ts'
import { type Ending, runProgram } from '../support/program.ts'
import { refusalOf } from '../support/secret.ts'

/** Nothing here installs into the machine itself: test/systemd does, in one of its own. */
let root: string
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'kms-install-'))
})
afterEach(() => rmSync(root, { recursive: true }))

const binary = '/usr/local/bin/tatum-kms'
const unit = '/etc/systemd/system/tatum-kms.service'
const split = [
  '/etc/systemd/system/tatum-kms-front.service',
  '/etc/systemd/system/tatum-kms-signer.service',
  '/etc/systemd/system/tatum-kms-signer.socket',
  '/etc/sysusers.d/tatum-kms.conf',
  '/etc/tatum-kms/front.env',
  '/etc/tatum-kms/signer.env',
] as const

describe.skipIf(Bun.which('systemctl') === null)('install-service into an image', () => {
  test('writes the unit and its settings, says so, and runs nothing', async () => {
    const { status, stdout } = await install()
    expect(status).toBe(0)
    expect(filesIn(root)).toEqual([unit, '/etc/tatum-kms/daemon.env'])
    expect(stdout).toContain(`wrote ${root}${unit}\n`)
    expect(stdout).not.toMatch(/^(ran|sealed)/m)
    expect(read(unit)).toContain(`BindReadOnlyPaths=${binary}:/tatum-kms `)
    expect(modeOf(unit)).toBe(0o644)
    expect(modeOf('/etc/tatum-kms/daemon.env')).toBe(0o600)
    expect(modeOf('/var/lib/tatum-kms')).toBe(0o700)
  })

  test('writes both units, their socket and the user with --split', async () => {
    expect((await install('--split')).status).toBe(0)
    expect(filesIn(root)).toEqual(split)
  })

  test('keeps what is there already, and settings that were changed', async () => {
    await install()
    appendFileSync(join(root, '/etc/tatum-kms/daemon.env'), 'TATUM_API_URL=https://example.com\n')
    const { status, stdout } = await install()
    expect(status).toBe(0)
    expect(
      stdout
        .trim()
        .split('\n')
        .every(line => line.startsWith('kept ')),
    ).toBe(true)
    expect(read('/etc/tatum-kms/daemon.env')).toContain('example.com')
  })

  test('replaces a unit of another version, but none that somebody has changed', async () => {
    await install()
    const current = read(unit)
    writeFileSync(join(root, unit), stamped('[Unit]\nDescription=of another version\n'))
    expect((await install()).stdout).toContain(`replaced ${root}${unit}`)
    expect(read(unit)).toBe(current)
    appendFileSync(join(root, unit), '# mine\n')
    const refused = await install()
    expect(refused.status).toBe(2)
    expect(refused.stderr).toContain(`${unit} is not as it was installed`)
    expect(read(unit)).toContain('# mine')
    expect((await install('--force')).status).toBe(0)
    expect(read(unit)).toBe(current)
  })

  test('with --dry-run says the same and does nothing', async () => {
    const { status, stdout } = await install('--dry-run', '--split')
    expect(status).toBe(0)
    expect(stdout).toContain(`would write ${root}/etc/systemd/system/tatum-kms-signer.socket\n`)
    expect(filesIn(root)).toEqual([])
    expect(readdirSync(root)).toEqual([])
  })

  test.each(['tatum-kms', '/usr/bin/tatum kms', '/x:/y', '/%h/kms', '/a\nb'])(
    'refuses a program called %j',
    async path => {
      const { status } = await run('install-service', `--binary=${path}`)
      expect(status).toBe(2)
      expect(filesIn(root)).toEqual([])
    },
  )

  test.skipIf(!canChangeUser)('asks root to install into the machine itself', async () => {
    const program = join(root, 'tatum-kms')
    const nobody = Bun.spawnSync(
      [...asOtherUser, 'sh', '-c', 'exec "$0" "$@"', ...(await readableProgram(program))],
      { cwd: '/', env: { PATH: '/usr/bin:/bin', HOME: '/' }, stderr: 'pipe' },
    )
    expect(nobody.stderr.toString()).toContain('only root installs and removes services')
    expect(nobody.exitCode).toBe(15)
  })
})

describe.skipIf(Bun.which('systemctl') === null)('uninstall-service', () => {
  test.each([
    ['one unit', []],
    ['two units', ['--split']],
  ])('leaves the vault of %s, and what its owner has written', async (_, args) => {
    await install(...args)
    writeFileSync(join(root, 'var/lib/tatum-kms/wallet.dat'), 'the vault')
    writeFileSync(join(root, 'etc/tatum-kms/policy/policy.toml'), 'mine')
    const { status, stderr } = await run('uninstall-service')
    expect(status).toBe(0)
    expect(stderr).toContain('/var/lib/tatum-kms')
    expect(filesIn(root)).toEqual([
      '/etc/tatum-kms/policy/policy.toml',
      '/var/lib/tatum-kms/wallet.dat',
    ])
    expect(existsSync(join(root, 'usr/local/lib/tatum-kms'))).toBe(false)
  })

  test('refuses to remove what was changed, unless it is forced to', async () => {
    await install()
    appendFileSync(join(root, unit), '# mine\n')
    expect((await run('uninstall-service')).status).toBe(2)
    expect(filesIn(root)).toEqual([unit, '/etc/tatum-kms/daemon.env'])
    expect((await run('uninstall-service', '--force')).status).toBe(0)
    expect(filesIn(root)).toEqual([])
  })

  test('where nothing was installed says that nothing was to be removed', async () => {
    const { status, stdout } = await run('uninstall-service')
    expect(status).toBe(0)
    expect(stdout).not.toContain('.service')
  })
})

describe('a stamp', () => {
  test('holds for the text it was made for alone', () => {
    const text = stamped('[Unit]\n')
    expect(isUnchanged(text)).toBe(true)
    for (const other of [
      '',
      '[Unit]\n',
      `${text}x`,
      `x${text}`,
      text.replace('U', 'V'),
      text.trim(),
    ]) {
      expect(isUnchanged(other)).toBe(false)
    }
  })
})

test.skipIf(process.platform === 'win32')('a program that others can replace is refused', () => {
  // Everybody may write to the folder that it is in.
  const program = join(root, 'tatum-kms')
  writeFileSync(program, '', { mode: 0o755 })
  expect(refusalOf(() => refuseReplaceable(program)).code).toBe('unsafe-permissions')
  expect(refusalOf(() => refuseReplaceable(join(root, 'none'))).code).toBe('usage')
})

function install(...args: readonly string[]): Promise<Ending> {
  return run('install-service', `--binary=${binary}`, ...args)
}

function run(...args: readonly string[]): Promise<Ending> {
  return runProgram([...args, `--root=${root}`], { home: root })
}

/** Of a copy of the program where everybody may go. */
async function readableProgram(path: string): Promise<readonly string[]> {
  const { binaryUnderTest } = await import('../support/script.ts')
  const [program = '', ...rest] = binaryUnderTest
  Bun.spawnSync(['cp', program, path])
  Bun.spawnSync(['chmod', '755', path, root])
  return [path, ...rest, 'install-service', `--binary=${binary}`]
}

function filesIn(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map(name => join('/', name))
    .filter(name => statSync(join(folder, name)).isFile())
    .toSorted()
}

function read(path: string): string {
  return readFileSync(join(root, path), 'utf8')
}

function modeOf(path: string): number {
  return statSync(join(root, path)).mode & 0o777
}
