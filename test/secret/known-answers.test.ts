import { describe, expect, test } from 'bun:test'
import { ed25519 } from '@noble/curves/ed25519.js'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { KmsError } from '../../src/base/errors.ts'
import { knownAnswers, proveSigning } from '../../src/secret/known-answers.ts'

describe('the proof that a thread for keys begins with', () => {
  test('signs what noble signs in the same way, on both curves', () => {
    const byNoble = knownAnswers.map(({ key, request: { algorithm, message } }) =>
      algorithm === 'ed25519'
        ? ed25519.sign(message, key)
        : secp256k1.sign(message, key, { prehash: false }),
    )
    expect(knownAnswers.map(({ signature }) => signature)).toEqual(byNoble)
    expect(knownAnswers.map(({ request }) => request.algorithm).sort()).toEqual([
      'ecdsa-secp256k1',
      'ed25519',
    ])
    expect(() => proveSigning()).not.toThrow()
  })

  test.each(knownAnswers.map((answer, i) => [answer.request.algorithm, i] as const))(
    'throws when a signature of %s is another',
    (_, wrong) => {
      const answers = knownAnswers.map((answer, i) =>
        i === wrong ? { ...answer, signature: answer.signature.toReversed() } : answer,
      )
      expect(() => proveSigning(answers)).toThrow(KmsError)
    },
  )
})
