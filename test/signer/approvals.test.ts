import { afterAll, afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import type { SignedVerdict } from '../../src/guard/signed-verdicts.ts'
import type { Payment, SignResult } from '../../src/signer/messages.ts'
import {
  type ApprovalBody,
  approverKey,
  digestOf,
  signVerdict,
  verdictMessage,
} from '../support/approver.ts'
import { closingWallets, solPayment } from '../support/closing-payments.ts'
import { type InProcessSigner, startSigner } from '../support/in-process-signer.ts'
import {
  btcPayment,
  ethPayment,
  filledEthPayment,
  pendingIdOf,
  wallets,
} from '../support/payments.ts'
import { completion } from '../support/sol-payments.ts'
import { toBase58 } from '../support/solana.ts'
import { storeWallets } from '../support/test-vault.ts'

// The front is the adversary here: it asks the signer whatever it likes, in whatever order.

const numRuns = Number(process.env['FC_NUM_RUNS'] ?? 100)

const template = mkdtempSync(join(tmpdir(), 'kms-approvals-'))
await storeWallets(template, [...Object.values(wallets), closingWallets.sol])
afterAll(() => rmSync(template, { recursive: true }))

const [ann, bob, cyd, eve] = [1, 2, 3, 4].map(approverKey) as unknown as readonly [
  Key,
  Key,
  Key,
  Key,
]
const approvers = { keys: [ann, bob, cyd].map(({ publicKey }) => publicKey), approvals: 2 }
const start = 1_700_000_000_000
const hour = 3_600_000

let clock: number
let folder: string
let signer: InProcessSigner

beforeEach(() => {
  clock = start
  folder = mkdtempSync(join(tmpdir(), 'kms-approvals-'))
  cpSync(template, folder, { recursive: true })
  signer = begin()
})

afterEach(() => {
  signer[Symbol.dispose]()
  rmSync(folder, { recursive: true })
})

describe('a payment', () => {
  test('is signed when enough people have signed it, and the ledger says who', async () => {
    const body = await review(btcPayment(1))
    expect(body.approval.digest).toBe(digestOf(body).toString('hex'))
    expect(await sign(btcPayment(1), [yes(body, bob), yes(body, ann)])).toMatchObject(signed)
    const facts = signer.ledger.facts(pendingIdOf(1)) as { readonly approvedBy: readonly string[] }
    expect(facts.approvedBy.toSorted()).toEqual([ann.publicKey, bob.publicKey].toSorted())
  })

  test('needs nobody where the owner has named no keys', async () => {
    restart({ approvers: { keys: [], approvals: 0 } })
    expect(await sign(btcPayment(1))).toMatchObject(signed)
    expect(signer.ledger.facts(pendingIdOf(1))).toMatchObject({ approvedBy: [] })
    const asked = await signer.answer({ type: 'review', pending: [btcPayment(2)] })
    expect(asked).toMatchObject({ ok: { results: [{ kind: 'refused' }] } })
  })

  test('has one digest and one nonce for an hour, so that people may take their time', async () => {
    const first = await review(btcPayment(1))
    clock += hour - 1
    const later = await review(btcPayment(1))
    expect(later.approval).toEqual(first.approval)
    const verdicts = [yes(first, ann), yes(later, bob)]
    expect(await sign(btcPayment(1), verdicts)).toMatchObject(signed)
  })

  test('is answered from the ledger once it is signed, and needs nobody for that', async () => {
    const body = await review(btcPayment(1))
    await sign(btcPayment(1), [yes(body, ann), yes(body, bob)])
    restart()
    expect(await sign(btcPayment(1))).toMatchObject({ ...signed, repeated: true })
  })
})

describe('nothing is signed', () => {
  const shortages: readonly (readonly [
    string,
    (body: ApprovalBody) => readonly SignedVerdict[],
  ])[] = [
    ['without approvals', () => []],
    ['with one of two', body => [yes(body, ann)]],
    ['with one twice', body => [yes(body, ann), yes(body, ann)]],
    ['with one and a stranger', body => [yes(body, ann), yes(body, eve)]],
    [
      'with one under two names',
      body => [yes(body, ann), { ...yes(body, ann), key: bob.publicKey }],
    ],
    ['with strangers only', body => [yes(body, eve), yes(body, eve)]],
    ['with approvals that have run out', body => [yes(body, ann, 0), yes(body, bob, 0)]],
    [
      'with approvals for longer than an hour',
      body => [yes(body, ann, hour + 1), yes(body, bob, hour + 1)],
    ],
    ['with a nonce of the front', body => [other(body, ann), other(body, bob)]],
  ]
  test.each(shortages)('%s', async (_, verdictsOf) => {
    const body = await review(btcPayment(1))
    expect(await sign(btcPayment(1), verdictsOf(body))).toMatchObject(unapproved)
    expect(signer.ledger.count()).toBe(0)
    expect(await sign(btcPayment(1), [yes(body, ann), yes(body, bob)])).toMatchObject(signed)
  })

  test('when nobody was asked', async () => {
    expect(await sign(btcPayment(1))).toMatchObject({
      ...unapproved,
      reason: 'nobody was asked to approve this payment of late',
    })
  })

  test('with the approvals of another payment', async () => {
    const [body, twin] = [await review(btcPayment(1)), await review(btcPayment(2))]
    const verdicts = [yes(body, ann), yes(body, bob)]
    expect(await sign(btcPayment(2), verdicts)).toMatchObject(unapproved)
    // The same transaction under another id is another payment, and so is the other way round.
    expect(await sign(btcPayment(1, { id: twin.id }), verdicts)).toMatchObject(unapproved)
    expect(await sign(btcPayment(2, { id: body.id }), verdicts)).toMatchObject(unapproved)
    expect(await sign(btcPayment(1), verdicts)).toMatchObject(signed)
  })

  test('with approvals that another signer has asked for', async () => {
    const body = await review(btcPayment(1))
    restart()
    const again = await review(btcPayment(1))
    expect(again.approval).toEqual({ ...body.approval, nonce: again.approval.nonce })
    expect(again.approval.nonce).not.toBe(body.approval.nonce)
    expect(await sign(btcPayment(1), [yes(body, ann), yes(body, bob)])).toMatchObject(unapproved)
  })

  test('with approvals of more than an hour ago', async () => {
    const body = await review(btcPayment(1))
    clock += hour
    const verdicts = [yes(body, ann), yes(body, bob)]
    expect(await sign(btcPayment(1), verdicts)).toMatchObject(unapproved)
    expect((await review(btcPayment(1))).approval.nonce).not.toBe(body.approval.nonce)
    expect(await sign(btcPayment(1), verdicts)).toMatchObject(unapproved)
  })

  test.each([
    ['its withdrawal', { withdrawalId: 'w' }],
    ['its inputs', { withdrawalResponses: [{ vIn: '-1' }] }],
    ['its key', { index: 1 }],
    ['its contents', { serializedTransaction: ethPayment(9).serializedTransaction }],
    ['the case of its wallets and no more', { hashes: [wallets.ethMnemonic.id.toUpperCase()] }],
  ])('when the front changes %s after people were asked', async (name, change) => {
    const payment = { ...ethPayment(1), withdrawalId: 'v' }
    const body = await review(payment)
    const verdicts = [yes(body, ann), yes(body, bob)]
    const result = await sign({ ...payment, ...change }, verdicts, filling)
    expect(result).toMatchObject(name.endsWith('no more') ? signed : unapproved)
  })

  test('whatever single byte of an approval is another', async () => {
    const body = await review(btcPayment(1))
    const [good, better] = [yes(body, ann), yes(body, bob)]
    await fc.assert(
      fc.asyncProperty(fc.nat(63), fc.integer({ min: 1, max: 255 }), async (at, change) => {
        const bytes = Buffer.from(better.signature, 'hex')
        bytes[at] = (bytes[at] ?? 0) ^ change
        const verdicts = [good, { ...better, signature: bytes.toString('hex') }]
        expect(await sign(btcPayment(1), verdicts)).toMatchObject(unapproved)
      }),
      { numRuns: Math.min(numRuns, 100) },
    )
    expect(signer.ledger.count()).toBe(0)
  })

  test('at a fee above the one that people have seen', async () => {
    restart({
      wrapChain: chain => ({ ...chain, feeCeiling: () => ({ amount: 1_000n, asset: 'ETH' }) }),
    })
    const body = await review(ethPayment(1))
    expect(body.approval.feeCeiling).toEqual({ amount: '1000', asset: 'ETH' })
    const verdicts = [yes(body, ann), yes(body, bob)]
    const refused = { kind: 'refused', code: 'transaction-refused' }
    expect(await sign(ethPayment(1), verdicts, filling)).toMatchObject({
      ...refused,
      reason: 'the fee is above what was approved',
    })
    expect(signer.ledger.count()).toBe(0)
  })
})

describe('what people are told of the fee', () => {
  test('is the fee where the transaction has one', async () => {
    const { approval } = await review(btcPayment(1))
    expect(approval.feeCeiling).toEqual({ amount: '9999', asset: 'BTC' })
    const filled = await review(filledEthPayment(2, 0))
    expect(filled.approval.feeCeiling).toEqual({ amount: '42000000000000', asset: 'ETH' })
  })

  test('is the cap where it is still to be read, and up to there it may be signed', async () => {
    const body = await review(ethPayment(1))
    expect(body.approval.feeCeiling).toEqual({ amount: `${10n ** 18n}`, asset: 'ETH' })
    const verdicts = [yes(body, ann), yes(body, bob)]
    expect(await sign(ethPayment(1), verdicts, filling)).toMatchObject(signed)
  })
})

describe('a signed no', () => {
  const denied = {
    kind: 'refused',
    code: 'approver-denied',
    reason: `denied by key ${ann.publicKey.slice(0, 8)}…`,
  }

  test('among approvals stops the payment, however many agree', async () => {
    const body = await review(btcPayment(1))
    const verdicts = [yes(body, bob), yes(body, cyd), no(body, ann)]
    expect(await sign(btcPayment(1), verdicts)).toMatchObject(denied)
    expect(await sign(btcPayment(1), [yes(body, bob), yes(body, cyd)])).toMatchObject(denied)
  })

  test('is for ever: over restarts, under other contents, and for whoever needs no approvals', async () => {
    const body = await review(btcPayment(1))
    expect(await deny(btcPayment(1), [no(body, ann)])).toEqual({ ok: { reason: denied.reason } })
    restart()
    const verdicts = [yes(body, bob), yes(body, cyd)]
    expect(await sign(btcPayment(1), verdicts)).toMatchObject(denied)
    expect(await reviewed(btcPayment(1))).toMatchObject(denied)
    expect(await reviewed({ ...btcPayment(1), withdrawalId: 'w' })).toMatchObject(denied)
    const others = btcPayment(2, { id: pendingIdOf(1) })
    expect(await reviewed(others)).toMatchObject(denied)
    restart({ approvers: { keys: [], approvals: 0 } })
    expect(await sign(btcPayment(1))).toMatchObject(denied)
    expect(await sign(others)).toMatchObject(denied)
    expect(await sign(btcPayment(3))).toMatchObject(signed)
    expect(signer.ledger.count()).toBe(1)
  })

  test('is in the ledger with what was signed, and who has', async () => {
    const body = await review(btcPayment(1))
    await deny(btcPayment(1), [no(body, ann), no(body, bob)])
    expect(signer.ledger.denied(pendingIdOf(1))).toMatchObject({
      what: 'denied-by-approver',
      digest: body.approval.digest,
      by: [ann.publicKey, bob.publicKey],
      chain: 'BTC',
      network: 'mainnet',
    })
  })

  test.each<readonly [string, (body: ApprovalBody) => readonly SignedVerdict[]]>([
    ['nobody', () => []],
    ['a stranger', body => [no(body, eve)]],
    ['a yes that was turned into it', body => [{ ...yes(body, ann), verdict: 'denied' }]],
    ['somebody an hour ago', body => [no(body, ann, 0)]],
  ])('of %s is none, and nothing is remembered', async (_, verdictsOf) => {
    const body = await review(btcPayment(1))
    expect(await deny(btcPayment(1), verdictsOf(body))).toEqual({ ok: { reason: null } })
    expect(signer.ledger.denied(pendingIdOf(1))).toBeUndefined()
    expect(await sign(btcPayment(1), [yes(body, ann), yes(body, bob)])).toMatchObject(signed)
  })

  test('of another payment, or of one that nobody was asked about, is none', async () => {
    const body = await review(btcPayment(1))
    await review(btcPayment(2))
    expect(await deny(btcPayment(2), [no(body, ann)])).toEqual({ ok: { reason: null } })
    expect(await deny(btcPayment(3), [no(body, ann)])).toMatchObject({
      fault: { code: 'approver-unreachable' },
    })
  })
})

describe('a review', () => {
  test('answers each payment in its place, and why people need not be asked', async () => {
    const stranger = { ...btcPayment(2), hashes: [pendingIdOf(1)] }
    const pending = [btcPayment(1), stranger, ethPayment(3), { id: 'x' }]
    const { results } = await signer.ask({ type: 'review', pending })
    expect(results.map(result => ('code' in result ? result.code : result.kind))).toEqual([
      'to-approve',
      'transaction-malformed',
      'to-approve',
      'transaction-malformed',
    ])
  })

  test('does not ask about what the policy denies', async () => {
    const { keys } = approvers
    restart({
      approvers: { keys, approvals: 1 },
      policy: () => ({ default: 'deny', rules: [], caps: [], lifted: [], feeCaps: {} }),
    })
    expect(await reviewed(btcPayment(1))).toMatchObject({ code: 'policy-denied' })
  })

  test('does not ask about what a person has cancelled', async () => {
    restart({ cancel: pendingIdOf(1) })
    await signer.ask({ type: 'cancel', price: null })
    restart()
    expect(await reviewed(btcPayment(1))).toMatchObject({ code: 'transaction-refused' })
  })

  test.each<readonly [string, unknown]>([
    ['no list of payments', { type: 'review', pending: { 0: btcPayment(1) } }],
    ['no payments', { type: 'review' }],
    ['verdicts that are none', { type: 'deny', pending: btcPayment(1), verdicts: [{}] }],
    ['no verdicts', { type: 'deny', pending: btcPayment(1) }],
    ['too many verdicts', { type: 'deny', pending: btcPayment(1), verdicts: Array(65).fill({}) }],
    ['approvals that are none', toSign({ approvals: 'all' })],
    ['approvals of null', toSign({ approvals: null })],
    ['approvals with null', toSign({ approvals: [null] })],
  ])('or an answer to it with %s is a fault, and ends nothing', async (_, body) => {
    expect(await signer.answer(body)).toMatchObject({ fault: { code: 'unexpected' } })
    expect((await review(btcPayment(1))).approval.version).toBe(1)
  })
})

describe('a payment that is signed anew', () => {
  test('is approved anew, as what it is', async () => {
    const first = await review(solPayment(1))
    expect(first.approval.signedBefore).toBe(0)
    const verdicts = [yes(first, ann), yes(first, bob)]
    const bytes = await sign(solPayment(1), verdicts, withBlock(1))
    if (bytes.kind !== 'signed') throw new Error(bytes.reason)
    restart({ resign: pendingIdOf(1) })
    const anew = await review(solPayment(1))
    expect(anew.approval).toMatchObject({ signedBefore: 1, intent: first.approval.intent })
    expect(anew.approval.digest).not.toBe(first.approval.digest)
    const resign = (approvals: readonly SignedVerdict[]) => {
      const payment = { pending: solPayment(1), completion: withBlock(2), approvals }
      return signer.answer({ type: 'resign', payment, expired: bytes.txId })
    }
    for (const wrong of [[], verdicts, [yes(anew, ann)]]) {
      expect(await resign(wrong)).toMatchObject({ fault: { code: unapproved.code } })
    }
    expect(await resign([yes(anew, ann), yes(anew, cyd)])).toMatchObject({
      ok: { txData: expect.any(String) },
    })
    expect(signer.ledger.facts(`resign/1/${pendingIdOf(1)}`)).toMatchObject({
      approvedBy: expect.arrayContaining([ann.publicKey, cyd.publicKey]),
    })
  })
})

type Key = ReturnType<typeof approverKey>

const filling = { nonce: '0', gas: '21000', gasPrice: '2000000000' }
const signed = { kind: 'signed' } as const
const unapproved = { kind: 'refused', code: 'approver-unreachable' } as const

function begin(more: Parameters<typeof startSigner>[1] = {}): InProcessSigner {
  return startSigner(folder, { approvers, now: () => clock, ...more })
}

function restart(more: Parameters<typeof startSigner>[1] = {}): void {
  signer[Symbol.dispose]()
  signer = begin(more)
}

async function reviewed(pending: unknown) {
  const { results } = await signer.ask({ type: 'review', pending: [pending] })
  return results[0]
}

/** What the approval server is sent. */
async function review(pending: { readonly id: string }): Promise<ApprovalBody> {
  const result = await reviewed(pending)
  if (result?.kind !== 'to-approve') throw new Error(`refused: ${result?.reason}`)
  return { ...pending, approval: result.approval } as unknown as ApprovalBody
}

async function sign(
  pending: unknown,
  approvals: readonly SignedVerdict[] = [],
  added: Payment['completion'] = {},
): Promise<SignResult> {
  const payments = [{ pending, completion: added, approvals }]
  const { results } = await signer.ask({ type: 'sign', payments })
  if (results[0] === undefined) throw new Error('no answer')
  return results[0]
}

function deny(pending: unknown, verdicts: readonly SignedVerdict[]): Promise<unknown> {
  return signer.answer({ type: 'deny', pending, verdicts })
}

function yes(body: ApprovalBody, key: Key, ms = 60_000): SignedVerdict {
  return signVerdict(key, body, { verdict: 'approved', expiry: clock + ms })
}

function no(body: ApprovalBody, key: Key, ms = 60_000): SignedVerdict {
  return signVerdict(key, body, { verdict: 'denied', expiry: clock + ms })
}

/** Over the right digest, and a nonce that the signer has not made. */
function other(body: ApprovalBody, key: Key): SignedVerdict {
  const terms = { verdict: 'approved', expiry: clock + 60_000 } as const
  const message = verdictMessage(digestOf(body), new Uint8Array(32), terms)
  return { key: key.publicKey, ...terms, signature: key.sign(message) }
}

function toSign(more: object): unknown {
  return { type: 'sign', payments: [{ pending: btcPayment(1), completion: {}, ...more }] }
}

function withBlock(n: number): Payment['completion'] {
  return { ...completion, blockhash: toBase58(new Uint8Array(32).fill(n)) }
}
