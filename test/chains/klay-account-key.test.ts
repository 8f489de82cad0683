import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { readAccountKey, spellAccountKey } from '../../src/chains/family/klay-account-key.ts'
import { decodeRaw, senderPart, signedPart } from '../../src/chains/family/klay-raw.ts'
import { thrownBy } from '../support/evm.ts'

fc.configureGlobal({ numRuns: Number(process.env['FC_NUM_RUNS'] ?? 100) })

const point = '033a514176466fa815ed481ffad09110a2d344f6c9b78c1d14afc351c3a51be33d'

test('an account update is written as the example of the specification', () => {
  // docs.kaia.io, "TxTypeAccountUpdate", RLP Encoding (Example).
  const sigRlp = `0xf849b844f842208204d219830f424094a94f5374fce5edbc8e2a8697c15331677e6ebf0ba302a1${point}018080`
  const whole = `20f8888204d219830f424094a94f5374fce5edbc8e2a8697c15331677e6ebf0ba302a1${point}f845f84325a0f7d479628f05f51320f0842193e3f7ae55a5b49d3645bf55c35bee1e8fd2593aa04de8eab5338fdc86e96f8c49ed516550f793fc2c4007614ce3d2a6b33cf9e451`
  const raw = decodeRaw(Buffer.from(whole, 'hex'), 1, what => new Error(what))
  expect(raw.body).toEqual({
    action: 'update',
    payerShare: 0,
    nonce: 1234,
    price: 25n,
    gas: 1_000_000n,
    from: '0xa94f5374fce5edbc8e2a8697c15331677e6ebf0b',
    value: 0n,
    data: `0x02a1${point}`,
  })
  expect(signedPart(raw)).toBe(sigRlp as `0x${string}`)
  expect(senderPart(raw)).toBe(`0x${whole}`)
  expect(spellAccountKey(readAccountKey(raw.body.data))).toBe(point)
})

test.each([
  ['nothing', ''],
  ['the same as before, for all of the account', '80'],
  ['a kind that there is not', '06c0'],
  ['a legacy key with something in it', '01c101'],
  ['a key that is not compressed', `02b841${'04'.repeat(65)}`],
  ['a key that is no point', `02a1${'02'.repeat(1)}${'ff'.repeat(32)}`],
  ['a key and more', `02a1${point}00`],
  ['a length that is misspelled', `02b821${point}`],
  ['several keys of which there is none', '04c201c0'],
  ['no role', '05c0'],
  ['four roles', '05cc8201c08201c08201c08201c0'],
  ['a role of roles', '05c58405c28180'],
])('%s is no key of an account', (_, digits) => {
  expect(thrownBy(() => readAccountKey(`0x${digits}`))).toMatchObject({
    code: 'transaction-malformed',
    message: 'the new key of the account is none that is known',
  })
})

test('any bytes are a key of an account or are refused', () => {
  const first = fc.constantFrom(1, 2, 3, 4, 5)
  fc.assert(
    fc.property(first, fc.uint8Array({ maxLength: 80 }), (kind, rest) => {
      const digits = Buffer.from([kind, ...rest]).toString('hex')
      try {
        expect(spellAccountKey(readAccountKey(`0x${digits}`))).not.toBeEmpty()
      } catch (thrown) {
        expect(thrown).toMatchObject({ name: 'KmsError', code: 'transaction-malformed' })
      }
    }),
  )
})
