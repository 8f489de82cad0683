import { describe, expect, test } from 'bun:test'
import { join } from 'node:path'
import fc from 'fast-check'
import { viewMemory } from '../../src/base/native-memory.ts'
import {
  allocateLocked,
  type LockedBytes,
  lockingFailed,
  useSecretMemory,
} from '../../src/secret/memory.ts'

const source = join(import.meta.dir, '../../src')
const preamble = `
  const { allocateLocked, lockingFailed, useSecretMemory } = await import('${source}/secret/memory.ts')
  const { viewMemory } = await import('${source}/base/native-memory.ts')
  const { readFileSync, openSync, readSync } = await import('node:fs')
`

/** Runs a program of its own, as what it looks at belongs to a whole process. */
async function run(program: string, wrapper: readonly string[] = []) {
  const child = Bun.spawn([...wrapper, process.execPath, '-e', preamble + program], {
    stdout: 'pipe',
    stderr: 'ignore',
  })
  const output = await new Response(child.stdout).text()
  await child.exited
  return { output: output.trim(), signal: child.signalCode }
}

/** The mapping at `locked.address` and its neighbours, from proc(5) smaps. */
const lookAtMaps = `
  const entries = readFileSync('/proc/self/smaps', 'latin1').split(/\\n(?=[0-9a-f]+-[0-9a-f]+ )/)
  const holds = entry => {
    const [start, end] = entry.split(' ')[0].split('-').map(hex => Number('0x' + hex))
    return start <= locked.address && locked.address < end
  }
  const at = entries.findIndex(holds)
  const permissions = [-1, 0, 1].map(step => entries[at + step].split(' ')[1].slice(0, 3))
  const flags = /VmFlags: (.*)/.exec(entries[at])[1].trim().split(' ')
  const kilobytes = name => Number(new RegExp(name + ': +([0-9]+)').exec(entries[at])[1])
  const isSecretMemory = entries[at].includes('secretmem')
  console.log(JSON.stringify({ permissions, flags, size: kilobytes('Size'), locked: kilobytes('Locked'), isSecretMemory }))
`

describe.if(process.platform === 'linux')('locked memory', () => {
  test('is locked, undumped, wiped on fork and guarded on both sides', async () => {
    const { output } = await run(
      `useSecretMemory('locked'); const locked = allocateLocked(100); ${lookAtMaps}`,
    )
    const map = JSON.parse(output)
    expect(map).toMatchObject({ size: 256, locked: 256, isSecretMemory: false })
    expect(map.permissions).toEqual(['---', 'rw-', '---'])
    expect(map.flags).toEqual(expect.arrayContaining(['lo', 'dd', 'wf']))
  })

  test('is hidden from the process itself where the kernel has secret memory', async () => {
    const { output } = await run(`
      const locked = allocateLocked(100)
      locked.bytes.fill(7)
      ${lookAtMaps}
      const memory = openSync('/proc/self/mem', 'r')
      try {
        readSync(memory, new Uint8Array(16), 0, 16, locked.address)
        console.log('seen')
      } catch (error) { console.log(error.code) }
    `)
    const [first = '', seen] = output.split('\n')
    const map = JSON.parse(first)
    expect(map.permissions).toEqual(['---', 'rw-', '---'])
    expect(map.flags).toEqual(expect.arrayContaining(['lo', 'dd']))
    if (!map.isSecretMemory) return
    expect(map.flags).toContain('dc')
    expect(seen).toBe('EIO')
  })

  test.each([-1, 256 * 1024])('ends the process that touches offset %d', async offset => {
    const { output, signal } = await run(`
      const locked = allocateLocked(1)
      console.log('before')
      viewMemory(locked.address + ${offset}, 1)[0] = 1
      console.log('after')
    `)
    expect(output).toBe('before')
    expect(signal).not.toBeNull()
  })

  test('says why it could not be locked, and is given all the same', async () => {
    const asNobody =
      process.getuid?.() === 0
        ? [
            'setpriv',
            '--reuid=65534',
            '--regid=65534',
            '--clear-groups',
            '--bounding-set=-ipc_lock',
          ]
        : []
    const { output } = await run(
      `const locked = allocateLocked(3); locked.bytes.set([1, 2, 3]); console.log(locked.bytes.join(), lockingFailed())`,
      [...asNobody, 'sh', '-c', 'ulimit -l 0 && exec "$@"', 'sh'],
    )
    expect(output).toMatch(/^1,2,3 mlock of 262144 bytes failed \(errno \d+\)$/)
  })
})

describe('allocation', () => {
  test('gives zeroed bytes on a granule of their own', () => {
    const locked = allocateLocked(10)
    expect([...locked.bytes]).toEqual(new Array(10).fill(0))
    expect(locked.address % 64).toBe(0)
    expect(lockingFailed()).toBeUndefined()
    locked.release()
  })

  test('wipes what is released, whole granules, and empties views of it', () => {
    const locked = allocateLocked(70)
    locked.bytes.fill(255)
    viewMemory(locked.address, 128).fill(255)
    const part = locked.bytes.subarray(3)
    locked.release()
    locked.release()
    expect(viewMemory(locked.address, 128).every(byte => byte === 0)).toBe(true)
    expect([locked.bytes.length, part.length]).toEqual([0, 0])
  })

  test('uses released memory again', () => {
    const addresses = new Set<number>()
    for (let i = 0; i < 20_000; i++) {
      const locked = allocateLocked(1000)
      addresses.add(locked.address)
      locked.release()
    }
    expect(addresses.size).toBe(1)
  })

  test('a second release does not free what somebody else has by then', () => {
    const one = allocateLocked(64)
    one.release()
    const two = allocateLocked(64)
    one.release()
    const three = allocateLocked(64)
    expect(two.address).not.toBe(three.address)
    two.release()
    three.release()
  })

  test('grows by further arenas, and joins the free runs again', () => {
    const many = Array.from({ length: 300 }, () => allocateLocked(2048))
    expect(new Set(many.map(({ address }) => address)).size).toBe(300)
    const large = allocateLocked(1 << 20)
    expect(large.bytes.length).toBe(1 << 20)
    large.bytes.fill(1)
    for (const locked of [...many, large]) locked.release()
    const again = allocateLocked(1 << 20)
    expect(again.bytes.every(byte => byte === 0)).toBe(true)
    const { address } = again
    again.release()
    // In pieces, and then whole again: the runs were joined.
    for (const piece of Array.from({ length: 16 }, () => allocateLocked(1 << 16))) piece.release()
    const whole = allocateLocked(1 << 20)
    expect(whole.address).toBe(address)
    whole.release()
  })

  test('keeps allocations apart in any order of taking and releasing', () => {
    const steps = fc.array(fc.tuple(fc.nat({ max: 5000 }), fc.nat()), { maxLength: 60 })
    fc.assert(
      fc.property(steps, list => {
        const held: { locked: LockedBytes; mark: number }[] = []
        for (const [i, [size, pick]] of list.entries()) {
          const [freed] = pick % 3 === 0 ? held.splice(pick % (held.length || 1), 1) : []
          freed?.locked.release()
          const mark = (i % 255) + 1
          const locked = allocateLocked(size)
          expect(locked.bytes.every(byte => byte === 0)).toBe(true)
          locked.bytes.fill(mark)
          held.push({ locked, mark })
        }
        for (const { locked, mark } of held) {
          expect(locked.bytes.every(byte => byte === mark)).toBe(true)
          locked.release()
        }
      }),
    )
  })

  test.each([-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 31, 2 ** 53])(
    'refuses %d bytes',
    size => {
      expect(() => allocateLocked(size)).toThrow(
        expect.objectContaining({ name: 'KmsError', code: 'memory' }),
      )
    },
  )

  test('gives no bytes when none are asked for', () => {
    const locked = allocateLocked(0)
    expect(locked.bytes.length).toBe(0)
    locked.release()
  })

  test('does not change its kind of memory once some is in use', () => {
    allocateLocked(1).release()
    expect(() => useSecretMemory('locked')).toThrow(
      expect.objectContaining({ name: 'KmsError', code: 'unexpected' }),
    )
  })
})
