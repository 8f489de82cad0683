import { describe, expect, test } from 'bun:test'
import { createHash } from 'node:crypto'
import { p256 } from '@noble/curves/nist.js'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import type { Json } from '../../src/base/json.ts'
import type { Own } from '../../src/chains/chain.ts'
import { flow } from '../../src/chains/flow.ts'
import { completion, ownOf } from '../support/flow.ts'
import { readFlow } from '../support/flow-chain.ts'
import { type Answers, accountOf, createWorld, own, secret, signal } from '../support/flow-world.ts'
import { refusal } from '../support/refusal.ts'

describe('a signature of others', () => {
  /** Of the right form, and of nobody. */
  const made = { signature: 'ab'.repeat(64) }
  const wrong = (role: string) => refusal('network', new RegExp(`${role} that does not verify`))
  const finishing = async (answers: Answers, finisher: Own) => {
    const { txData } = await createWorld().signed()
    const world = createWorld(answers)
    return { world, final: flow.finish?.(txData, finisher, world.reads, signal) }
  }

  test.each([own, ownOf('cadence1', 'mainnet', secret), ownOf('original', 'mainnet', secret)])(
    'is checked before the payer is asked for its own (%#)',
    async finisher => {
      const { world, final } = await finishing({ 'POST /v3/flow/sign': made }, finisher)
      await expect(final).rejects.toThrow(wrong('proposer'))
      expect(world.asked.filter(request => request === 'POST /v3/flow/sign')).toHaveLength(1)
    },
  )

  test('is checked when it is the payer’s', async () => {
    const { keys } = accountOf(completion.proposer)
    const payersAccount = `GET /v1/accounts/${completion.payer.slice(2)}`
    const { final } = await finishing({ [payersAccount]: { keys } }, own)
    await expect(final).rejects.toThrow(wrong('payer'))
  })

  test('is not asked about where the original was recorded', async () => {
    const finisher = ownOf('original', 'testnet', secret)
    const { world, final } = await finishing({ 'POST /v3/flow/sign': made }, finisher)
    expect(readFlow((await final)?.txData ?? '').envelopeSignatures).toMatchObject([made])
    expect(world.asked).toEqual(['POST /v3/flow/sign', 'POST /v3/flow/sign'])
  })

  test.each([
    ['ECDSA_P256', p256, 'SHA2_256', 'sha256'],
    ['ECDSAP256', p256, 'SHA3_256', 'sha3-256'],
    ['ECDSASecp256k1', secp256k1, 'SHA2_256', 'sha256'],
  ] as const)('may be of a key of %s (%#)', async (algorithm, curve, hashing, hash) => {
    const key = {
      index: '0',
      signing_algorithm: algorithm,
      hashing_algorithm: hashing,
      public_key: Buffer.from(curve.getPublicKey(secret, false).subarray(1)).toString('hex'),
    }
    const sign = (body?: Json) => {
      const { data } = body as { data: string }
      const digest = createHash(hash).update(data, 'hex').digest()
      const signature = curve.sign(digest, secret, { prehash: false, lowS: false })
      return { signature: Buffer.from(signature).toString('hex') }
    }
    const answers = { 'POST /v3/flow/sign': sign, 'GET /v1/accounts/': { keys: [key] } }
    const { final } = await finishing(answers, own)
    expect(readFlow((await final)?.txData ?? '').envelopeSignatures).toHaveLength(1)
    const other = { ...key, hashing_algorithm: hash === 'sha256' ? 'SHA3_256' : 'SHA2_256' }
    const refused = await finishing({ ...answers, 'GET /v1/accounts/': { keys: [other] } }, own)
    await expect(refused.final).rejects.toThrow(wrong('proposer'))
  })

  const [key] = accountOf(completion.proposer).keys

  test.each([
    null,
    {},
    { keys: [] },
    { keys: [{ ...key, index: '1' }] },
    { keys: [{ ...key, public_key: undefined }] },
    { keys: [{ ...key, public_key: '0x11' }] },
    { keys: [{ ...key, signing_algorithm: 'BLS_BLS12_381' }] },
    { keys: [{ ...key, hashing_algorithm: '__proto__' }] },
  ])('is not taken on trust for an account like %j', async account => {
    const { final } = await finishing({ 'GET /v1/accounts/': account }, own)
    await expect(final).rejects.toThrow(refusal('network', /account of the proposer.* wrong shape/))
  })

  test('does not verify with a key that is no point of its curve', async () => {
    const keys = [{ ...key, public_key: `0x${'11'.repeat(64)}` }]
    const { final } = await finishing({ 'GET /v1/accounts/': { keys } }, own)
    await expect(final).rejects.toThrow(wrong('proposer'))
  })
})
