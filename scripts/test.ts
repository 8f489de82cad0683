/**
 * Runs `bun test` with the given arguments, shows what it says, and ends with one line:
 * `N passed, N failed` (`, N skipped`). A run that crashed, hung, exited early or tested nothing
 * has failed, whatever its exit status says. Where no files are named, all of them run, in two halves
 * side by side: most tests wait for processes more than they work.
 */
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const limitMinutes = Number(process.env['TEST_LIMIT_MINUTES'] ?? 26)

type Counts = { readonly passed: number; readonly failed: number; readonly skipped: number }

const words = process.argv.slice(2)
/** Bun gives a test 5 s, which many processes on few processors cannot promise. */
const patience = words.some(word => word.startsWith('--timeout')) ? [] : ['--timeout=60000']
const given = [...patience, ...words]
const halves = given.every(word => word.startsWith('-')) ? splitFiles() : []
const folder = mkdtempSync(join(tmpdir(), 'kms-test-run-'))
const runs = halves.length < 2 ? [[]] : halves
const firstIsDone = Promise.withResolvers<void>()
const counts = await Promise.all(runs.map((files, i) => run([...given, ...files], `${i}`, i === 0)))
rmSync(folder, { recursive: true })
const sum = (name: keyof Counts): number => counts.reduce((total, each) => total + each[name], 0)
const [passed, failed, skipped] = [sum('passed'), sum('failed'), sum('skipped')]
console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`)
process.exit(failed === 0 ? 0 : 1)

/** The tests of whole daemons and machines, and all others; none where there is only one kind. */
function splitFiles(): readonly (readonly string[])[] {
  if (!existsSync('test')) return []
  const files = [...new Bun.Glob('test/**/*.test.ts').scanSync()].toSorted()
  const isOfMachines = (file: string): boolean =>
    /^test\/(?:daemon|systemd|scripts|bundle)\//.test(file)
  const all = [files.filter(isOfMachines), files.filter(file => !isOfMachines(file))]
  return all.filter(some => some.length > 0)
}

/** @param isShown as it comes; else what it says is shown at its end */
async function run(args: readonly string[], name: string, isShown: boolean): Promise<Counts> {
  const report = join(folder, `${name}.xml`)
  const reporter = ['--reporter=junit', `--reporter-outfile=${report}`]
  const started = Bun.spawn([process.execPath, 'test', ...reporter, ...args], {
    env: { ...process.env, NO_COLOR: '1', FORCE_COLOR: undefined },
    stdin: 'ignore',
    stdout: isShown ? 'inherit' : 'ignore',
    stderr: 'pipe',
    timeout: limitMinutes * 60_000,
    killSignal: 'SIGKILL',
  })
  const said: Uint8Array[] = []
  const heard = hear(started.stderr, said, isShown)
  const exitCode = await started.exited
  // A process that a test left behind may hold the pipe open: do not wait for it.
  await Promise.race([heard, Bun.sleep(5_000)])
  const whole = Buffer.concat(said)
  if (!isShown) await firstIsDone.promise
  if (isShown) firstIsDone.resolve()
  else await Bun.write(Bun.stdout, whole)
  return judge(whole.toString(), exitCode, report)
}

/** Bun reports on stderr; shown on stdout so that our last line comes last in every log. */
async function hear(
  stream: ReadableStream<Uint8Array>,
  said: Uint8Array[],
  isShown: boolean,
): Promise<void> {
  for await (const chunk of stream) {
    said.push(chunk)
    if (isShown) await Bun.write(Bun.stdout, chunk)
  }
}

function judge(said: string, exitCode: number, report: string): Counts {
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
