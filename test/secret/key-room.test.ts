import { describe, expect, test } from 'bun:test'
import { isDeepStrictEqual as equal } from 'node:util'
import { openKeyRoom, type SignTask } from '../../src/secret/key-room.ts'
import { startThread } from '../../src/secret/key-thread.ts'
import { isPrivateKey, publicKeyOf, sign, verify } from '../../src/secret/sign.ts'
import { rejectionOf, revealed, secretOf } from '../support/secret.ts'

const bytes = (value: number): Uint8Array => new Uint8Array(32).fill(value)
const taskOf = (value: number): SignTask => ({
  key: secretOf(bytes(value)),
  request: { key: 0, algorithm: 'ecdsa-secp256k1', message: bytes(value + 1) },
})

const odd = new URL('../support/odd-key-worker.ts', import.meta.url).href

describe('the key room', () => {
  test('answers in order what the same call in this thread answers', async () => {
    await using room = openKeyRoom()
    const tasks = Array.from({ length: 50 }, (_, i) => taskOf(i + 1))
    const expected = tasks.map(({ key, request }) => sign(request, revealed(key)))
    expect(await room.signAll(tasks)).toEqual(expected)
  })

  test('goes on over the end of a thread that has used keys often enough', async () => {
    await using room = openKeyRoom({ mostUses: 500 })
    const task = taskOf(7)
    const publicKey = publicKeyOf('secp256k1', revealed(task.key))
    for (let batch = 0; batch < 4; batch++) {
      const signatures = await room.signAll(Array.from({ length: 300 }, () => task))
      expect(signatures).toHaveLength(300)
      for (const signature of signatures.slice(0, 2)) {
        expect(signature && verify(task.request, signature, publicKey)).toBe(true)
      }
    }
  })

  test('batches asked for at once do not mix', async () => {
    await using room = openKeyRoom()
    const values = [1, 2, 3, 4, 5, 6]
    const answers = await Promise.all(values.map(value => room.signAll([taskOf(value)])))
    const expected = values.map(taskOf).map(({ key, request }) => [sign(request, revealed(key))])
    expect(answers).toEqual(expected)
  })

  test('answers in order more than a message holds, of one key and of many, on both curves', async () => {
    await using room = openKeyRoom()
    const tasks = Array.from({ length: 1_300 }, (_, i): SignTask => {
      const { key, request } = taskOf(1 + (i % 3))
      return i % 2 === 0 ? { key, request } : { key, request: { ...request, algorithm: 'ed25519' } }
    })
    const expected = tasks
      .slice(0, 6)
      .map(({ key, request: { algorithm, message } }) =>
        sign({ key: 0, algorithm, message }, revealed(key)),
      )
    const [first, second] = await Promise.all([room.signAll(tasks), room.signAll(tasks.slice(1))])
    expect(first).toHaveLength(1_300)
    expect(first.every((signature, i) => equal(signature, expected[i % 6]))).toBe(true)
    expect(second).toEqual(first.slice(1))
  })

  test('uses the thread that it is given, and no other while that one lives', async () => {
    const first = startThread()
    expect(first.hasMetKeys()).toBe(false)
    await using room = openKeyRoom({ first, program: odd })
    const { key, request } = taskOf(5)
    expect(await room.signAll([{ key, request }])).toEqual([sign(request, revealed(key))])
    expect(first.hasMetKeys()).toBe(true)
  })

  test('works again after it was idle', async () => {
    await using room = openKeyRoom()
    const before = await room.signAll([taskOf(9)])
    await Bun.sleep(700)
    expect(await room.signAll([taskOf(9)])).toEqual(before)
  })

  test('a key that is none is answered by nothing, and its neighbours are signed', async () => {
    await using room = openKeyRoom()
    const zero = { ...taskOf(1), key: secretOf(bytes(0)) }
    expect(isPrivateKey('secp256k1', revealed(zero.key))).toBe(false)
    const answers = await room.signAll([taskOf(2), zero, taskOf(3)])
    expect(answers.map(answer => answer !== null)).toEqual([true, false, true])
    const fault = await rejectionOf(() => room.publicKey('secp256k1', zero.key))
    expect(fault.message).toBe('a key could not be used')
  })

  test('a thread that does not answer is a fault, and the next one is another thread', async () => {
    await using room = openKeyRoom({ program: odd, answerWithinMs: 100 })
    for (let round = 0; round < 2; round++) {
      const fault = await rejectionOf(() => room.signAll([taskOf(1)]))
      expect(fault.message).toBe('the thread for keys does not answer')
    }
  })

  test('a thread that ends under its work is a fault at once', async () => {
    await using room = openKeyRoom({ program: odd })
    for (let round = 0; round < 2; round++) {
      const asked = [1, 2].map(() => room.publicKey('secp256k1', secretOf(bytes(1))))
      for (const each of asked) {
        const fault = await rejectionOf(() => each)
        expect(fault.message).toBe('the thread for keys has ended')
      }
    }
  })

  test('a thread that signs wrongly before it meets a key is a fault, each time', async () => {
    const wrong = new URL('../support/wrong-key-worker.ts', import.meta.url).href
    await using room = openKeyRoom({ program: wrong })
    for (let round = 0; round < 2; round++) {
      const fault = await rejectionOf(() => room.signAll([taskOf(1)]))
      expect(fault.message).toBe('the thread for keys has failed')
    }
  })

  test('computes public keys, of the first 32 bytes of a longer secret too', async () => {
    await using room = openKeyRoom()
    const node = secretOf(Uint8Array.of(...bytes(5), ...bytes(6)))
    expect(await room.publicKey('secp256k1', node)).toEqual(publicKeyOf('secp256k1', bytes(5)))
    const uncompressed = await room.publicKey('secp256k1', secretOf(bytes(5)), false)
    expect(uncompressed.bytes).toHaveLength(65)
  })
})
