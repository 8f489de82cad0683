import { afterEach, beforeEach, expect, test } from 'bun:test'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runProgram, startProgram } from '../support/program.ts'

let home = ''

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'kms-interrupted-'))
  writeFileSync(join(home, 'pw'), 'a password of many words\n', { mode: 0o600 })
})
afterEach(() => rmSync(home, { recursive: true }))

const signals = [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const

test.each(signals)(
  'a batch that gets %s stops at whole keys: what is printed is in the vault, and counted',
  async (signal, wanted) => {
    const run = startProgram(
      ['generatemanagedprivatekeybatch', 'ETH', '20000', '--password-file=pw', '--kdf-cost=14'],
      { home },
    )
    let printed = ''
    for await (const piece of run.stdout) {
      if (printed === '') run.kill(signal)
      printed += Buffer.from(piece).toString()
    }
    const stderr = await run.stderr.text()
    expect(await run.exited).toBe(wanted)
    const ids = printed
      .trimEnd()
      .split('\n')
      .map(line => String(JSON.parse(line).signatureId))
    expect(stderr).toBe(
      `tatum-kms: error: stopped: ${ids.length} of 20000 keys are stored, all printed above\n`,
    )
    expect(ids.length).toBeGreaterThan(0)
    expect(ids.length).toBeLessThan(20_000)
    expect(await storedIds()).toEqual(ids)
  },
  60_000,
)

test('a batch stopped before its first keys has made no vault', async () => {
  const run = startProgram(
    ['generatemanagedprivatekeybatch', 'ETH', '100000', '--password-file=pw'],
    { home },
  )
  // Before scrypt is over.
  await Bun.sleep(150)
  run.kill('SIGTERM')
  expect(await run.exited).toBe(143)
  expect(await run.stdout.text()).toBe('')
  const { status } = await runProgram(['list', '--password-file=pw'], { home })
  expect(status).toBe(10)
})

/** Oldest first. */
async function storedIds(): Promise<readonly string[]> {
  const { stdout } = await runProgram(['list', '--json', '--password-file=pw'], { home })
  const wallets: readonly { readonly signatureId: string }[] = JSON.parse(stdout)
  return wallets.map(({ signatureId }) => signatureId)
}
