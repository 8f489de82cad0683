import { describe, expect, test } from 'bun:test'
import { type Epoch, holdLeases, type LeaseStore } from '../../src/daemon/leases.ts'
import { until } from '../support/daemon-process.ts'

describe('leases', () => {
  test('are asked for once, however many of this process take one at the same time', async () => {
    const { store, leases, taken } = startLeases()
    expect(await Promise.all(['x', 'x', 'y'].map(leases.take))).toEqual([true, true, true])
    expect(taken()).toEqual(['x', 'y'])
    leases.letGo('x')
    expect(leases.isHeld('x')).toBe(true)
    leases.letGo('x')
    expect(leases.isHeld('x')).toBe(false)
    await Bun.sleep(1)
    expect([...store.keys()]).toEqual(['y'])
    await leases.close()
    expect([...store.keys()]).toEqual([])
  })

  test('that another has are not given, and asked for anew each time', async () => {
    const { store, leases } = startLeases()
    store.set('x', 'theirs')
    expect(await leases.take('x')).toBe(false)
    expect(() => leases.epoch('x')).toThrow('another daemon has it')
    store.delete('x')
    expect(await leases.take('x')).toBe(true)
    expect(leases.epoch('x')).toBe('1')
    await leases.close()
  })

  test('that ran out stay lost until the work that had them has ended', async () => {
    const { leases, pass } = startLeases()
    await leases.take('x')
    pass(1_000)
    expect(leases.isHeld('x')).toBe(false)
    expect(() => leases.epoch('x')).toThrow('another daemon has it')
    expect(await leases.take('x')).toBe(false)
    leases.letGo('x')
    expect(await leases.take('x')).toBe(true)
    expect(leases.epoch('x')).toBe('2')
    await leases.close()
  })

  test('are prolonged, but not one that has run out before the answer came', async () => {
    const { leases, pass, renew } = startLeases()
    await leases.take('x')
    pass(600)
    await renew()
    pass(600)
    expect(leases.isHeld('x')).toBe(true)
    pass(600)
    await renew()
    expect(leases.isHeld('x')).toBe(false)
    await leases.close()
  })

  test('are not prolonged by another epoch of the same name', async () => {
    const { store, leases, pass, renew } = startLeases()
    await leases.take('x')
    store.set('x', 'another')
    await renew()
    pass(1_000)
    expect(leases.isHeld('x')).toBe(false)
    await leases.close()
  })

  test('that are granted after they have run out are given back', async () => {
    const { store, leases, answerAfter } = startLeases()
    answerAfter(1_000)
    expect(await Promise.all(['x', 'x'].map(leases.take))).toEqual([false, false])
    await Bun.sleep(1)
    expect([...store.keys()]).toEqual([])
    answerAfter(0)
    expect(await leases.take('x')).toBe(true)
    expect(leases.epoch('x')).toBe('2')
    await leases.close()
  })

  test('are prolonged by name: what was granted unheard, or not dropped, runs out', async () => {
    const { store, leases, renew, prolonged } = startLeases()
    await leases.take('x')
    store.set('y', 'unheard of')
    await renew()
    expect(prolonged()).toEqual([['1']])
    await leases.close()
  })

  test('are prolonged by the third try, after two that hung for a third of their time', async () => {
    let clock = 0
    let tries = 0
    const leases = holdLeases(
      {
        take: async names => new Map(names.map(name => [name, '1'])),
        async renew() {
          tries++
          if (tries >= 3) return new Map([['x', '1']])
          clock += 333
          throw new Error('away')
        },
        drop: async () => {},
      },
      {
        leaseMs: 1_000,
        monotonic: () => clock,
        async sleep(ms) {
          await Bun.sleep(0)
          clock += tries < 3 ? ms : 0
        },
      },
    )
    await leases.take('x')
    await until(() => tries > 3)
    expect(clock).toBeLessThan(1_000)
    clock += 900
    expect(leases.isHeld('x')).toBe(true)
    await leases.close()
  })

  test('are lost, and nothing else, while the database is away', async () => {
    const { leases, pass, renew, fail } = startLeases()
    await leases.take('x')
    fail(true)
    await renew()
    expect(leases.isHeld('x')).toBe(true)
    await expect(leases.take('y')).rejects.toThrow('away')
    pass(1_000)
    leases.letGo('x')
    fail(false)
    expect(await leases.take('x')).toBe(true)
    await leases.close()
  })
})

/** Under a clock of their own, with a table in memory. */
function startLeases() {
  const store = new Map<string, Epoch>()
  const asked: string[] = []
  const prolonged: (readonly Epoch[])[] = []
  let clock = 0
  let epoch = 0
  let isAway = false
  let late = 0
  let wake = (): void => {}
  let renewed = (): void => {}
  const table: LeaseStore = {
    async take(names) {
      if (isAway) throw new Error('away')
      const free = names.filter(name => store.get(name) !== 'theirs')
      asked.push(...free)
      for (const name of free) store.set(name, `${++epoch}`)
      clock += late
      return new Map(free.map(name => [name, store.get(name) ?? '']))
    },
    async renew(epochs) {
      if (isAway) throw new Error('away')
      prolonged.push(epochs)
      return store
    },
    async drop(epochs) {
      for (const [name, of] of store) if (epochs.includes(of)) store.delete(name)
    },
  }
  const leases = holdLeases(table, {
    leaseMs: 1_000,
    monotonic: () => clock,
    async sleep(_, signal) {
      renewed()
      await new Promise<void>(resolve => {
        wake = resolve
        signal?.addEventListener('abort', () => resolve())
      })
    },
  })
  return {
    store,
    leases,
    taken: () => asked,
    prolonged: () => prolonged,
    answerAfter(ms: number) {
      late = ms
    },
    pass(ms: number) {
      clock += ms
    },
    fail(away: boolean) {
      isAway = away
    },
    /** As if the time for it had come. */
    async renew() {
      await new Promise<void>(resolve => {
        renewed = resolve
        wake()
      })
    },
  }
}
