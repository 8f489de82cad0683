/**
 * Runs `bun test` with the given arguments, shows what it says, and ends with one line:
 * `N passed, N failed` (`, N skipped`). A run that crashed, hung, exited early or tested nothing
 * has failed, whatever its exit status says.
 */
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const limitMinutes = Number(process.env['TEST_LIMIT_MINUTES'] ?? 20)

type Counts = { readonly passed: number; readonly failed: number; readonly skipped: number }

const folder = mkdtempSync(join(tmpdir(), 'kms-test-run-'))
const report = join(folder, 'junit.xml')
const reporter = ['--reporter=junit', `--reporter-outfile=${report}`]
const run = Bun.spawn([process.execPath, 'test', ...reporter, ...process.argv.slice(2)], {
  env: { ...process.env, NO_COLOR: '1', FORCE_COLOR: undefined },
  stdin: 'ignore',
  stdout: 'inherit',
  stderr: 'pipe',
  timeout: limitMinutes * 60_000,
  killSignal: 'SIGKILL',
})
const said: string[] = []
const shown = showAndKeep(run.stderr, said)
const exitCode = await run.exited
// A process that a test left behind may hold the pipe open: do not wait for it.
await Promise.race([shown, Bun.sleep(5_000)])
const { passed, failed, skipped } = judge(said.join(''), exitCode)
rmSync(folder, { recursive: true })
console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`)
process.exit(failed === 0 ? 0 : 1)

/** Bun reports on stderr; shown on stdout so that our last line comes last in every log. */
async function showAndKeep(stream: ReadableStream<Uint8Array>, said: string[]): Promise<void> {
  const decoder = new TextDecoder()
  for await (const chunk of stream) {
    said.push(decoder.decode(chunk, { stream: true }))
    await Bun.write(Bun.stdout, chunk)
  }
}

function judge(said: string, exitCode: number): Counts {
  const counts = existsSync(report) ? closingSummary(said) : undefined
  if (counts === undefined) {
    console.log(`the test run did not finish (exit status ${exitCode}, limit ${limitMinutes} min)`)
    return { passed: 0, failed: 1, skipped: 0 }
  }
  if (counts.passed + counts.failed === 0) console.log('no test was run')
  const isGood = exitCode === 0 && counts.passed > 0
  return isGood ? counts : { ...counts, failed: Math.max(1, counts.failed) }
}

/**
 * The block ` N pass`, ` N fail` … that ends in `Ran N tests across N files.`, the last thing said.
 * A test that calls process.exit(0) ends the run with status 0, without this block and without the
 * report. The report alone would not do: it leaves out files that fail to load.
 */
function closingSummary(said: string): Counts | undefined {
  const block = /(?:\n *\d+ [^\n]*)+\nRan \d+ tests? across \d+ files?\.[^\n]*\s*$/.exec(said)?.[0]
  if (block === undefined) return undefined
  const count = (word: string): number =>
    Number(new RegExp(`^ *(\\d+) ${word}s?$`, 'm').exec(block)?.[1] ?? 0)
  return {
    passed: count('pass'),
    failed: Math.max(count('fail'), count('error')),
    skipped: count('skip') + count('todo'),
  }
}
