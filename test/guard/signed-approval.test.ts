import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { hex } from '../../src/base/bytes.ts'
import {
  type ApprovalSubject,
  approvalDigest,
  encodeSubject,
  encodeVerdict,
  requestApproval,
} from '../../src/guard/signed-approval.ts'
import { parsePending } from '../../src/tatum/pending.ts'
import { fullBody } from '../support/approval-vector.ts'
import { type ApprovalBody, approverKey, digestOf, signVerdict } from '../support/approver.ts'
import { refusalOf } from '../support/secret.ts'

const numRuns = Number(process.env['FC_NUM_RUNS'] ?? 100)

const { approval } = fullBody
const { intent, feeCeiling } = approval
const full: ApprovalSubject = {
  vaultId: approval.vaultId,
  network: approval.network,
  pending: parsePending(fullBody),
  signedBefore: approval.signedBefore,
  intent: { ...intent, outputs: intent.outputs.map(o => ({ ...o, amount: BigInt(o.amount) })) },
  feeCeiling: { ...feeCeiling, amount: BigInt(feeCeiling.amount) },
}
const nonce = Uint8Array.from(Buffer.from(approval.nonce, 'hex'))

// Frozen: docs/format.md says how they are made, and approvers in other languages rely on them.
const digest = '8aa74ecb8cbc56a3a607ff28416539b17c0df5d250478c237475b319ae8e6333'
const verdictBytes =
  '00000014746174756d2d6b6d732076657264696374207631' +
  `00000020${digest}` +
  '00000008617070726f766564' +
  `00000020${'a5'.repeat(32)}` +
  '0000000d31373030303030303630303030'
const verdict = { verdict: 'approved', expiry: 1_700_000_060_000 } as const

describe('the digest of a payment', () => {
  test('is the one in the vector, and what the approver computes from the page', () => {
    expect(hex(approvalDigest(full))).toBe(digest)
    expect(digestOf(fullBody).toString('hex')).toBe(digest)
  })

  test('of the least that a payment has begins and ends as the page says', () => {
    const least = encodeSubject({ ...leastSubject, vaultId: 'v', network: 'testnet' })
    expect(hex(least)).toBe(
      [
        ...['00000015', utf8Hex('tatum-kms approval v1'), '00000001', utf8Hex('v')],
        ...['00000001', utf8Hex('1'), '00000003', utf8Hex('ETH'), '00000007', utf8Hex('testnet')],
        ...['00000000', '00000000', '00000000'],
        `00000020${sha256Hex('{}')}`,
        `00000020${sha256Hex('\0\0\0\0')}`,
        ...['00000000', '00000001', utf8Hex('0'), '00000001', utf8Hex('k'), '00000000', '00000000'],
        ...['00000001', utf8Hex('5'), '00000003', utf8Hex('ETH'), '00000000', '00000000'],
        ...['00000001', utf8Hex('0')],
      ].join(''),
    )
  })

  test('is another one when any field is, and no two of these are alike', () => {
    const digests = changes.map(change => hex(approvalDigest(merge(full, change))))
    expect(new Set([digest, ...digests]).size).toBe(changes.length + 1)
  })

  test('is not that of the fee before completion: it is the ceiling that counts', () => {
    const withFee = merge(full, { intent: { fee: { amount: 1n, asset: 'BTC' } } })
    expect(hex(approvalDigest(withFee))).toBe(digest)
  })

  test('is what the approver computes from the request, for any payment', () => {
    fc.assert(
      fc.property(subjects(), ({ subject, body }) => {
        const asked = requestApproval(subject, nonce)
        const sent = JSON.parse(JSON.stringify({ ...body, approval: asked })) as ApprovalBody
        expect(asked.digest).toBe(digestOf(sent).toString('hex'))
      }),
      { numRuns },
    )
  })

  test('is the same for equal payments only', () => {
    fc.assert(
      fc.property(subjects(), subjects(), ({ subject: a }, { subject: b }) => {
        const isAlike = Bun.deepEquals(plain(a), plain(b), true)
        expect(hex(encodeSubject(a)) === hex(encodeSubject(b))).toBe(isAlike)
      }),
      { numRuns },
    )
  })

  // Of texts that hold what the encoding puts around texts: lengths, counts, other texts.
  test('does not take what stands in one field for another', () => {
    const texts = fc.array(fc.constantFrom('', '0', '1', '\0\0\0\x01', '\0\0\0\0', 'a'), {
      maxLength: 4,
    })
    const odd = fc.record({ from: texts, hashes: texts, kind: fc.constantFrom('', 'a', '\0') })
    fc.assert(
      fc.property(odd, odd, (a, b) => {
        const [one, other] = [a, b].map(({ from, hashes, kind }) =>
          encodeSubject(merge(leastSubject, { pending: { hashes }, intent: { from, kind } })),
        )
        const isAlike = Bun.deepEquals(a, b, true)
        expect(hex(one ?? nonce) === hex(other ?? nonce)).toBe(isAlike)
      }),
      { numRuns: 10 * numRuns },
    )
  })

  test.each([
    ['a recipient', { intent: { from: ['\ud800'] } }],
    ['a transaction', { pending: { serializedTransaction: '"\udc00"' } }],
    ['a withdrawal', { pending: { withdrawalId: 'a\ud800b' } }],
  ])(
    'does not exist for %s with half a surrogate, which UTF-8 cannot tell from others',
    (_, change) => {
      const refusal = refusalOf(() => approvalDigest(merge(full, change)))
      expect(refusal).toMatchObject({ code: 'transaction-refused' })
    },
  )

  test.each([2 ** 53, -Infinity, Number.NaN, 0.5])('does not exist for the time %p', expiry => {
    const refusal = refusalOf(() => approvalDigest(merge(full, { intent: { expiry } })))
    expect(refusal).toMatchObject({ code: 'transaction-refused' })
  })
})

describe('what an approver signs', () => {
  test('is the one in the vector', () => {
    const bytes = encodeVerdict(Uint8Array.from(Buffer.from(digest, 'hex')), nonce, verdict)
    expect(hex(bytes)).toBe(verdictBytes)
  })

  test('has the signature in the vector', () => {
    const { key, signature } = signVerdict(approverKey(1), fullBody, verdict)
    expect(key).toBe('04eae09f9ac1d3873aeadba271ddac9af0fbf498ddc12b2e14249570a2e1a0c9')
    expect(signature).toBe(
      'dff5f9b5287a87b67dea67dffde6a9b775cc806420e89d3f7150cbe74cc8e8c6' +
        '94e5b521525966ca0bdd1627a59e58154ee0d972af1e51a1d42facdbd763b800',
    )
  })
})

test('people are told of amounts in digits, and of nothing that JSON cannot carry', () => {
  const told = requestApproval(full, nonce)
  expect(JSON.parse(JSON.stringify(told))).toEqual({ ...approval, digest })
})

const leastSubject: ApprovalSubject = {
  vaultId: '',
  network: 'mainnet',
  pending: { id: '1', chain: 'ETH', serializedTransaction: '{}', hashes: [], signatures: [] },
  signedBefore: 0,
  intent: { kind: 'k', from: [], outputs: [] },
  feeCeiling: { amount: 5n, asset: 'ETH' },
}

type Change = Partial<Omit<ApprovalSubject, 'pending' | 'intent'>> & {
  readonly pending?: Partial<ApprovalSubject['pending']>
  readonly intent?: Partial<ApprovalSubject['intent']>
}

function merge(subject: ApprovalSubject, { pending, intent, ...more }: Change): ApprovalSubject {
  return {
    ...subject,
    ...more,
    pending: { ...subject.pending, ...pending },
    intent: { ...subject.intent, ...intent },
  }
}

const [paid, kept] = full.intent.outputs
const outputs = [paid, kept].filter(output => output !== undefined)
const [first, second] = full.pending.withdrawalResponses ?? []
const inputs = [first, second].filter(input => input !== undefined)
const { index: _, withdrawalId: __, withdrawalResponses: ___, ...bare } = full.pending
const { expiry: ____, notBefore: _____, ...timeless } = full.intent

const changes: readonly Change[] = [
  { vaultId: '000102030405060708090a0b0c0d0e10' },
  { network: 'testnet' },
  { signedBefore: 0 },
  { feeCeiling: { amount: 2501n, asset: 'BTC' } },
  { feeCeiling: { amount: 2500n, asset: 'ETH' } },
  { pending: { id: 'another' } },
  { pending: { chain: 'LTC' } },
  { pending: { serializedTransaction: `${full.pending.serializedTransaction} ` } },
  { pending: { hashes: full.pending.hashes.toReversed() } },
  { pending: { hashes: [] } },
  { pending: { index: 8 } },
  { pending: { signatures: [] } },
  { pending: { signatures: full.pending.signatures.map(each => ({ ...each, index: 0 })) } },
  { pending: { withdrawalId: 'withdrawal-2' } },
  { pending: { withdrawalResponses: [] } },
  { pending: { withdrawalResponses: inputs.toReversed() } },
  { pending: { withdrawalResponses: inputs.map(input => ({ ...input, vIn: 'x' })) } },
  { pending: { withdrawalResponses: inputs.map(input => ({ ...input, vInIndex: 9 })) } },
  { pending: { withdrawalResponses: inputs.map(input => ({ ...input, derivationKey: 9 })) } },
  { intent: { kind: 'other' } },
  { intent: { from: ['bc1qfrombc1qother'] } },
  { intent: { from: full.intent.from.toReversed() } },
  { intent: { outputs: outputs.toReversed() } },
  { intent: { outputs: outputs.slice(1) } },
  { intent: { outputs: outputs.map(output => ({ ...output, to: 'x' })) } },
  { intent: { outputs: outputs.map(output => ({ ...output, amount: 1n })) } },
  { intent: { outputs: outputs.map(output => ({ ...output, asset: 'x' })) } },
  { intent: { outputs: outputs.map(output => ({ ...output, own: !output.own })) } },
  { intent: { expiry: 1_600_000_000_000 } },
  { intent: { notBefore: 1_700_000_000_000 } },
  { intent: { unread: false } },
]

test('a field that is absent is another payment than one that is there', () => {
  const without = [
    { ...full, pending: { ...full.pending, ...bare } },
    { ...full, pending: bare },
    { ...full, pending: { ...bare, index: 7 } },
    { ...full, pending: { ...bare, withdrawalId: '7' } },
    { ...full, intent: timeless },
    { ...full, intent: { ...timeless, expiry: 5 } },
    { ...full, intent: { ...timeless, notBefore: 5 } },
  ]
  expect(new Set(without.map(subject => hex(approvalDigest(subject)))).size).toBe(without.length)
})

function subjects(): fc.Arbitrary<{
  readonly subject: ApprovalSubject
  readonly body: Record<string, unknown>
}> {
  const word = fc.string({ unit: 'grapheme', maxLength: 6 })
  const whole = fc.nat(2 ** 31 - 1)
  const amount = fc.bigInt({ min: 0n, max: 2n ** 256n })
  const wallet = fc.uuid()
  const subject = fc.record({
    vaultId: fc.stringMatching(/^[0-9a-f]{32}$/),
    network: fc.constantFrom('mainnet' as const, 'testnet' as const),
    signedBefore: fc.nat(3),
    feeCeiling: fc.record({ amount, asset: word }),
    intent: fc.record(
      {
        kind: word,
        from: fc.array(word, { maxLength: 3 }),
        outputs: fc.array(fc.record({ to: word, amount, asset: word, own: fc.boolean() }), {
          maxLength: 3,
        }),
        expiry: fc.maxSafeInteger(),
        notBefore: fc.maxSafeInteger(),
        unread: fc.boolean(),
      },
      { requiredKeys: ['kind', 'from', 'outputs'] },
    ),
  })
  const sent = fc.record(
    {
      id: fc.stringMatching(/^[\w-]{1,10}$/),
      chain: fc.constantFrom('ETH', 'BTC'),
      serializedTransaction: word,
      hashes: fc.array(wallet, { maxLength: 3 }),
      signatures: fc.array(fc.record({ id: wallet, index: whole }), { maxLength: 3 }),
      index: whole,
      withdrawalId: fc.string({ minLength: 1, maxLength: 5 }),
      withdrawalResponses: fc.array(
        fc.record(
          {
            vIn: fc.string({ minLength: 1, maxLength: 5 }),
            vInIndex: whole,
            address: fc.record({ derivationKey: whole }),
          },
          { requiredKeys: ['vIn'] },
        ),
        { maxLength: 3 },
      ),
    },
    { requiredKeys: ['id', 'chain', 'serializedTransaction', 'hashes'] },
  )
  return fc
    .record({ subject, body: sent })
    .map(({ subject: rest, body }) => ({ subject: { ...rest, pending: parsePending(body) }, body }))
}

/** With what is absent spelled out. */
function plain({ intent: { unread = false, ...intent }, ...subject }: ApprovalSubject) {
  return { ...subject, intent: { ...intent, unread } }
}

function utf8Hex(text: string): string {
  return Buffer.from(text, 'utf8').toString('hex')
}

function sha256Hex(text: string): string {
  return new Bun.CryptoHasher('sha256').update(text).digest('hex')
}
