import { binaryUnderTest } from './script.ts'

export type Ending = { readonly status: number; readonly stdout: string; readonly stderr: string }

export type World = {
  /** Working directory, and HOME unless `env` has another. */
  readonly home: string
  readonly env?: Readonly<Record<string, string | undefined>>
  readonly input?: string | Uint8Array | ReadableStream<Uint8Array>
}

/** Starts the real program, in a session of its own: there is no terminal to ask at. */
export function startProgram(args: readonly string[], { home, env, input = '' }: World) {
  return Bun.spawn([...binaryUnderTest, ...args], {
    cwd: home,
    env: { HOME: home, PATH: process.env['PATH'] ?? '', ...env },
    stdin: input instanceof ReadableStream ? input : Buffer.from(input),
    stdout: 'pipe',
    stderr: 'pipe',
    detached: true,
    timeout: 30_000,
    killSignal: 'SIGKILL',
  })
}

export async function runProgram(args: readonly string[], world: World): Promise<Ending> {
  const run = startProgram(args, world)
  const [stdout, stderr] = await Promise.all([run.stdout.text(), run.stderr.text()])
  return { status: await run.exited, stdout, stderr }
}
