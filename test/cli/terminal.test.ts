import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { playAtTerminal, python, type Step } from '../support/at-terminal.ts'
import { encryptOriginal } from '../support/original-file.ts'
import { runProgram } from '../support/program.ts'
import { binaryUnderTest } from '../support/script.ts'

const key = '1ab42cc412b618bdea3a599e3c9bae199ebf030895b039e9db1e30dafb12b727'
const ask = 'Password of the vault: '
let home = ''

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'kms-terminal-'))
  writeFileSync(join(home, 'pw'), 'correct horse\n', { mode: 0o600 })
  await runProgram(['storemanagedprivatekey', 'ETH', '--kdf-cost=14', '--password-file=pw'], {
    home,
    input: key,
  })
})
afterAll(() => rmSync(home, { recursive: true }))

function play(args: readonly string[], steps: readonly Step[] = []) {
  const command = ['env', '-C', home, ...binaryUnderTest, ...args]
  const env = { HOME: home, PATH: process.env['PATH'] }
  return playAtTerminal({ command, attached: true, steps }, env)
}

describe.skipIf(python === null)('at a real terminal (needs python3)', () => {
  test('the password is asked for and nothing of it is shown', async () => {
    const { status, screen, answer, echoes, restored } = await play(
      ['list', '--json'],
      [[ask, 'correct horse\n']],
    )
    expect({ status, screen, echoes, restored }).toEqual({
      status: 0,
      screen: `${ask}\r\n`,
      echoes: [false],
      restored: true,
    })
    expect(JSON.parse(answer)).toHaveLength(1)
  })

  test.each([
    ['Ctrl-C', '\x03', 130],
    ['SIGINT', 2, 130],
    ['SIGTERM', 15, 143],
    ['SIGHUP', 1, 143],
  ])('%s at the prompt leaves the terminal as it was', async (_, typed, wanted) => {
    const { status, answer, echoes, restored } = await play(['export'], [[ask, typed]])
    expect({ status, answer, echoes, restored }).toEqual({
      status: wanted,
      answer: '',
      echoes: [false],
      restored: true,
    })
  })

  test('a batch shows how far it has come, and takes that away', async () => {
    const { status, screen, answer } = await play([
      ...['generatemanagedprivatekeybatch', 'ETH', '1200'],
      ...['--password-file=pw', '--path=batch.dat', '--kdf-cost=14'],
    ])
    expect(status).toBe(0)
    expect(answer.trimEnd().split('\n')).toHaveLength(1_200)
    expect(screen).toMatch(/ETH keys █+░+ 42% \(512 of 1200\)/)
    expect(screenAfter(screen)).toBe('')
  })

  test('verifying a copy and migrating show it, too, beside their warnings', async () => {
    await runProgram(['backup', 'create', 'copy.dat'], { home })
    const verified = await play(['backup', 'verify', 'copy.dat', '--password-file=pw'])
    expect(verified.status).toBe(0)
    expect(verified.screen).toContain('wallets ░')
    expect(screenAfter(verified.screen)).toBe('')

    const entry = { privateKey: `0x${key}`, chain: 'FOO', testnet: false }
    const wallets = { '00000000-0000-4000-8000-000000000001': entry }
    writeFileSync(join(home, 'old.dat'), encryptOriginal(JSON.stringify(wallets), 'old'))
    writeFileSync(join(home, 'old-pw'), 'old\n', { mode: 0o600 })
    const migrated = await play([
      ...['migrate', 'old.dat', '--from-password-file=old-pw'],
      ...['--password-file=pw', '--path=new.dat', '--kdf-cost=14'],
    ])
    expect(migrated.status).toBe(0)
    expect(migrated.screen).toContain('wallets ░')
    expect(screenAfter(migrated.screen)).toMatch(
      /^(tatum-kms: warning: [^\n]+\n)*tatum-kms: warning: FOO wallets are kept[^\n]+\n(tatum-kms: warning: [^\n]+\n)*$/,
    )
  })
})

test('without a terminal there is no bar', async () => {
  const args = ['generatemanagedprivatekeybatch', 'ETH', '3', '--password-file=pw']
  const { status, stderr } = await runProgram([...args, '--path=bar.dat', '--kdf-cost=14'], {
    home,
  })
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
})

/** What stands there in the end, after all that was cleared. */
function screenAfter(screen: string): string {
  return screen
    .replaceAll('\r\n', '\n')
    .split('\n')
    .map(line => line.slice(line.lastIndexOf('\r\x1b[K') + 1).replace('\x1b[K', ''))
    .join('\n')
}
