import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
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
