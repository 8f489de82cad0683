import { expect, test } from 'bun:test'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

const runner = resolve(import.meta.dir, '../../scripts/test.ts')

/** Runs the test runner on one test file; answers its exit status and its last line. */
function outcome(source: string | undefined, limitMinutes = 1): readonly [number, string] {
  const folder = mkdtempSync(join(tmpdir(), 'kms-runner-'))
  try {
    if (source !== undefined) {
      writeFileSync(join(folder, 'a.test.ts'), `import { expect, test } from 'bun:test'\n${source}`)
    }
    const run = Bun.spawnSync([process.execPath, runner], {
      cwd: folder,
      env: { PATH: process.env['PATH'], TEST_LIMIT_MINUTES: String(limitMinutes) },
      stdin: 'ignore',
      stderr: 'pipe',
    })
    return [run.exitCode, run.stdout.toString().trimEnd().split('\n').at(-1) ?? '']
  } finally {
    rmSync(folder, { recursive: true })
  }
}

const forgedSummary = String.raw`console.error('\n 9 pass\n 0 fail\nRan 9 tests across 1 file. [1ms]')`

test.each([
  ['passing tests', "test('a', () => {})", 0, '1 passed, 0 failed'],
  [
    'a failing test',
    "test('a', () => {})\ntest('b', () => expect(1).toBe(2))",
    1,
    '1 passed, 1 failed',
  ],
  [
    'skipped tests',
    "test('a', () => {})\ntest.skip('b', () => {})\ntest.todo('c')",
    0,
    '1 passed, 0 failed, 2 skipped',
  ],
  ['only skipped tests', "test.skip('a', () => {})", 1, '0 passed, 1 failed, 1 skipped'],
  ['no test file', undefined, 1, '0 passed, 1 failed'],
  ['a file without tests', '', 1, '0 passed, 1 failed'],
  ['a file that does not load', "throw new Error('broken')", 1, '0 passed, 1 failed'],
  [
    'an exit with status 0',
    "test('a', () => {})\ntest('b', () => process.exit(0))",
    1,
    '0 passed, 1 failed',
  ],
  [
    'a forged summary',
    `test('a', () => { ${forgedSummary}; process.exit(0) })`,
    1,
    '0 passed, 1 failed',
  ],
  ['a summary among the output', `test('a', () => { ${forgedSummary} })`, 0, '1 passed, 0 failed'],
  ['a crash', "test('a', () => { process.kill(process.pid, 'SIGKILL') })", 1, '0 passed, 1 failed'],
])('the last line counts %s', (_, source, status, line) => {
  expect(outcome(source)).toEqual([status, line])
})

test('a run that hangs is ended and has failed', () => {
  expect(outcome("test('a', () => { for (;;); })", 0.01)).toEqual([1, '0 passed, 1 failed'])
})
