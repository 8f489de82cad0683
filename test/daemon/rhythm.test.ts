import { describe, expect, test } from 'bun:test'
import { type Brought, createRhythm } from '../../src/daemon/rhythm.ts'

/** In which of some rounds a chain is polled, when each poll brings the next of `brought`. */
function polledRounds(
  longest: number,
  rounds: number,
  brought: readonly Brought[],
  longestWatch = longest,
) {
  const rhythm = createRhythm(longest, longestWatch)
  const found = [...brought]
  return Array.from({ length: rounds }, (_, round) => round).filter(() => {
    if (!rhythm.isDue('BTC', ['a'])) return false
    rhythm.brought('BTC', found.shift() ?? 'nothing')
    return true
  })
}

describe('a chain is polled', () => {
  test('in every round where nothing else is asked for', () => {
    expect(polledRounds(1, 5, [])).toEqual([0, 1, 2, 3, 4])
  })

  test('ever more rarely while nothing comes, up to a limit', () => {
    expect(polledRounds(8, 40, [])).toEqual([0, 2, 6, 14, 22, 30, 38])
    expect(polledRounds(5, 20, [])).toEqual([0, 2, 6, 11, 16])
  })

  test('in every round again once something comes', () => {
    const brought = ['nothing', 'nothing', 'payments', 'payments', 'nothing'] as const
    expect(polledRounds(8, 12, brought)).toEqual([0, 2, 6, 7, 8, 10])
  })

  test('not as rarely while there are arrivals to look for', () => {
    const brought: Brought[] = ['nothing', 'nothing', ...Array<Brought>(4).fill('arrivals')]
    expect(polledRounds(8, 40, brought, 3)).toEqual([0, 2, 6, 9, 12, 15, 18, 24, 32])
    expect(polledRounds(2, 8, ['arrivals', 'arrivals', 'arrivals'], 3)).toEqual([0, 2, 4, 6])
  })

  test('as before when it is not known whether something came', () => {
    expect(polledRounds(8, 12, ['nothing', 'unknown', 'unknown'])).toEqual([0, 2, 4, 6, 10])
  })

  test('at once when it has other wallets, or when somebody wants it', () => {
    const rhythm = createRhythm(8, 8)
    rhythm.isDue('BTC', ['a'])
    rhythm.brought('BTC', 'nothing')
    rhythm.isDue('BTC', ['a'])
    expect(rhythm.isDue('BTC', ['a', 'b'])).toBe(true)
    rhythm.brought('BTC', 'nothing')
    expect(rhythm.isDue('BTC', ['a', 'b'])).toBe(false)
    rhythm.wake('BTC')
    expect(rhythm.isDue('BTC', ['a', 'b'])).toBe(true)
    rhythm.wake('ETH')
  })

  test('whatever becomes of the others', () => {
    const rhythm = createRhythm(8, 8)
    rhythm.isDue('BTC', ['a'])
    rhythm.brought('BTC', 'nothing')
    expect(rhythm.isDue('BTC', ['a'])).toBe(false)
    expect(rhythm.isDue('ETH', ['a'])).toBe(true)
  })
})
