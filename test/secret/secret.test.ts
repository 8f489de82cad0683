import { ptr } from 'bun:ffi'
import { describe, expect, test } from 'bun:test'
import { Console } from 'node:console'
import { Writable } from 'node:stream'
import { format, inspect } from 'node:util'
import fc from 'fast-check'
import { viewMemory } from '../../src/base/native-memory.ts'
import { allocateSecret, filledSecret, type Secret, secretFrom } from '../../src/secret/secret.ts'

/** Not to be found in anything printed: the text, its numbers, its hex, its base64. */
const marked = 'Tr0ub4dor&3'
const traces = [marked, '84, 114, 48', '84,114,48', '547230756234646f72', 'VHIwdWI0ZG9y']

const fault = (message: RegExp) =>
  expect.objectContaining({
    name: 'KmsError',
    code: 'unexpected',
    message: expect.stringMatching(message),
  })
const becameText = fault(/about to become text/)
const wiped = fault(/after it was wiped/)
const outlived = fault(/outlives the call/)

function markedSecret(): Secret {
  return secretFrom(Buffer.from(marked))
}

function expectNoTrace(text: string): void {
  for (const trace of traces) expect(text).not.toContain(trace)
}

describe('a secret', () => {
  test('starts as zeros and keeps what is put into it', () => {
    using secret = allocateSecret(5)
    expect(secret.length).toBe(5)
    secret.use(bytes => {
      expect([...bytes]).toEqual([0, 0, 0, 0, 0])
      bytes.set([1, 2, 3])
    })
    expect(secret.use(bytes => bytes.join())).toBe('1,2,3,0,0')
  })

  test('takes bytes over and wipes where they came from', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 500 }), bytes => {
        const source = Uint8Array.from(bytes)
        using secret = secretFrom(source)
        expect(secret.length).toBe(bytes.length)
        expect(secret.use(held => Buffer.compare(held, bytes))).toBe(0)
        expect(source.every(byte => byte === 0)).toBe(true)
      }),
    )
  })

  test('is what fills it, and is wiped when that fails', () => {
    using filled = filledSecret(3, bytes => bytes.set([1, 2, 3]))
    expect(filled.use(bytes => bytes.join())).toBe('1,2,3')
    let kept: Uint8Array = new Uint8Array(1)
    const fail = (bytes: Uint8Array) => {
      bytes.fill(7)
      kept = new Uint8Array(bytes.buffer)
      throw new Error('mine')
    }
    expect(() => filledSecret(3, fail)).toThrow('mine')
    expect(kept).toHaveLength(0)
  })

  test('lies at its address', () => {
    using secret = markedSecret()
    expect(Buffer.from(viewMemory(secret.address, marked.length)).toString()).toBe(marked)
  })

  test('is wiped at the end of its block, also by a failure', () => {
    let address = 0
    const fail = () => {
      using secret = markedSecret()
      address = secret.address
      throw new Error('mine')
    }
    expect(fail).toThrow('mine')
    expect([...viewMemory(address, 16)]).toEqual(new Array(16).fill(0))
  })

  test('is gone after it was wiped, also for a view that was kept', () => {
    const secret = markedSecret()
    const kept: Uint8Array[] = []
    secret.use(bytes => {
      kept.push(bytes)
    })
    secret.wipe()
    secret.wipe()
    secret[Symbol.dispose]()
    expect(kept[0]?.length).toBe(0)
    expect(secret.length).toBe(0)
    expect(() => secret.use(() => 1)).toThrow(wiped)
    expect(() => secret.address).toThrow(wiped)
    expect(() => secret.shrink(0)).toThrow(wiped)
    expect(inspect(secret)).toBe('[secret]')
  })

  test('shrinks and wipes the rest', () => {
    using secret = markedSecret()
    const { address } = secret
    secret.shrink(4)
    expect(secret.length).toBe(4)
    expect(secret.use(bytes => Buffer.from(bytes).toString())).toBe('Tr0u')
    expect([...viewMemory(address + 4, marked.length - 4)]).toEqual([0, 0, 0, 0, 0, 0, 0])
    for (const length of [5, -1, 1.5, Number.NaN]) {
      expect(() => secret.shrink(length)).toThrow(fault(/cannot shrink/))
    }
    secret.shrink(0)
    expect(secret.use(bytes => bytes.length)).toBe(0)
  })
})

describe('a secret is lent for the call only', () => {
  test.each([
    ['a promise', () => Promise.resolve()],
    ['an async function', async () => {}],
    // biome-ignore lint/suspicious/noThenProperty: that is what is to be refused
    ['anything with then', () => ({ then: () => {} })],
    ['the bytes', (bytes: Uint8Array) => bytes],
    ['a part of them', (bytes: Uint8Array) => bytes.subarray(1)],
    ['a view of them', (bytes: Uint8Array) => new DataView(bytes.buffer)],
  ])('%s is refused', (_, work: (bytes: Uint8Array) => unknown) => {
    using secret = markedSecret()
    expect(() => secret.use(work)).toThrow(outlived)
  })

  test('the view shows this secret and nothing beside it', () => {
    using one = secretFrom(Uint8Array.of(1, 2))
    using _other = markedSecret()
    expect(one.use(bytes => bytes.buffer.byteLength)).toBe(2)
  })
})

describe('a secret never becomes text', () => {
  test.each([
    ['String', (secret: unknown) => String(secret)],
    ['a template', (secret: unknown) => `${secret}`],
    ['joining', (secret: unknown) => ['a', secret].join('')],
    ['a number', (secret: unknown) => Number(secret)],
    ['a property name', (secret: unknown) => Reflect.get({}, secret as string)],
    ['toString', (secret: unknown) => (secret as object).toString()],
    ['JSON', (secret: unknown) => JSON.stringify(secret)],
    ['JSON of what holds it', (secret: unknown) => JSON.stringify({ a: [secret] })],
    ['an error message', (secret: unknown) => new Error(secret as string)],
  ])('%s throws', (_, convert) => {
    using secret = markedSecret()
    expect(() => convert(secret)).toThrow(becameText)
  })

  test.each([
    [
      'util.inspect',
      (secret: unknown) => inspect({ secret, list: [secret] }, { showHidden: true, depth: 9 }),
    ],
    ['util.format', (secret: unknown) => format('%o %O', secret, secret)],
    ['Bun.inspect', (secret: unknown) => Bun.inspect({ secret, map: new Map([[1, secret]]) })],
    ['an error cause', (secret: unknown) => inspect(new Error('x', { cause: secret }))],
    [
      'an error property',
      (secret: unknown) => Bun.inspect(Object.assign(new Error('x'), { secret })),
    ],
    ['a clone', (secret: unknown) => inspect(structuredClone({ secret }))],
    ['entries', (secret: unknown) => inspect(Object.entries(secret as object))],
    ['a spread', (secret: unknown) => inspect({ ...(secret as object) })],
    ['its names', (secret: unknown) => inspect(Reflect.ownKeys(secret as object))],
    ['Buffer.from', (secret: unknown) => Buffer.from(secret as string).toString()],
    ['the console', (secret: unknown) => printed(secret)],
  ])('%s shows nothing of it', (_, show) => {
    using secret = markedSecret()
    expectNoTrace(show(secret))
  })

  test('inspection says what it is', () => {
    using secret = markedSecret()
    expect(inspect(secret)).toBe('[secret]')
    expect(Bun.inspect(secret)).toBe('[secret]')
  })
})

/** What the console writes for it. */
function printed(value: unknown): string {
  const written: string[] = []
  const stdout = new Writable({
    write(chunk, _encoding, done) {
      written.push(String(chunk))
      done()
    },
  })
  const printer = new Console({ stdout, stderr: stdout }) as unknown as typeof console
  printer.log('%o', value, value)
  printer.dir({ value }, { showHidden: true })
  expect(written.join('')).toContain('[secret]')
  return written.join('')
}

const isWiped = (address: number) => viewMemory(address, 1)[0] === 0

async function collectGarbage(enough: () => boolean): Promise<void> {
  for (let round = 0; round < 20 && !enough(); round++) {
    Bun.gc(true)
    await Bun.sleep(5)
  }
}

test('a secret that was forgotten is wiped by the collector', async () => {
  const addresses: number[] = []
  // Found without asking for `address`, which would hold the collector off.
  for (let i = 0; i < 50; i++) addresses.push(markedSecret().use(bytes => Number(ptr(bytes))))
  const wipedCount = () => addresses.filter(isWiped).length
  await collectGarbage(() => wipedCount() > 25)
  // Conservative stack scanning may keep some of them for a while.
  expect(wipedCount()).toBeGreaterThan(25)
})

test('a secret whose address was handed out stays until it is wiped', async () => {
  const addresses = Array.from({ length: 50 }, () => markedSecret().address)
  await collectGarbage(() => addresses.some(isWiped))
  expect(addresses.some(isWiped)).toBe(false)
})
