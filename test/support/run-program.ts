import { expect } from 'bun:test'
import { binaryUnderTest } from './script.ts'

export type ProgramRun = {
  readonly status: number
  readonly stdout: string
  readonly stderr: string
}

/** Runs the program to its end; `before` is what runs it, such as `setpriv`. */
export async function runProgram(
  args: readonly string[],
  {
    before = [],
    stdin = '',
  }: { readonly before?: readonly string[]; readonly stdin?: string } = {},
): Promise<ProgramRun> {
  const run = Bun.spawn([...before, ...binaryUnderTest, ...args], {
    env: { PATH: process.env['PATH'] ?? '' },
    stdin: Buffer.from(stdin),
    stderr: 'pipe',
    timeout: 170_000,
    killSignal: 'SIGKILL',
  })
  const [stdout, stderr] = await Promise.all([run.stdout.text(), run.stderr.text()])
  const status = await run.exited
  if (run.signalCode !== null) throw new Error(`ended by ${run.signalCode}: ${stderr}`)
  return { status, stdout, stderr }
}

/** One sentence on stderr, at most one hint behind it, and this exit status. */
export function expectFault(run: ProgramRun, status: number): void {
  expect(run.stderr).toMatch(
    /^tatum-kms: error: [^\nA-Z][^\n]*[^.\n]\n(tatum-kms: hint: [^\n]*[^.\n]\n)?$/,
  )
  expect(run.status).toBe(status)
}
