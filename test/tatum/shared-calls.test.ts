import { describe, expect, test } from 'bun:test'
import { shareCalls } from '../../src/tatum/shared-calls.ts'

/** Calls that are answered one by one, by the test. */
function startCalls() {
  const made: PromiseWithResolvers<number>[] = []
  const share = shareCalls<number>()
  const signal = new AbortController().signal
  return {
    made,
    ask: (name: string, by: AbortSignal | undefined = signal) =>
      share(name, by, () => {
        const call = Promise.withResolvers<number>()
        made.push(call)
        return call.promise
      }),
  }
}

describe('calls that ask the same', () => {
  test('share the answer while it is awaited, and ask again afterwards', async () => {
    const { made, ask } = startCalls()
    const asked = [ask('price'), ask('price'), ask('block')]
    expect(made).toHaveLength(2)
    made[0]?.resolve(1)
    made[1]?.resolve(2)
    expect(await Promise.all(asked)).toEqual([1, 1, 2])
    const later = ask('price')
    made[2]?.resolve(3)
    expect(await later).toBe(3)
  })

  test('share a fault, which nobody gets afterwards', async () => {
    const { made, ask } = startCalls()
    const asked = [ask('price'), ask('price')]
    made[0]?.reject(new Error('no answer'))
    for (const each of asked) await expect(each).rejects.toThrow('no answer')
    const later = ask('price')
    made[1]?.resolve(3)
    expect(await later).toBe(3)
  })

  test('share nothing when they end with different signals', async () => {
    const { made, ask } = startCalls()
    const asked = [
      ask('price'),
      ask('price', new AbortController().signal),
      ask('price', undefined),
    ]
    expect(made).toHaveLength(3)
    for (const [i, { resolve }] of made.entries()) resolve(i)
    expect(await Promise.all(asked)).toEqual([0, 1, 2])
  })
})
