import { expect } from 'bun:test'
import fc from 'fast-check'
import { KmsError } from '../../src/base/errors.ts'
import type { Chain, Own } from '../../src/chains/chain.ts'
import { type Json, pendingOf } from './evm.ts'

/** Texts in the place of a transaction, some of them made of the good one. */
export function hostileTexts(good: Json, members: readonly string[]): fc.Arbitrary<string> {
  const text = JSON.stringify(good)
  const name = fc.constantFrom(...Object.keys(good), ...members, '__proto__', 'constructor')
  const value = fc.oneof(
    fc.jsonValue(),
    fc.constantFrom<unknown>(null, -1, 0.5, 2 ** 53, 1e308, '', '0x', '-1', '00', [], {}),
  )
  return fc.oneof(
    fc.string(),
    fc.string({ unit: 'binary' }),
    fc.json(),
    fc.nat(text.length).map(length => text.slice(0, length)),
    fc.dictionary(name, value).map(changes => JSON.stringify({ ...good, ...changes })),
    fc.tuple(name, value).map(([added, what]) => {
      return `${text.slice(0, -1)},${JSON.stringify(added)}:${JSON.stringify(what)}}`
    }),
  )
}

/** Half a megabyte each, in shapes that cost parsers most. */
export function largeTexts(good: Json, member: string): readonly string[] {
  const half = 500_000
  return [
    '['.repeat(half),
    '{"to":'.repeat(half / 6),
    '"'.repeat(half),
    '9'.repeat(half),
    JSON.stringify({ ...good, [member]: 'f'.repeat(half) }),
    JSON.stringify({ ...good, [member]: `0x${'00'.repeat(half / 2)}` }),
    JSON.stringify({ ...good, [member]: `0x${'c0'.repeat(half / 2)}` }),
    JSON.stringify({ ...good, [member]: '9'.repeat(half) }),
    `{${Array.from({ length: half / 12 }, (_, i) => `"m${i}":${i}`).join()}}`,
  ]
}

/** Text is read or refused with a sentence, at once. */
export function expectReasoned(chain: Chain, own: Own, text: string): void {
  // What takes longer with the square of the length takes minutes. Somebody else may have the
  // processor for a while, but not three times.
  const times = [1, 2, 3].map(() => {
    const start = performance.now()
    try {
      chain.prepare(pendingOf(chain, text), own, {})
    } catch (thrown) {
      expect(thrown).toBeInstanceOf(KmsError)
      expect((thrown as KmsError).code).toMatch(/^(transaction-|policy-denied)/)
      expect((thrown as KmsError).message).toMatch(/^[ -~]{10,300}$/)
    }
    return performance.now() - start
  })
  expect(Math.min(...times)).toBeLessThan(1_000)
}
