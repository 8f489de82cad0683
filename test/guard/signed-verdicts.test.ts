import { describe, expect, test } from 'bun:test'
import { ed25519 } from '@noble/curves/ed25519.js'
import fc from 'fast-check'
import { fromHex } from '../../src/base/bytes.ts'
import {
  decodeVerdicts,
  describeShortage,
  judgeVerdicts,
  type SignedVerdict,
} from '../../src/guard/signed-verdicts.ts'
import { fullBody } from '../support/approval-vector.ts'
import { approverKey, digestOf, signVerdict, verdictMessage } from '../support/approver.ts'

const numRuns = Number(process.env['FC_NUM_RUNS'] ?? 100)

const now = 1_700_000_000_000
const hour = 3_600_000
const [ann, bob, eve] = [approverKey(1), approverKey(2), approverKey(3)]
const rules = { keys: [ann.publicKey, bob.publicKey], approvals: 2 }
const digest = Uint8Array.from(digestOf(fullBody))
const nonce = Uint8Array.from(Buffer.from(fullBody.approval.nonce, 'hex'))
const asked = { digest, nonce, now }
const other = new Uint8Array(32).fill(1)

describe('a verdict counts', () => {
  test('when one of the keys has signed it, once for each key', () => {
    expect(judge([yes(ann)])).toMatchObject({ approved: [ann.publicKey], denied: [] })
    expect(judge([yes(ann), yes(ann), yes(ann, hour)])).toMatchObject({ approved: [ann.publicKey] })
    expect(judge([yes(bob), yes(ann)]).approved.toSorted()).toEqual(rules.keys.toSorted())
  })

  test('whatever the case of its digits', () => {
    const { key, signature, ...rest } = yes(ann)
    const loud = { ...rest, key: key.toUpperCase(), signature: signature.toUpperCase() }
    expect(judge([loud, yes(ann)])).toMatchObject({ approved: [ann.publicKey] })
  })

  test('as a no before it counts as a yes', () => {
    expect(judge([yes(ann), no(ann), yes(bob)])).toMatchObject({
      approved: [bob.publicKey],
      denied: [ann.publicKey],
    })
  })

  test('until an hour ahead, and not at its last moment', () => {
    for (const ms of [1, hour]) expect(judge([yes(ann, ms)]).approved).toHaveLength(1)
    for (const ms of [-hour, -1, 0, hour + 1, Number.MAX_SAFE_INTEGER - now]) {
      expect(judge([yes(ann, ms)])).toEqual(nothing('out of time'))
    }
  })
})

describe('a verdict counts for nothing', () => {
  const good = yes(ann)
  const forged: readonly (readonly [name: string, verdict: SignedVerdict, flaw: Flaw])[] = [
    ['of a key that is not known', yes(eve), 'unknown keys'],
    ['under the name of another', { ...yes(eve), key: ann.publicKey }, 'wrong signatures'],
    ['of another nonce', signed(digest, other, 'approved'), 'wrong signatures'],
    ['of another digest', signed(other, nonce, 'approved'), 'wrong signatures'],
    ['of nonce and digest exchanged', signed(nonce, digest, 'approved'), 'wrong signatures'],
    ['that was turned from no to yes', { ...no(ann), verdict: 'approved' }, 'wrong signatures'],
    ['that was turned from yes to no', { ...good, verdict: 'denied' }, 'wrong signatures'],
    ['that was made to last longer', { ...good, expiry: good.expiry + 1 }, 'wrong signatures'],
    ['with s plus the order', { ...good, signature: withLargerS(good) }, 'wrong signatures'],
    ['with the negative of s', { ...good, signature: withNegativeS(good) }, 'wrong signatures'],
    [
      'without s',
      { ...good, signature: good.signature.slice(0, 64) + '0'.repeat(64) },
      'wrong signatures',
    ],
    ['of zeros', { ...good, signature: '0'.repeat(128) }, 'wrong signatures'],
    ['that signs the digest alone', bare(digest), 'wrong signatures'],
    ['that signs a hash of its message', bare(sha256(message(good))), 'wrong signatures'],
  ]

  test.each(forged)('%s', (_, verdict, flaw) => {
    expect(judge([verdict])).toEqual(nothing(flaw))
    expect(judge([verdict, yes(bob)]).approved).toEqual([bob.publicKey])
  })

  test('under a key of small order, were it one of ours: the sum of nothing fits any message', () => {
    const key = `01${'00'.repeat(31)}`
    const signature = `01${'00'.repeat(63)}`
    const free = { key, verdict: 'approved', expiry: now + 1, signature } as const
    // This is why such a key is refused at the start (approver-key.ts).
    expect(judgeVerdicts({ keys: [key], approvals: 1 }, asked, [free]).approved).toEqual([key])
    expect(judge([free])).toEqual(nothing('unknown keys'))
  })

  test('when any bit of its signature is another', () => {
    fc.assert(
      fc.property(fc.nat(511), bit => {
        const bytes = Buffer.from(good.signature, 'hex')
        bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7))
        expect(judge([{ ...good, signature: bytes.toString('hex') }]).approved).toEqual([])
      }),
      { numRuns },
    )
  })
})

test('node and noble, read by RFC 8032, say the same of a signature', () => {
  const candidates = [yes(ann), no(ann), { ...yes(ann), signature: withLargerS(yes(ann)) }]
  for (const given of candidates) {
    const { verdict } = given
    const signature = fromHex(given.signature) ?? other
    const key = fromHex(given.key) ?? other
    const isValid = ed25519.verify(signature, message(given), key, { zip215: false })
    const { approved, denied } = judge([given])
    expect((verdict === 'approved' ? approved : denied).length === 1).toBe(isValid)
  }
})

test('a shortage says how many there are, and what those are that do not count', () => {
  expect(describeShortage(rules, judge([]))).toBe('0 of 2 signed approvals')
  const flawed = [yes(ann), yes(eve), yes(eve), { ...yes(bob), key: ann.publicKey }, yes(bob, -1)]
  expect(describeShortage(rules, judge(flawed))).toBe(
    '1 of 2 signed approvals (unknown keys: 2, wrong signatures: 1, out of time: 1)',
  )
})

describe('an answer', () => {
  test('is read as it is, without members that nobody knows', () => {
    const verdicts = [yes(ann), no(bob)]
    expect(decodeVerdicts(verdicts)).toEqual(verdicts)
    expect(decodeVerdicts(verdicts.map(each => ({ ...each, name: 'Ann' })))).toEqual(verdicts)
    expect(decodeVerdicts([])).toEqual([])
  })

  const { key, verdict, expiry, signature } = yes(ann)
  test.each<readonly [string, unknown]>([
    ['nothing', undefined],
    ['null', null],
    ['an object', { 0: yes(ann), length: 1 }],
    ['a text', 'approved'],
    ['a list of a list', [[yes(ann)]]],
    ['a list with null', [yes(ann), null]],
    ['too many', Array.from({ length: 65 }, () => yes(ann))],
    ['no key', { verdict, expiry, signature }],
    ['a key as number', { ...yes(ann), key: 1 }],
    ['a short key', { ...yes(ann), key: key.slice(2) }],
    ['a key of base64', { ...yes(ann), key: Buffer.from(key, 'hex').toString('base64') }],
    ['a key with a newline', { ...yes(ann), key: `${key}\n` }],
    ['another verdict', { ...yes(ann), verdict: 'APPROVED' }],
    ['a verdict that is true', { ...yes(ann), verdict: true }],
    ['a verdict of the prototype', { ...yes(ann), verdict: '__proto__' }],
    ['an expiry as text', { ...yes(ann), expiry: `${expiry}` }],
    ['half a millisecond', { ...yes(ann), expiry: 0.5 }],
    ['an expiry that is no number', { ...yes(ann), expiry: Number.NaN }],
    ['an expiry before 1970', { ...yes(ann), expiry: -1 }],
    ['an expiry that no double holds', { ...yes(ann), expiry: 2 ** 53 }],
    ['a long signature', { ...yes(ann), signature: `${signature}00` }],
    ['a signature as bytes', { ...yes(ann), signature: [1, 2, 3] }],
  ])('is none when it has %s', (_, value) => {
    expect(decodeVerdicts(value)).toBeUndefined()
    const entries = Array.isArray(value) ? value : [value]
    if (value !== null && typeof value === 'object' && 'signature' in value) {
      expect(decodeVerdicts([yes(bob), ...entries])).toBeUndefined()
    }
  })

  test('of any shape is read or not, and never ends the program', () => {
    fc.assert(
      fc.property(fc.anything({ withNullPrototype: true, withSparseArray: true }), value => {
        const verdicts = decodeVerdicts(value)
        if (verdicts !== undefined) judge(verdicts)
      }),
      { numRuns },
    )
  })
})

type Key = ReturnType<typeof approverKey>
type Flaw = 'unknown keys' | 'wrong signatures' | 'out of time'

function judge(verdicts: readonly SignedVerdict[]) {
  return judgeVerdicts(rules, asked, verdicts)
}

function nothing(flaw: Flaw) {
  const ignored = { 'unknown keys': 0, 'wrong signatures': 0, 'out of time': 0, [flaw]: 1 }
  return { approved: [], denied: [], ignored }
}

function yes(key: Key, ms = 60_000): SignedVerdict {
  return signVerdict(key, fullBody, { verdict: 'approved', expiry: now + ms })
}

function no(key: Key): SignedVerdict {
  return signVerdict(key, fullBody, { verdict: 'denied', expiry: now + 60_000 })
}

function signed(of: Uint8Array, under: Uint8Array, verdict: 'approved' | 'denied'): SignedVerdict {
  const expiry = now + 60_000
  const signature = ann.sign(verdictMessage(of, under, { verdict, expiry }))
  return { key: ann.publicKey, verdict, expiry, signature }
}

function bare(signs: Uint8Array): SignedVerdict {
  return { ...yes(ann), signature: ann.sign(signs) }
}

function message(given: SignedVerdict): Uint8Array {
  return verdictMessage(digest, nonce, given)
}

function sha256(bytes: Uint8Array): Uint8Array {
  return new Bun.CryptoHasher('sha256').update(bytes).digest()
}

const order = ed25519.Point.Fn.ORDER

function withLargerS(given: SignedVerdict): string {
  return withS(given, s => s + order)
}

function withNegativeS(given: SignedVerdict): string {
  return withS(given, s => order - s)
}

/** The last 32 bytes are s, little endian. */
function withS({ signature }: SignedVerdict, change: (s: bigint) => bigint): string {
  const bytes = Buffer.from(signature, 'hex')
  const s = BigInt(`0x${bytes.subarray(32).reverse().toString('hex')}`)
  const changed = Buffer.from(change(s).toString(16).padStart(64, '0'), 'hex').reverse()
  return signature.slice(0, 64) + changed.toString('hex')
}
