import { describe, expect, test } from 'bun:test'
import { closeSync, constants, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  overwriteEnvironment,
  pipe,
  pollPid,
  readInto,
  setCloseOnExec,
  socketPair,
  waitPid,
  writeOut,
} from '../../src/base/native.ts'
import { mapPrivatePages, viewMemory } from '../../src/base/native-memory.ts'

const native = join(import.meta.dir, '../../src/base/native.ts')

/** Runs a program of its own, with all of `native.ts` in scope as `native`. */
async function run(program: string, env: Record<string, string> = {}) {
  const source = `const native = await import('${native}');\n${program}`
  const child = Bun.spawn([process.execPath, '-e', source], { env, stdout: 'pipe', stderr: 'pipe' })
  const [output, errors] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ])
  return { output: output.trim(), errors, status: await child.exited }
}

const fault = expect.objectContaining({ name: 'KmsError' })

describe.if(process.platform === 'linux')('the system', () => {
  test('moves bytes through a pipe straight from and into memory', () => {
    const [reader, writer] = pipe()
    const pages = mapPrivatePages(100)
    writeOut(writer, Buffer.from('hello'))
    expect(readInto(reader, pages.address, 100)).toBe(5)
    expect(Buffer.from(viewMemory(pages.address, 5)).toString()).toBe('hello')
    closeSync(writer)
    expect(readInto(reader, pages.address, 100)).toBe(0)
    closeSync(reader)
    expect(() => readInto(reader, pages.address, 1)).toThrow(fault)
    expect(() => writeOut(writer, Uint8Array.of(1))).toThrow(fault)
  })

  test('waits for a descriptor that does not block, to read and to write', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'kms-native-'))
    const fifo = join(folder, 'fifo')
    const shell = (text: string) => Bun.spawn(['sh', '-c', text, 'sh', fifo], { stdout: 'pipe' })
    await shell('mkfifo "$1"').exited
    const fd = openSync(fifo, constants.O_RDWR | constants.O_NONBLOCK)
    try {
      const pages = mapPrivatePages(100)
      shell('sleep 0.1; printf hello > "$1"')
      expect(readInto(fd, pages.address, 100)).toBe(5)
      const reader = shell('sleep 0.1; head -c 300000 "$1" | wc -c')
      writeOut(fd, new Uint8Array(300_000))
      expect((await new Response(reader.stdout).text()).trim()).toBe('300000')
    } finally {
      closeSync(fd)
      rmSync(folder, { recursive: true })
    }
  })

  test('closes descriptors on exec unless told otherwise', () => {
    const isClosed = (fd: number) => {
      const flags = /flags:\s+(\d+)/.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'latin1'))?.[1]
      return (Number.parseInt(flags ?? '', 8) & 0o2000000) !== 0
    }
    const fds = [...socketPair(), ...pipe()]
    for (const fd of fds) {
      expect(isClosed(fd)).toBe(true)
      setCloseOnExec(fd, false)
      expect(isClosed(fd)).toBe(false)
      closeSync(fd)
    }
    expect(() => setCloseOnExec(-1, true)).toThrow(fault)
  })

  test('becomes another program with the arguments and the environment it is given', async () => {
    const { output } = await run(
      `native.execve('/bin/sh', ['sh', '-c', 'echo "$0|$1|$A|$HOME|$$"', 'zero', 'ö n e'], { A: '1=2' })`,
      { HOME: '/secret' },
    )
    expect(output).toMatch(/^zero\|ö n e\|1=2\|\|\d+$/)
    const { errors } = await run(`native.execve('/nothing/there', ['x'], {})`)
    expect(errors).toContain('cannot start this program again (errno 2)')
    expect((await run(`native.execve('/bin/sh', ['a\\0b'], {})`)).errors).toContain('a zero byte')
  })

  test('says how a child ended', async () => {
    // After execve nobody but us waits for it, as in the signer.
    const { output } = await run(`
      const children = ['exit 7', 'kill -9 $$'].map(text => Bun.spawn(['sh', '-c', text]).pid)
      const program = "const n = await import('${native}'); for (const pid of ["
        + children + "]) console.log(JSON.stringify(n.waitPid(pid)))"
      native.execve(process.execPath, [process.execPath, '-e', program], {})
    `)
    expect(output.split('\n')).toEqual(['{"code":7}', '{"signal":9}'])
    expect(() => waitPid(process.pid)).toThrow(fault)
  })

  test('says whether a child runs, without waiting', async () => {
    const { output } = await run(`
      const { pid } = Bun.spawn(['sleep', '60'])
      const program = "const n = await import('${native}'); const pid = " + pid
        + "; console.log(n.pollPid(pid)); process.kill(pid, 'SIGKILL');"
        + "let ending; while (!(ending = n.pollPid(pid))) await Bun.sleep(5); console.log(JSON.stringify(ending))"
      native.execve(process.execPath, [process.execPath, '-e', program], {})
    `)
    expect(output.split('\n')).toEqual(['undefined', '{"signal":9}'])
    expect(() => pollPid(process.pid)).toThrow(fault)
  })

  test('blanks a variable where the kernel shows it', async () => {
    const { output } = await run(
      `
      const shown = () => require('fs').readFileSync('/proc/self/environ', 'latin1')
      const [first, second] = [native.overwriteEnvironment('KEY'), native.overwriteEnvironment('NONE')]
      console.log(first, second, shown().includes('hunter2'), shown().includes('stays'), shown().includes('KEY='))
    `,
      { MY_KEY: 'stays', KEY: 'hunter2', KEYS: 'stays' },
    )
    expect(output).toBe('true false false true true')
    expect(overwriteEnvironment('')).toBe(false)
  })

  test('leaves no core dump', async () => {
    const { output } = await run(`
      console.log(native.setNoCoreDumps(), native.setDumpable(false))
      native.execve('/bin/sh', ['sh', '-c', 'ulimit -c'], {})
    `)
    expect(output.split('\n')).toEqual(['true true', '0'])
  })

  test('hides what is typed, takes Ctrl-C as a byte, and puts the terminal back', async () => {
    const program = `
      const native = await import('${native}')
      const { mapPrivatePages, viewMemory } = await import('${native.replace('native.ts', 'native-memory.ts')}')
      const { address } = mapPrivatePages(100)
      const restore = native.turnEchoOff(0)
      console.log('ask')
      const count = native.readInto(0, address, 100)
      restore()
      console.log('got', viewMemory(address, count).join())
      require('child_process').spawnSync('stty', ['-a'], { stdio: 'inherit' })
    `
    const inTerminal = async (typed: string) => {
      const child = Bun.spawn(
        ['python3', '-c', typeInTerminal, typed, process.execPath, '-e', program],
        {
          stdout: 'pipe',
        },
      )
      return await new Response(child.stdout).text()
    }
    const line = await inTerminal('hunter2\n')
    expect(line).toContain('got 104,117,110,116,101,114,50,10')
    expect(line).not.toContain('hunter2')
    expect(line).toMatch(/\bisig icanon iexten echo /)
    const interrupted = await inTerminal('hun\x03')
    expect(interrupted).toContain('got 104,117,110,3')
    expect(interrupted).toMatch(/\bisig icanon iexten echo /)
  })
})

/** Runs argv[2:] on a terminal of its own and types argv[1] once it has said 'ask'. */
const typeInTerminal = `
import os, pty, sys
pid, terminal = pty.fork()
if pid == 0:
    os.execv(sys.argv[2], sys.argv[2:])
shown = b''
typed = False
while True:
    try:
        more = os.read(terminal, 1000)
    except OSError:
        break
    if not more:
        break
    shown += more
    if not typed and b'ask' in shown:
        os.write(terminal, sys.argv[1].encode())
        typed = True
os.waitpid(pid, 0)
os.write(1, shown)
`
