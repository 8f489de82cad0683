import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { fromHex, hex } from '../../src/base/bytes.ts'
import { addModOrder, order } from '../../src/secret/scalar.ts'

const numRuns = Number(process.env['FC_NUM_RUNS'] ?? 100)
const n = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n
const top = 2n ** 256n - 1n

describe('the sum of two private keys', () => {
  test('is taken modulo the order of the group', () => expect(hex(order)).toBe(n.toString(16)))

  const nearEdge = fc
    .tuple(fc.constantFrom(0n, n / 2n, 2n ** 128n, 2n ** 255n, n, top), fc.bigInt(-3n, 3n))
    .map(([edge, distance]) => edge + distance)
    .filter(value => value >= 0n && value <= top)
  const anywhere = fc.bigInt(0n, top)
  const number = fc.oneof(nearEdge, anywhere)
  const key = number.filter(value => value > 0n && value < n)

  test('is that of BigInt, at the edges too', () => {
    fc.assert(fc.property(number, key, expectSum), { numRuns: numRuns * 5 })
  })

  test('is right on every byte around the order and around 2^256', () => {
    const around = fc.tuple(key, fc.constantFrom(n, top + 1n), fc.bigInt(-2n, 2n))
    const check = ([addend, target, distance]: readonly [bigint, bigint, bigint]) => {
      const sum = target + distance - addend
      if (sum >= 0n && sum <= top) expectSum(sum, addend)
    }
    fc.assert(fc.property(around, check), { numRuns: numRuns * 5 })
  })

  test.each([
    ['the order itself', n, 1n],
    ['more than the order', top, 1n],
    ['a sum of zero', n - 1n, 1n],
    ['a sum of zero from the other side', 1n, n - 1n],
  ])('%s is no key', (_, sum, addend) => expect(added(sum, addend)).toBeUndefined())
})

function expectSum(sum: bigint, addend: bigint): void {
  const expected = (sum + addend) % n
  expect(added(sum, addend)).toBe(sum >= n || expected === 0n ? undefined : expected)
}

function added(sum: bigint, addend: bigint): bigint | undefined {
  const bytes = wordOf(sum)
  return addModOrder(bytes, wordOf(addend)) ? BigInt(`0x${hex(bytes)}`) : undefined
}

function wordOf(value: bigint): Uint8Array {
  return fromHex(value.toString(16).padStart(64, '0')) ?? new Uint8Array()
}
