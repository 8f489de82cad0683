import { describe, expect, test } from 'bun:test'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { createContext } from '../../src/cli/context.ts'

const source = join(import.meta.dir, '../../src')

describe('sleep', () => {
  test('leaves nothing on the signal, whether it is woken or not', async () => {
    const { sleep } = createContext(new Map())
    const { signal, listeners, abort } = countingSignal()
    for (let i = 0; i < 20; i++) await sleep(1, signal)
    expect(listeners()).toBe(0)
    const long = sleep(60_000, signal)
    expect(listeners()).toBe(1)
    abort()
    await long
    expect(listeners()).toBe(0)
    await sleep(60_000, signal)
  })
})

describe('the vault', () => {
  test('is in the home folder unless it is said where', () => {
    expect(createContext(new Map()).place.path).toBe(join(homedir(), '.tatumrc', 'wallet.dat'))
    expect(createContext(new Map([['path', '/v']])).place.path).toBe('/v')
  })

  // A user the system does not know: only root can become one.
  test.if(process.getuid?.() === 0)('needs a home folder, and nothing else does', async () => {
    const program = `
      const { createContext } = await import('${source}/cli/context.ts')
      process.setuid(54_321)
      const { now } = createContext(new Map())
      console.log(typeof now, createContext(new Map([['path', '/v']])).place.path)
      try { createContext(new Map()).place } catch ({ code, hint }) { console.log(code, hint) }`
    const child = Bun.spawn([process.execPath, '-e', program], { env: {}, stdout: 'pipe' })
    expect((await child.stdout.text()).split('\n')).toEqual([
      'function /v',
      'usage say where the vault is with --path',
      '',
    ])
  })
})

function countingSignal() {
  const controller = new AbortController()
  const { signal } = controller
  let count = 0
  const add = signal.addEventListener.bind(signal)
  const remove = signal.removeEventListener.bind(signal)
  signal.addEventListener = ((...args: Parameters<typeof add>) => {
    count++
    add(...args)
  }) as typeof signal.addEventListener
  signal.removeEventListener = ((...args: Parameters<typeof remove>) => {
    count--
    remove(...args)
  }) as typeof signal.removeEventListener
  return { signal, listeners: () => count, abort: () => controller.abort() }
}
