/** Chance that can be had again: the same for the same seed. */
export type Random = {
  /** A number in [0, 1). */
  next(): number
  /** A whole number from 0 to below `end`. */
  below(end: number): number
  isOneIn(times: number): boolean
  oneOf<T>(values: readonly T[]): T
}

/** Mulberry32. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  const below = (end: number): number => Math.floor(next() * end)
  return {
    next,
    below,
    isOneIn: times => below(times) === 0,
    oneOf: values => values[below(values.length)] ?? never(),
  }
}

function never(): never {
  throw new Error('there is nothing to choose from')
}
