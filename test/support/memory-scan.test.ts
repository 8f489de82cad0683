import { afterEach, describe, expect, test } from 'bun:test'
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { canScan, scanMemory } from './memory-scan.ts'

const running = new Set<{ kill(signal: 'SIGKILL'): void; readonly exited: Promise<number> }>()

afterEach(async () => {
  for (const child of running) child.kill('SIGKILL')
  await Promise.all([...running].map(({ exited }) => exited))
  running.clear()
})

describe.skipIf(!canScan())('the memory scanner', () => {
  test('finds a secret held as a string, a buffer and a number, and says where', async () => {
    const secret = randomLine()
    const pid = await start('leaky', secret)
    const { copies } = scanMemory(pid, [{ name: 'secret', bytes: secret }])
    const whole = copies.filter(({ length, form }) => length === (form === 'hex' ? 64 : 32))
    expect(new Set(whole.map(({ form }) => form))).toEqual(new Set(['raw', 'hex', 'reversed']))
    for (const { mapping, address } of copies) {
      expect(address).toBeWithin(mapping.start, mapping.end)
      expect(mapping.permissions).toStartWith('rw')
      expect(mapping.isLocked).toBe(false)
    }
  })

  test('finds nothing in a process that read the secret and wiped it', async () => {
    const secret = randomLine()
    const pid = await start('careful', secret)
    const { copies, scannedBytes } = scanMemory(pid, [{ name: 'secret', bytes: secret }])
    expect(copies).toEqual([])
    expect(scannedBytes).toBeGreaterThan(2_000_000)
  })
})

/** Without line breaks and zeros. */
function randomLine(): Uint8Array {
  return Uint8Array.from(randomBytes(32), byte => 32 + (byte % 200))
}

async function start(kind: 'leaky' | 'careful', secret: Uint8Array): Promise<number> {
  const script = join(import.meta.dir, 'leaky-process.ts')
  const child = Bun.spawn([process.execPath, script, kind], { stdin: secret, stdout: 'pipe' })
  running.add(child)
  for await (const chunk of child.stdout) if (chunk.length > 0) break
  return child.pid
}
