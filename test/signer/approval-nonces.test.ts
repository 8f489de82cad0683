import { beforeEach, describe, expect, test } from 'bun:test'
import { createNonces, type Nonces } from '../../src/signer/approval-nonces.ts'

const hour = 3_600_000
const [one, other] = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)]

let clock: number
let nonces: Nonces

beforeEach(() => {
  clock = 1_700_000_000_000
  nonces = createNonces(() => clock, 3)
})

describe('a nonce', () => {
  test('is 32 random bytes, the same for a payment and digest, for an hour', () => {
    const nonce = nonces.give('a', one)
    expect(nonce).toHaveLength(32)
    clock += hour - 1
    expect(nonces.give('a', one)).toBe(nonce)
    expect(nonces.find('a', one)).toBe(nonce)
  })

  test('is good for no other payment, digest or signer', () => {
    const nonce = nonces.give('a', one)
    expect(nonces.find('b', one)).toBeUndefined()
    expect(nonces.find('a', other)).toBeUndefined()
    expect(createNonces(() => clock).find('a', one)).toBeUndefined()
    const more = [nonces.give('a', other), nonces.give('b', one)]
    expect(more).not.toContainEqual(nonce)
  })

  test.each([
    ['an hour later', hour],
    ['when the clock was put back', -1],
  ])('is good no more %s', (_, ms) => {
    const nonce = nonces.give('a', one)
    clock += ms
    expect(nonces.find('a', one)).toBeUndefined()
    expect(nonces.give('a', one)).not.toEqual(nonce)
  })

  test('makes room for newer ones, the oldest first', () => {
    const given = ['a', 'b', 'c', 'd'].map(id => nonces.give(id, one))
    expect(nonces.find('a', one)).toBeUndefined()
    expect(['b', 'c', 'd'].map(id => nonces.find(id, one))).toEqual(given.slice(1))
    clock += hour
    const fresh = nonces.give('b', one)
    expect(nonces.find('b', one)).toBe(fresh)
  })

  test('made anew is the newest', () => {
    nonces.give('a', one)
    clock += hour
    for (const id of ['b', 'c', 'a', 'd']) nonces.give(id, one)
    expect(nonces.find('a', one)).toBeDefined()
    expect(nonces.find('b', one)).toBeUndefined()
  })
})
