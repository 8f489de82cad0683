import { join } from 'node:path'

/** Null where nobody can be played. */
export const python = process.platform === 'win32' ? null : Bun.which('python3')

/** What to wait for on the screen, then what to type, or the number of a signal to send. */
export type Step = readonly [awaited: string, typed: string | number]

/** What the person sees and what the program got. */
export type Session = {
  readonly screen: string
  /** All of stdout. */
  readonly answer: string
  /** Below zero: the signal that ended it. */
  readonly status: number
  /** Whether the terminal showed what was typed, at each step. */
  readonly echoes: readonly boolean[]
  readonly restored: boolean
}

/** Runs a command with a terminal for stderr and a person in front of it. */
export async function playAtTerminal(
  script: {
    readonly command: readonly string[]
    /** Has it a controlling terminal? */
    readonly attached: boolean
    readonly steps: readonly Step[]
  },
  env: Readonly<Record<string, string | undefined>> = process.env,
): Promise<Session> {
  const person = Bun.spawn(
    [python ?? '', join(import.meta.dir, 'terminal.py'), JSON.stringify(script)],
    { stdout: 'pipe', stderr: 'inherit', env },
  )
  const session: Session = JSON.parse(await person.stdout.text())
  return session
}
