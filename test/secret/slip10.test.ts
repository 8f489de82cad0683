import { describe, expect, test } from 'bun:test'
import { fromHex } from '../../src/base/bytes.ts'
import { childPrivateKey, deriveNode } from '../../src/secret/slip10.ts'
import { refusalOf, revealed, revealedHex, secretOf } from '../support/secret.ts'
import { slip10Vectors } from '../vectors/slip10.ts'

describe.each(slip10Vectors)('SLIP-10 test vector $number', ({ seed, nodes }) => {
  test.each(nodes)('%s', (path, chainCode, key) => {
    using node = nodeAt(seed, `${path}/i'`)
    expect(revealedHex(node)).toBe(key + chainCode)
  })

  test.each(nodes.slice(1))('%s has the same key wherever the index stands', (path, _, key) => {
    const steps = path.split('/').slice(1)
    for (const [place, step] of steps.entries()) {
      const withIndex = ['m', ...steps.with(place, "i'")].join('/')
      using node = nodeAt(seed, withIndex)
      using child = childPrivateKey(node, withIndex, Number.parseInt(step, 10))
      expect(revealedHex(child)).toBe(key)
    }
  })
})

test('a node is not changed by deriving from it', () => {
  using node = nodeAt('07'.repeat(64), "m/44'/i'/0'")
  const before = revealed(node)
  childPrivateKey(node, "m/44'/i'/0'", 7).wipe()
  expect(revealed(node)).toEqual(before)
})

test.each(['m', "m/44'/0'", "m/44/i'", "m/0/i'", "m/i'/i'"])('%s has no keys', path => {
  expect(refusalOf(() => nodeAt('07'.repeat(64), path)).code).toBe('unexpected')
})

test('a step behind the index that is not hardened has no key', () => {
  using node = nodeAt('07'.repeat(64), "m/44'/i'")
  expect(refusalOf(() => childPrivateKey(node, "m/44'/i'/0", 0)).code).toBe('unexpected')
})

function nodeAt(seed: string, path: string) {
  using secret = secretOf(fromHex(seed) ?? new Uint8Array())
  return deriveNode(secret, path)
}
