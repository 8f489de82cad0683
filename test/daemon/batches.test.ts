import { describe, expect, test } from 'bun:test'
import { inBatches } from '../../src/daemon/batches.ts'

describe('a batch', () => {
  test('is what came while the one before it was under way', async () => {
    const { batches, ask } = recorded({ maxItems: 100 })
    expect(await Promise.all([1, 2, 3, 4].map(ask))).toEqual([10, 20, 30, 40])
    expect(batches).toEqual([[1], [2, 3, 4]])
    expect(await ask(5)).toBe(50)
    expect(batches.at(-1)).toEqual([5])
  })

  test('has no more items than it may', async () => {
    const { batches, ask } = recorded({ maxItems: 2 })
    await Promise.all([1, 2, 3, 4, 5].map(ask))
    expect(batches).toEqual([[1], [2, 3], [4, 5]])
  })

  test('weighs no more than it may, except one item alone', async () => {
    const { batches, ask } = recorded({ maxItems: 9, weigh: n => n, maxWeight: 5 })
    await Promise.all([1, 2, 3, 9, 1, 4, 1].map(ask))
    expect(batches).toEqual([[1], [2, 3], [9], [1, 4], [1]])
  })

  test('is not joined by an item that cannot be weighed', async () => {
    const weigh = (n: number): number => {
      if (n === 2) throw new Error('too deep')
      return 1
    }
    const { batches, ask } = recorded({ maxItems: 9, weigh, maxWeight: 9 })
    const asked = await Promise.allSettled([1, 2, 3].map(ask))
    expect(asked.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
    expect(batches).toEqual([[1], [3]])
  })

  test('waits for company as long as the item of least patience, and takes the others along', async () => {
    const { batches, ask } = recorded({ maxItems: 4, gatherMs: n => (n < 10 ? 1 : 600_000) })
    const patient = [10, 11].map(ask)
    await Bun.sleep(20)
    expect(batches).toEqual([])
    expect(await ask(1)).toBe(10)
    await Promise.all(patient)
    expect(batches).toEqual([[10, 11, 1]])
    await Promise.all([12, 13, 14, 15].map(ask))
    expect(batches.slice(1)).toEqual([[12, 13, 14, 15]])
  })

  test('that fails, fails for all of its items and for no later ones', async () => {
    const ask = inBatches(
      async (items: readonly number[]) => {
        await Bun.sleep(1)
        if (items.includes(3)) throw new Error('it failed')
        return items
      },
      { maxItems: 2 },
    )
    const asked = await Promise.allSettled([1, 2, 3, 4].map(ask))
    const rejected = asked.map(({ status }) => status === 'rejected')
    expect(rejected).toEqual([false, true, true, false])
  })

  test('that is not answered item by item is a fault of each', async () => {
    const ask = inBatches(async () => [], { maxItems: 2 })
    expect(await ask(1).catch((fault: Error) => fault.message)).toBe(
      'a batch was not answered item by item',
    )
  })
})

function recorded(limits: Parameters<typeof inBatches<number, number>>[1]) {
  const batches: (readonly number[])[] = []
  const ask = inBatches(async (items: readonly number[]) => {
    batches.push(items)
    await Bun.sleep(1)
    return items.map(n => n * 10)
  }, limits)
  return { batches, ask }
}
