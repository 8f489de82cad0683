import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runProgram } from '../support/program.ts'
import { binaryUnderTest } from '../support/script.ts'

const mnemonic = `${'abandon '.repeat(11)}about`
let home = ''
let id = ''

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'kms-odd-'))
  writeFileSync(join(home, 'pw'), 'a password of many words\n', { mode: 0o600 })
  const { stdout } = await kms(['storemanagedwallet', 'BTC', '--kdf-cost=14'], { input: mnemonic })
  id = JSON.parse(stdout).signatureId
})
afterAll(() => rmSync(home, { recursive: true }))

type Options = {
  readonly input?: string | Uint8Array
  readonly env?: Readonly<Record<string, string | undefined>>
}

function kms(args: readonly string[], options: Options = {}) {
  return runProgram([...args, '--password-file=pw'], { home, ...options })
}

/** `kms` is the program there, and $KMS its path. */
async function inShell(script: string) {
  const run = Bun.spawn(['sh', '-c', `kms() { ${program} "$@"; }; ${script}`], {
    cwd: home,
    env: { HOME: home, PATH: process.env['PATH'] ?? '', KMS: binaryUnderTest[0] },
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
    detached: true,
    timeout: 30_000,
  })
  const [stdout, stderr] = await Promise.all([run.stdout.text(), run.stderr.text()])
  return { status: await run.exited, stdout, stderr }
}

const program = binaryUnderTest.map(word => `'${word}'`).join(' ')

describe('a secret on stdin', () => {
  test('of a megabyte is refused, not read to its end', async () => {
    const input = 'abandon '.repeat(131_072)
    for (const command of ['storemanagedwallet', 'storemanagedprivatekey']) {
      const { status, stdout, stderr } = await kms([command, 'BTC'], { input })
      expect({ status, stdout }).toEqual({ status: 2, stdout: '' })
      expect(stderr).toBe('tatum-kms: error: a secret is longer than 4096 bytes\n')
    }
  })

  test('is its first line, whatever megabytes follow', async () => {
    const input = `${mnemonic}\r\n${'x'.repeat(1 << 20)}`
    const { status, stdout } = await kms(['storemanagedwallet', 'BTC'], { input })
    expect(status).toBe(0)
    expect(JSON.parse(stdout).xpub).toStartWith('xpub6ELHKXNimKbxMCytPh7EdC2QXx46T9qLDJWGnT')
  })

  test.each([
    ['bytes that are no UTF-8', new Uint8Array(100).fill(0xff)],
    ['zeros', new Uint8Array(100)],
    ['a terminal sequence', `\x1b]0;x\x07${mnemonic}`],
    ['JSON', '{"__proto__":{"a":1}}'],
    ['other words than English', 'ábaco '.repeat(12)],
  ])('of %s is refused and not repeated', async (_, input) => {
    const { status, stdout, stderr } = await kms(['storemanagedwallet', 'BTC'], { input })
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' })
    expect(stderr).toMatch(/^tatum-kms: error: [ -~]{1,100}\n(tatum-kms: hint: [ -~]{1,100}\n)?$/)
    expect(stderr).not.toMatch(/proto|abandon|baco/)
  })
})

describe('arguments', () => {
  const odd: readonly (readonly [string, string])[] = [
    ['a terminal sequence', '\x1b[2J'],
    ['a path', '../../../etc/passwd'],
    ['a format', '%s%n'],
    ['a command', '$(id)'],
    ['a picture', '🔑'],
    ['a space', ' '],
    ['two lines', 'a\nb'],
    ['a hundred thousand letters', 'x'.repeat(100_000)],
  ]
  test.each(odd)('like %s are an unknown wallet and not repeated', async (_, text) => {
    const { status, stdout, stderr } = await kms(['getaddress', text, '0'])
    expect({ status, stdout }).toEqual({ status: 16, stdout: '' })
    expect(stderr).toBe('tatum-kms: error: no wallet of that id in the vault\n')
  })

  test.each(odd)('like %s are no chain', async (_, text) => {
    const { status, stdout, stderr } = await runProgram(['generatewallet', text], { home })
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' })
    expect(stderr).toStartWith('tatum-kms: error: unsupported blockchain\n')
    expect(stderr.length).toBeLessThan(300)
  })

  test.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty', '\u202e', 'NaN'])(
    'like %p are no wallet, for no command, and nothing changes',
    async text => {
      const before = readFileSync(join(home, '.tatumrc/wallet.dat'))
      const commands = [['getmanagedwallet'], ['getprivatekey', '0'], ['getaddress', '0']]
      for (const [command = '', ...rest] of [...commands, ['removewallet']]) {
        const { status, stdout, stderr } = await kms([command, text, ...rest])
        expect({ command, status, stdout }).toEqual({ command, status: 16, stdout: '' })
        expect(stderr).toMatch(/^tatum-kms: error: no wallet [\w ]+ in the vault\n$/)
      }
      expect(readFileSync(join(home, '.tatumrc/wallet.dat')).equals(before)).toBe(true)
    },
  )

  test('that are no UTF-8 are no wallet and no chain', async () => {
    for (const [command, wanted] of [
      ['getaddress "$bad" 0 --password-file=pw', 16],
      ['report "$bad" --password-file=pw', 0],
      ['generatewallet "$bad"', 2],
      ['"$bad"', 2],
      ['list "--$bad"', 2],
      ['export --path="$bad" --password-file=pw', 10],
    ] as const) {
      // A lone surrogate as CESU-8 has it.
      const { status, stderr } = await inShell(`bad=$(printf '\\355\\240\\200'); kms ${command}`)
      expect({ command, status }).toEqual({ command, status: wanted })
      expect(stderr).not.toMatch(/\n {4}at |Error:/)
    }
  })

  test('of a megabyte in all are counted and not repeated', async () => {
    const texts = Array.from({ length: 12 }, () => 'x'.repeat(90_000))
    const { status, stdout, stderr } = await kms(['getaddress', ...texts])
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' })
    expect(stderr).toStartWith('tatum-kms: error: getaddress takes 2 arguments, not 12\n')
    expect(stderr.length).toBeLessThan(300)
  })

  test.each([
    ['a terminal sequence', '\x1b[2J\x9b2J'],
    ['a hundred thousand letters', 'x'.repeat(100_000)],
  ])('like %s as the name of a file do not reach the terminal', async (_, path) => {
    const { status, stdout, stderr } = await kms(['export', '--path', path])
    expect(status).not.toBe(0)
    expect(stdout).toBe('')
    expect(stderr.length).toBeLessThan(2_500)
    expect(stderr).not.toMatch(/[^\n\P{Cc}]/u)
  })

  test('that look like numbers are names of files', async () => {
    for (const name of ['1e5', '0x10']) {
      const { status } = await kms(['generatemanagedwallet', 'BTC', '--path', `numbers/${name}`])
      expect(status).toBe(0)
    }
    const made = readdirSync(join(home, 'numbers')).filter(name => !name.endsWith('.lock'))
    expect(made.sort()).toEqual(['0x10', '1e5'])
  })
})

test('a vault behind a symbolic link is refused, before a password is read', async () => {
  mkdirSync(join(home, 'links'), { mode: 0o700 })
  symlinkSync('../.tatumrc/wallet.dat', join(home, 'links/wallet.dat'))
  const commands = [
    ['getaddress', id, '0'],
    ['export'],
    ['removewallet', id],
    ['generatemanagedwallet', 'BTC'],
  ]
  for (const command of commands) {
    const args = [...command, '--path=links/wallet.dat', '--password-file=missing']
    const { status, stdout, stderr } = await runProgram(args, { home })
    expect({ status, stdout }).toEqual({ status: 15, stdout: '' })
    expect(stderr).toMatch(/^tatum-kms: error: .*links\/wallet.dat: it is a symbolic link$/m)
  }
  expect(readdirSync(join(home, 'links'))).toEqual(['wallet.dat'])
})

test('without HOME a named vault is used', async () => {
  for (const HOME of [undefined, '']) {
    const args = ['getaddress', id, '0', '--path=.tatumrc/wallet.dat']
    const { status, stdout } = await kms(args, { env: { HOME } })
    expect(status).toBe(0)
    expect(JSON.parse(stdout)).toEqual({ address: 'bc1qmxrw6qdh5g3ztfcwm0et5l8mvws4eva24kmp8m' })
  }
})

test('a closed stdin, stdout or stderr is like one that nobody is at', async () => {
  const before = readFileSync(join(home, '.tatumrc/wallet.dat'))
  const get = `kms getaddress ${id} 0 --password-file=pw`
  expect(await inShell(`${get} <&-`)).toMatchObject({ status: 0, stderr: '' })
  expect(await inShell(`${get} >&-`)).toMatchObject({ status: 0, stdout: '', stderr: '' })
  expect(await inShell(`${get} 2>&-`)).toMatchObject({ status: 0 })
  expect(await inShell(`${get} <&- >&- 2>&-`)).toMatchObject({ status: 0 })
  expect(await inShell('kms storemanagedwallet BTC --password-file=pw <&-')).toMatchObject({
    status: 2,
    stdout: '',
  })
  expect(readFileSync(join(home, '.tatumrc/wallet.dat')).equals(before)).toBe(true)
})

test.skipIf(process.getuid?.() !== 0 || Bun.which('setpriv') === null)(
  'files that this user may not read are said to be that (needs root)',
  async () => {
    const as = 'setpriv --reuid=65534 --regid=65534 --clear-groups'
    for (const command of [
      'export',
      'inspect',
      `getaddress ${id} 0`,
      'generatemanagedwallet BTC',
      'backup create copy',
    ]) {
      const { status, stdout, stderr } = await inShell(
        `${as} "$KMS" ${command} --path="$PWD/.tatumrc/wallet.dat"`,
      )
      expect({ command, status, stdout }).toEqual({ command, status: 15, stdout: '' })
      expect(stderr).toMatch(/^tatum-kms: error: [^\n]+\n(tatum-kms: hint: [^\n]+\n)?$/)
    }
  },
)

test('without a password and a terminal it is said how to give one', async () => {
  for (const TATUM_KMS_PASSWORD of [undefined, '']) {
    const { status, stdout, stderr } = await runProgram(['export'], {
      home,
      env: { TATUM_KMS_PASSWORD },
    })
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' })
    expect(stderr).toBe(
      'tatum-kms: error: there is no terminal to ask at\n' +
        'tatum-kms: hint: give the password with --password-file or --password-fd\n',
    )
  }
})

test('a file .env in the working directory is not read', async () => {
  const elsewhere = join(home, 'elsewhere')
  mkdirSync(elsewhere)
  writeFileSync(join(elsewhere, '.env'), 'TATUM_KMS_PASSWORD=planted\n')
  const { status, stderr } = await runProgram(['export', '--path=../.tatumrc/wallet.dat'], {
    home: elsewhere,
  })
  expect(status).toBe(2)
  expect(stderr).toContain('no terminal to ask at')
})

test('help and the keys of a batch that cannot be written are a failure', async () => {
  for (const command of [
    '--help',
    'man',
    'generatewallet BTC',
    'generatemanagedprivatekeybatch ETH 2 --path=full/wallet.dat --kdf-cost=14 --password-file=pw',
  ]) {
    expect(await inShell(`kms ${command} >/dev/full`)).toEqual({
      status: 1,
      stdout: '',
      stderr: 'tatum-kms: error: the answer could not be written (ENOSPC)\n',
    })
  }
})

test('an answer that cannot be written is a failure', async () => {
  const args = ['getaddress', id, '0', '--password-file=pw']
  const full = Bun.spawn(['sh', '-c', 'exec "$@" >/dev/full', 'sh', ...binaryUnderTest, ...args], {
    cwd: home,
    env: { HOME: home, PATH: process.env['PATH'] ?? '' },
    stderr: 'pipe',
  })
  const message = await full.stderr.text()
  expect(await full.exited).toBe(1)
  expect(message).toBe('tatum-kms: error: the answer could not be written (ENOSPC)\n')
})
