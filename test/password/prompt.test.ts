import { describe, expect, test } from 'bun:test'
import { join } from 'node:path'
import { playAtTerminal, python, type Session, type Step } from '../support/at-terminal.ts'

/** What came of it, as `ask-at-terminal.ts` prints it. */
type Asked = Omit<Session, 'answer'> & { readonly answer: unknown }

const ask = 'Password of the vault: '
const askNew = 'Password for the new vault: '
const askAgain = 'The same password again: '

describe.skipIf(python === null)('a password at a real terminal (needs python3)', () => {
  test('is read, not shown, and the terminal is as before', async () => {
    expect(await atTerminal('old', [[ask, 'correct horse\n']])).toEqual({
      screen: `${ask}\r\n`,
      answer: { password: 'correct horse' },
      status: 0,
      echoes: [false],
      restored: true,
    })
  })

  test('may be corrected with the keys a terminal has for it', async () => {
    const typed = 'wrong\x15correcx\x7ft\n' // kill the line, then erase a letter
    const { answer, screen } = await atTerminal('old', [[ask, typed]])
    expect(answer).toEqual({ password: 'correct' })
    expect(screen).toBe(`${ask}\r\n`)
  })

  test('may be ended with Ctrl-D', async () => {
    const { answer } = await atTerminal('old', [[ask, 'correct\x04\x04']])
    expect(answer).toEqual({ password: 'correct' })
  })

  test.each([
    ['at once', '\x03'],
    ['in the middle', 'corr\x03'],
    ['after Ctrl-V', 'corr\x16\x03\n'],
  ])(
    'is given up with Ctrl-C %s: interrupted, nothing shown, terminal as before',
    async (_, typed) => {
      const session = await atTerminal('old', [[ask, typed]])
      expect(session.answer).toEqual({ code: 'interrupted', message: 'interrupted' })
      expect(session.screen.trimEnd()).toBe(ask.trimEnd())
      expect(session.restored).toBe(true)
      expect(session.status).toBe(0)
    },
  )

  test.each([
    ['SIGINT', 2, 'interrupted'],
    ['SIGTERM', 15, 'terminated'],
    ['SIGHUP', 1, 'terminated'],
  ])('is given up when %s comes, with the terminal as before', async (_, signal, code) => {
    const session = await atTerminal('old', [[ask, signal]])
    expect(session.answer).toEqual({ code, message: 'ended by a signal' })
    expect(session.echoes).toEqual([false])
    expect(session.restored).toBe(true)
  })

  test.each([
    ['an empty line', '\n', 'the password holds no password'],
    ['Ctrl-D', '\x04', 'nothing was entered'],
  ])('is asked for in vain with %s', async (_, typed, message) => {
    const session = await atTerminal('old', [[ask, typed]])
    expect(session.answer).toEqual({ code: 'usage', message })
    expect(session.restored).toBe(true)
  })

  test('of a new vault is asked for twice', async () => {
    const session = await atTerminal('new', [
      [askNew, 'correct horse\n'],
      [askAgain, 'correct horse\n'],
    ])
    expect(session.answer).toEqual({ password: 'correct horse' })
    expect(session.screen).toBe(`${askNew}\r\n${askAgain}\r\n`)
    expect(session.echoes).toEqual([false, false])
    expect(session.restored).toBe(true)
  })

  test('of a new vault is refused when the second differs', async () => {
    const session = await atTerminal('new', [
      [askNew, 'correct horse\n'],
      [askAgain, 'correct hose\n'],
    ])
    expect(session.answer).toEqual({ code: 'usage', message: 'the two passwords are not the same' })
  })

  test('of a new vault is given up with Ctrl-C at the second', async () => {
    const session = await atTerminal('new', [
      [askNew, 'correct horse\n'],
      [askAgain, 'corr\x03'],
    ])
    expect(session.answer).toEqual({ code: 'interrupted', message: 'interrupted' })
    expect(session.screen).not.toContain('corr')
    expect(session.restored).toBe(true)
  })

  test('cannot be asked for where there is no terminal', async () => {
    const { answer, screen } = await play({ mode: 'old', attached: false, steps: [] })
    expect(answer).toEqual({ code: 'usage', message: 'there is no terminal to ask at' })
    expect(screen).toBe('')
  })
})

function atTerminal(mode: 'old' | 'new', steps: readonly Step[]): Promise<Asked> {
  return play({ mode, attached: true, steps })
}

async function play(script: {
  readonly mode: 'old' | 'new'
  readonly attached: boolean
  readonly steps: readonly Step[]
}): Promise<Asked> {
  const asking = join(import.meta.dir, '../support/ask-at-terminal.ts')
  const command = [process.execPath, '--no-env-file', asking, script.mode]
  const session = await playAtTerminal({ ...script, command })
  return { ...session, answer: JSON.parse(session.answer) }
}
