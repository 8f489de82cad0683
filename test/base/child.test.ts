import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { closeSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { askChild, runChild } from '../../src/base/child.ts'
import { pipe } from '../../src/base/native.ts'
import { playAtTerminal, python } from '../support/at-terminal.ts'

let fds: readonly [reader: number, writer: number]
beforeAll(() => {
  fds = pipe()
})
afterAll(() => {
  for (const fd of fds) closeSync(fd)
})

function run(script: string, timeoutMs = 5_000) {
  const settings = { stdout: fds[1], timeoutMs }
  return runChild(['/bin/sh', '-c', script], { ONLY: 'this' }, settings)
}

describe('a child that is run to its end', () => {
  test('says how it ended and what it said', () => {
    expect(run('echo no >&2; exit 7')).toEqual({ status: 7, isLate: false, said: 'no\n' })
    expect(run('exit 0')).toEqual({ status: 0, isLate: false, said: '' })
    expect(run('kill -9 $$')).toEqual({ status: undefined, isLate: false, said: '' })
  })

  test('is killed when its time is over', () => {
    const started = performance.now()
    expect(run('exec sleep 20', 200)).toEqual({ status: undefined, isLate: true, said: '' })
    expect(performance.now() - started).toBeLessThan(5_000)
  })

  test.skipIf(process.platform !== 'linux')(
    'gets the variables and descriptors it is given',
    () => {
      const { said } = run('cat /proc/$$/environ >&2; exit 0')
      expect(said).toBe('ONLY=this\0')
      const open = run('exec ls /proc/self/fd >&2').said.trim().split('\n').toSorted()
      // 3 is the folder that ls looks into.
      expect(open).toEqual(['0', '1', '2', '3'])
      expect(readFileSync('/proc/self/environ', 'utf8')).not.toContain('ONLY=this')
    },
  )
})

describe('a child that is asked', () => {
  const ask = (script: string, question = '', timeoutMs = 5_000) =>
    askChild(['/bin/sh', '-c', script], {}, { question: Buffer.from(question), timeoutMs })

  test('reads the question to its end, and is heard on both', () => {
    expect(ask('cat; echo no >&2; exit 3', 'who?')).toEqual({
      status: 3,
      isLate: false,
      said: 'no\n',
      answer: 'who?',
    })
    expect(ask('cat').answer).toBe('')
  })

  test('may say nothing, be killed or be late', () => {
    expect(ask('kill -9 $$')).toMatchObject({ status: undefined, answer: '' })
    expect(ask('exec sleep 20', '', 200)).toMatchObject({ status: undefined, isLate: true })
  })
})

test.skipIf(process.platform !== 'linux' || python === null)(
  'a child that stays writes to the terminal and does not read what is typed there',
  async () => {
    const program = join(import.meta.dir, '../support/child-at-terminal.ts')
    const script = 'echo asks >&2; read -r typed 0<&2 && echo "heard $typed" >&2; echo ends >&2'
    const { screen } = await playAtTerminal({
      command: [process.execPath, program, script],
      attached: true,
      steps: [['asks', 'secret\n']],
    })
    expect(screen).toContain('ends')
    expect(screen).not.toContain('heard')
  },
)
