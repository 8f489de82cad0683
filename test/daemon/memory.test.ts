import { describe, expect, test } from 'bun:test'
import { createMemory } from '../../src/daemon/memory.ts'

describe('a payment that was tried', () => {
  test('is due again at once, after a period, then after twice as long up to a minute', () => {
    const memory = createMemory(5_000)
    const waits: number[] = []
    let now = 1_000_000
    expect(memory.isDue('a1', now)).toBe(true)
    for (let n = 0; n < 8; n++) {
      memory.tried('a1', now)
      const before = now
      while (!memory.isDue('a1', now)) now += 1_000
      waits.push((now - before) / 1_000)
    }
    expect(waits).toEqual([0, 5, 10, 20, 40, 60, 60, 60])
    expect(memory.isDue('b2', 0)).toBe(true)
  })

  test('waits no longer than the period where that is longer than a minute', () => {
    const memory = createMemory(3_600_000)
    for (let n = 0; n < 2000; n++) memory.tried('a1', 0)
    expect(memory.isDue('a1', 60_000)).toBe(true)
  })

  test('is forgotten when it is listed no more; what concerns no payment is not', () => {
    const memory = createMemory(5_000)
    const failure = { code: 'network', reason: 'it is down' } as const
    for (const id of ['a1', 'poll']) {
      memory.tell(id, 'network')
      memory.tried(id, 0)
      memory.tried(id, 0)
      memory.reports.set(id, failure)
    }
    memory.tell('the poll', 'network')
    memory.forgetAllBut(['a1'])
    expect(memory.isDue('poll', 0)).toBe(true)
    expect(memory.isDue('a1', 0)).toBe(false)
    expect([...memory.reports.keys()]).toEqual(['a1'])
    expect(memory.tell('a1', 'network')).toBe(false)
    expect(memory.tell('poll', 'network')).toBe(true)
    expect(memory.tell('the poll', 'network')).toBe(false)
  })
})

test('what was said of a part of a payment is kept as long as the payment is listed', () => {
  const memory = createMemory(5_000)
  memory.tell('a1/expiry', 'past')
  memory.forgetAllBut(['a1'])
  expect(memory.tell('a1/expiry', 'past')).toBe(false)
  memory.forgetAllBut([])
  expect(memory.tell('a1/expiry', 'past')).toBe(true)
})

test('news is told once, and once more when it is over', () => {
  const memory = createMemory(5_000)
  const told = [undefined, 'down', 'down', 'refused', undefined, undefined, 'down']
  expect(told.map(what => memory.tell('the poll', what))).toEqual([
    false,
    true,
    false,
    true,
    true,
    false,
    true,
  ])
})
