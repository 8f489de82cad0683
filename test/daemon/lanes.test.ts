import { describe, expect, test } from 'bun:test'
import { createLanes, createTurns } from '../../src/daemon/lanes.ts'

describe('a lane', () => {
  test('does one work after the other; another lane does not wait', async () => {
    const lanes = createLanes()
    const did: string[] = []
    const gate = Promise.withResolvers<void>()
    const first = lanes.enter('a', async () => {
      await gate.promise
      did.push('a1')
    })
    const second = lanes.enter('a', async () => void did.push('a2'))
    await lanes.enter('b', async () => void did.push('b'))
    gate.resolve()
    await Promise.all([first, second])
    expect(did).toEqual(['b', 'a1', 'a2'])
  })

  test('goes on after a work that failed, and says so to nobody else', async () => {
    const lanes = createLanes()
    const failed = lanes.enter('a', async () => {
      throw new Error('it failed')
    })
    expect(await lanes.enter('a', async () => 7)).toBe(7)
    expect(await failed.catch((fault: Error) => fault.message)).toBe('it failed')
  })

  test('takes works that enter while it works, in their order', async () => {
    const lanes = createLanes()
    const did: number[] = []
    const later: Promise<void>[] = []
    await lanes.enter('a', async () => {
      for (const n of [1, 2]) later.push(lanes.enter('a', async () => void did.push(n)))
      await Bun.sleep(1)
      did.push(0)
    })
    await Promise.all(later)
    expect(did).toEqual([0, 1, 2])
  })
})

describe('turns', () => {
  test('are as many as there are places, and come in order', async () => {
    const turns = createTurns(3)
    const began: number[] = []
    let now = 0
    let most = 0
    const work = (n: number) => async () => {
      began.push(n)
      most = Math.max(most, ++now)
      await Bun.sleep(n % 3)
      now--
      if (n === 4) throw new Error('it failed')
    }
    const numbers = Array.from({ length: 20 }, (_, n) => n)
    await Promise.allSettled(numbers.map(n => turns.take(work(n))))
    expect({ began, most }).toEqual({ began: numbers, most: 3 })
  })

  test('that hang keep their places and no others', async () => {
    const turns = createTurns(2)
    void turns.take(() => Promise.withResolvers<void>().promise)
    const did = Array.from({ length: 20 }, (_, n) => turns.take(async () => n))
    expect((await Promise.all(did)).at(-1)).toBe(19)
  })
})
