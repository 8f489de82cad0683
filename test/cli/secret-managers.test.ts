import { afterAll, afterEach, beforeAll, describe, expect, test } from 'bun:test'
import { mkdirSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { managerNames, managers } from '../../src/password/managers/names.ts'
import { makeHome, runDaemonOnce } from '../support/daemon-process.ts'
import { type FakeManagers, startFakeManagers } from '../support/fake-managers/server.ts'
import { type Settings, settingsFor, without } from '../support/fake-managers/variables.ts'
import { startFakeTatum } from '../support/fake-tatum.ts'
import { btcPayment, wallets } from '../support/payments.ts'
import { type Ending, runProgram } from '../support/program.ts'
import { storeWallets, testPassword } from '../support/test-vault.ts'
import { tracesIn } from '../support/traces.ts'

const canLookInto = process.platform === 'linux' && process.getuid?.() === 0

let fake: FakeManagers
let home: ReturnType<typeof makeHome>
let settings: ReturnType<typeof settingsFor>
beforeAll(async () => {
  fake = startFakeManagers(testPassword)
  settings = settingsFor(fake.url)
  const template = join(fake.certFile, '../template')
  mkdirSync(template, { mode: 0o700 })
  await storeWallets(template, Object.values(wallets))
  home = makeHome(template)
})
afterEach(() => {
  fake.instead = undefined
  fake.asked.length = 0
})
afterAll(() => {
  home[Symbol.dispose]()
  fake[Symbol.dispose]()
})

/** The shortest command that needs the password. */
async function list(flags: readonly string[], env: Settings): Promise<Ending> {
  const trusted = { TATUM_KMS_MANAGER_CA_FILE: fake.certFile, ...env }
  const path = `--path=${join(home.folder, 'wallet.dat')}`
  const run = await runProgram(['list', path, ...flags], { home: home.folder, env: trusted })
  const secrets = Object.values(env).filter(value => value.length >= 12 && value !== fake.url)
  const marked = Object.fromEntries([testPassword, ...secrets].entries())
  expect(tracesIn(run.stdout + run.stderr, marked)).toEqual([])
  return run
}

const opened = { status: 0, stdout: expect.stringContaining(wallets.ethKey.id), stderr: '' }

describe.each(managerNames)('--%s', manager => {
  test('opens the vault', async () => {
    expect(await list([`--${manager}`], settings[manager])).toEqual(opened)
  })

  test('opens the vault with settings of an env file that nobody else can read', async () => {
    const path = join(home.folder, `env-${manager}`)
    const lines = Object.entries(settings[manager]).map(([name, value]) => `${name}='${value}'`)
    writeFileSync(path, lines.join('\n'), { mode: 0o600 })
    const flags = [`--${manager}`, `--env-file=${path}`]
    expect(await list(flags, {})).toEqual(opened)
    rmSync(path)
    writeFileSync(path, lines.join('\n'), { mode: 0o644 })
    expect(await list(flags, {})).toMatchObject({ status: 15, stdout: '' })
  })

  test('says what is missing, and asks nobody', async () => {
    const { status, stdout, stderr } = await list([`--${manager}`], {})
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' })
    expect(stderr).toMatch(/^tatum-kms: error: [A-Z_, ]+ are not set\n$/)
    expect(fake.asked).toEqual([])
  })

  test('is asked once when it refuses, three times when it is not well', async () => {
    fake.instead = () => new Response('', { status: 403 })
    const refused = await list([`--${manager}`], settings[manager])
    expect(refused.status).toBe(2)
    expect(refused.stderr).toMatch(
      /^tatum-kms: error: [^\n]+ refused access \(403\)\ntatum-kms: hint: check [^\n]+\n$/,
    )
    expect(fake.asked).toHaveLength(1)
    fake.instead = () => new Response('', { status: 503 })
    const unwell = await list([`--${manager}`], settings[manager])
    expect(unwell.status).toBe(30)
    expect(unwell.stderr).toMatch(/^tatum-kms: error: [^\n]+ answered 503\ntatum-kms: hint: /)
    expect(fake.asked).toHaveLength(4)
  })

  test('that nobody vouches for is not trusted', async () => {
    const untrusted = { ...settings[manager], TATUM_KMS_MANAGER_CA_FILE: '' }
    const { status, stderr } = await list([`--${manager}`], untrusted)
    expect(status).toBe(30)
    expect(stderr).toContain('could not reach')
    expect(fake.asked).toEqual([])
  })

  test.skipIf(!canLookInto)('is asked by a process that knows nothing else', async () => {
    let child: ReturnType<typeof lookAtChild>
    fake.instead = () => {
      child ??= lookAtChild()
      return undefined
    }
    const env = { ...settings[manager], TATUM_API_KEY: 'not-for-the-child', SOMETHING: 'else' }
    expect(await list([`--${manager}`], env)).toMatchObject({ status: 0 })
    const names = Object.keys({ ...settings[manager], TATUM_KMS_MANAGER_CA_FILE: '' })
    expect(child?.arguments.slice(-2)).toEqual(['fetch-password', manager])
    expect(child?.arguments.join(' ')).not.toContain(home.folder)
    expect(Object.keys(child?.environment ?? {}).toSorted()).toEqual(names.toSorted())
    expect(child?.openFiles.filter(name => name.startsWith(home.folder))).toEqual([])
    // Neither shows a credential in /proc any more.
    const { environment = {}, parentEnvironment = {} } = child ?? {}
    const shown = managers[manager].variables.flatMap(name => [
      environment[name] ?? '',
      parentEnvironment[name] ?? '',
    ])
    expect(shown.join('')).toBe('')
    expect(Object.keys(parentEnvironment)).toContain(names[0] ?? '')
  })
})

describe('what is kept', () => {
  const answers: readonly (readonly [string, string])[] = [
    ['hunter2hunter2\n', 'holds a line break or more than 4096 bytes'],
    ['hunter2\nhunter2', 'holds a line break or more than 4096 bytes'],
    ['h'.repeat(4097), 'holds a line break or more than 4096 bytes'],
    ['', 'is empty'],
  ]
  test.each(answers)('as %j is no password: refused in a sentence', async (value, complaint) => {
    fake.instead = () => Response.json({ data: [{ value }] })
    const { status, stdout, stderr } = await list(['--vgs'], settings.vgs)
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' })
    expect(stderr).toContain(complaint)
    expect(stderr).not.toContain('hunter')
  })

  test.each(['another password', 'é'.repeat(2048), '\0\x03'])(
    'as %j is another password',
    async value => {
      fake.instead = () => Response.json({ data: [{ value }] })
      expect(await list(['--vgs'], settings.vgs)).toMatchObject({
        status: 12,
        stderr: 'tatum-kms: error: wrong password\n',
      })
    },
  )
})

describe('the first source that is given', () => {
  const unwanted = (): Settings => ({ ...settings.hashicorp, TATUM_KMS_PASSWORD: 'wrong password' })

  test('is a file, then a credential of systemd, then the manager, then the variable', async () => {
    const file = `--password-file=${join(home.folder, 'password')}`
    expect(await list([file, '--hashicorp'], unwanted())).toEqual(opened)
    expect(fake.asked).toEqual([])
    expect(await list(['--hashicorp'], unwanted())).toEqual(opened)
    expect(fake.asked).toHaveLength(1)
    const folder = join(home.folder, 'credentials')
    mkdirSync(folder)
    const credentials = { CREDENTIALS_DIRECTORY: folder }
    expect(await list(['--hashicorp'], { ...unwanted(), ...credentials })).toEqual(opened)
    expect(fake.asked).toHaveLength(2)
    writeFileSync(join(folder, 'vault-password'), testPassword, { mode: 0o400 })
    expect(await list(['--hashicorp'], { ...unwanted(), ...credentials })).toEqual(opened)
    expect(fake.asked).toHaveLength(2)
    writeFileSync(join(home.folder, 'other'), 'wrong', { mode: 0o600 })
    const other = `--password-file=${join(home.folder, 'other')}`
    expect(await list([other], credentials)).toMatchObject({ status: 12 })
  })

  test('is not one of two managers', async () => {
    const { status, stderr } = await list(['--vgs', '--aws'], settings.vgs)
    expect(status).toBe(2)
    expect(stderr).toContain('--aws and --vgs are given')
    expect(fake.asked).toEqual([])
  })
})

describe('commands', () => {
  test('a new vault gets the password that is kept', async () => {
    const path = `--path=${join(home.folder, 'new/wallet.dat')}`
    const env = { ...settings.vgs, TATUM_KMS_MANAGER_CA_FILE: fake.certFile }
    const make = ['generatemanagedwallet', 'ETH', '--kdf-cost=14', '--vgs', path]
    expect(await runProgram(make, { home: home.folder, env })).toMatchObject({ status: 0 })
    const file = `--password-file=${join(home.folder, 'password')}`
    const read = await runProgram(['list', path, file], { home: home.folder })
    expect(read).toMatchObject({ status: 0, stderr: '' })
  })

  test.each([
    { ca: () => join(home.folder, 'none'), complaint: 'cannot be read \\(ENOENT\\)' },
    { ca: () => home.folder, complaint: 'is not a file of at most 65536 bytes' },
    { ca: () => join(home.folder, 'password'), complaint: 'holds no certificate in PEM' },
  ])('a file of authorities that is none: $complaint', async ({ ca, complaint }) => {
    const env = { ...settings.vgs, TATUM_KMS_MANAGER_CA_FILE: ca() }
    const { status, stderr } = await list(['--vgs'], env)
    expect(status).toBe(2)
    expect(stderr).toMatch(new RegExp(`^tatum-kms: error: [^\n]+${complaint}\n$`))
  })

  test('VAULT_CACERT vouches for HashiCorp Vault, as with its own tools', async () => {
    const env = {
      ...settings.hashicorp,
      VAULT_CACERT: fake.certFile,
      TATUM_KMS_MANAGER_CA_FILE: '',
    }
    expect(await list(['--hashicorp'], env)).toEqual(opened)
  })

  test.each([[], ['aws'], ['nobody']])('fetch-password is not for people: %j', async (...args) => {
    const run = await runProgram(['fetch-password', ...args], { home: home.folder, env: {} })
    expect(run).toMatchObject({ status: 2, stdout: '' })
  })

  test.skipIf(process.platform === 'win32')('the daemon pays', async () => {
    await using tatum = startFakeTatum({ network: 'mainnet' })
    const id = tatum.queue(btcPayment(1))
    const env = { ...settings.aws, TATUM_KMS_MANAGER_CA_FILE: fake.certFile }
    const run = await runDaemonOnce(home.folder, tatum, [`--external-url=${tatum.approverUrl}`], {
      env,
      password: '--aws',
    })
    expect(run).toMatchObject({ status: 0 })
    expect(tatum.state.settled.has(id)).toBe(true)
    expect(fake.asked).toEqual(['POST /'])
  })

  test.skipIf(process.platform === 'win32')(
    'the daemon ends with what the manager said',
    async () => {
      await using tatum = startFakeTatum({ network: 'mainnet' })
      const env = without(settings.aws, 'TATUM_KMS_AWS_REGION')
      const run = await runDaemonOnce(home.folder, tatum, [`--external-url=${tatum.approverUrl}`], {
        env,
        password: '--aws',
      })
      expect(run).toEqual({
        status: 2,
        said: 'tatum-kms: error: TATUM_KMS_AWS_REGION is not set\n',
      })
    },
  )
})

/** The process that asks, and the one that started it, as proc(5) shows them. */
function lookAtChild() {
  const pid = readdirSync('/proc').find(
    name => /^\d+$/.test(name) && textOf(name, 'cmdline').includes('\0fetch-password\0'),
  )
  if (pid === undefined) return undefined
  const parent = /^PPid:\s*(\d+)$/m.exec(textOf(pid, 'status'))?.[1] ?? ''
  return {
    arguments: textOf(pid, 'cmdline').split('\0').slice(0, -1),
    environment: variablesOf(pid),
    parentEnvironment: variablesOf(parent),
    openFiles: openFilesOf(pid),
  }
}

function variablesOf(pid: string): Readonly<Record<string, string>> {
  const pairs = textOf(pid, 'environ')
    .split('\0')
    .filter(text => text.includes('='))
  return Object.fromEntries(pairs.map(pair => pair.split(/=(.*)/s, 2)))
}

function textOf(pid: string, name: string): string {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'utf8')
  } catch {
    return ''
  }
}

function openFilesOf(pid: string): readonly string[] {
  return readdirSync(`/proc/${pid}/fd`).map(fd => {
    try {
      return readlinkSync(`/proc/${pid}/fd/${fd}`)
    } catch {
      return ''
    }
  })
}
