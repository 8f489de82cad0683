import { afterAll, afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { KmsError } from '../../src/base/errors.ts'
import type { Completion } from '../../src/base/model.ts'
import type { SignResult } from '../../src/signer/messages.ts'
import { judgedFrom } from '../../src/signer/policy-facts.ts'
import { closingWallets, solPayment } from '../support/closing-payments.ts'
import { type InProcessSigner, startSigner } from '../support/in-process-signer.ts'
import {
  btcPayment,
  ethPayment,
  filledEthPayment,
  pendingIdOf,
  wallets,
} from '../support/payments.ts'
import { policyOf } from '../support/policies.ts'
import { completion } from '../support/sol-payments.ts'
import { toBase58 } from '../support/solana.ts'
import { storeWallets } from '../support/test-vault.ts'

const template = mkdtempSync(join(tmpdir(), 'kms-policy-'))
await storeWallets(template, [...Object.values(wallets), closingWallets.sol])
afterAll(() => rmSync(template, { recursive: true }))

const start = 1_700_000_000_000
const hour = 3_600_000
/** Of each payment below: it pays nothing worth mentioning beside its gas. */
const fee = 21_000n * 2_000_000_000n
/** What the Ethereum payment `n` takes of a cap. */
const cost = (n: number): bigint => fee + 1_000n + BigInt(n)

let folder: string
let signer: InProcessSigner
let clock: number

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'kms-policy-'))
  cpSync(template, folder, { recursive: true })
  clock = start
})

afterEach(() => {
  signer[Symbol.dispose]()
  rmSync(folder, { recursive: true })
})

describe('a payment', () => {
  test('that the policy denies is not signed, and takes neither nonce nor window', async () => {
    const stranger = '0x687422eea2cb73b5d3e242ba5456b782919afc85'
    const rule = [{ name: 'no stranger', action: 'deny', recipients: [stranger] }]
    open({ default: 'allow', rule })
    expect(await sign(paid(1, 0))).toEqual([
      denial('the policy denies it: rule "no stranger": it denies this payment'),
    ])
    expect(signer.ledger.count()).toBe(0)
    replaceBy({ default: 'allow' })
    expect(await sign(paid(2, 0))).toMatchObject([signed])
  })

  test('that was signed before is answered as it was, whatever the policy says now', async () => {
    open({ default: 'allow' })
    const [first] = await sign(paid(1, 0))
    replaceBy({ default: 'deny' })
    expect(await sign(paid(1, 0))).toEqual([{ ...first, repeated: true } as SignResult])
    expect(await sign(paid(2, 1))).toMatchObject([denial('no rule allows this payment')])
  })

  test('is judged by what the signer reads, whatever the front sends along', async () => {
    open({ default: 'deny' })
    const lies = { policy: { version: 1, default: 'allow' }, chainSettings: { lifted: [] } }
    const [pending, completion] = paid(1, 0)
    const payments = [{ pending: { ...pending, ...lies }, completion, ...lies }]
    expect(await signer.answer({ type: 'sign', payments, ...lies })).toMatchObject({
      ok: { results: [{ kind: 'refused', code: 'policy-denied' }] },
    })
    for (const type of ['policy', 'settings', 'setPolicy', 'config']) {
      expect(await signer.answer({ type, ...lies })).toMatchObject({ fault: {} })
    }
    expect(await signer.answer({ type: 'reload', ...lies })).toEqual({ ok: { changed: false } })
    expect(await sign(paid(1, 0))).toMatchObject([{ code: 'policy-denied' }])
  })

  test('costs at most the fee that the policy allows', async () => {
    open({ default: 'allow', fees: { ETH: `${fee - 1n}` } })
    expect(await sign(paid(1, 0))).toMatchObject([{ code: 'policy-denied' }])
    replaceBy({ default: 'allow', fees: { ETH: `${fee}` } })
    expect(await sign(paid(1, 0))).toMatchObject([signed])
  })

  test('is not shown to approvers when the policy denies it', async () => {
    open({ default: 'deny' })
    expect(await signer.answer({ type: 'review', pending: [ethPayment(1)] })).toMatchObject({
      ok: { results: [{ kind: 'refused', code: 'policy-denied' }] },
    })
  })
})

describe('a window', () => {
  const two = cost(1) + cost(2)

  test('holds for payments of one batch, of which each counts', async () => {
    open(window(two))
    expect(await sign(paid(1, 0), paid(2, 1), paid(3, 2))).toMatchObject([
      signed,
      signed,
      denial('more than its window has room for'),
    ])
  })

  test('is not filled by a payment that is refused after it was judged', async () => {
    let opened = 0
    open(window(two), {
      wrapVault: vault => ({
        ...vault,
        revealNode(id) {
          if (opened++ === 0) throw new KmsError('vault-damaged', 'it does not open')
          return vault.revealNode(id)
        },
      }),
    })
    expect(await sign(paid(1, 0), paid(1, 0), paid(2, 1))).toMatchObject([
      { kind: 'refused', code: 'vault-damaged' },
      signed,
      signed,
    ])
  })

  test('is not filled by a signature that comes to nothing', async () => {
    let isBroken = true
    open(window(two), {
      wrapRoom: room => ({
        ...room,
        async signAll(tasks) {
          const made = await room.signAll(tasks)
          return isBroken ? made.map(() => null) : made
        },
      }),
    })
    expect(await sign(paid(1, 0), paid(2, 1))).toMatchObject([
      { code: 'unexpected' },
      { code: 'unexpected' },
    ])
    isBroken = false
    expect(await sign(paid(1, 0), paid(2, 1))).toMatchObject([signed, signed])
  })

  test('moves on', async () => {
    open(window(two))
    await sign(paid(1, 0), paid(2, 1))
    clock += 23 * hour
    expect(await sign(paid(3, 2))).toMatchObject([denial('window')])
    clock += 1.5 * hour
    expect(await sign(paid(3, 2))).toMatchObject([signed])
  })

  test('is the same after a restart, and under another policy', async () => {
    open(window(two))
    await sign(paid(1, 0), paid(2, 1))
    reopen(window(two))
    expect(await sign(paid(3, 2))).toMatchObject([denial('window')])
    replaceBy(window(two + cost(3)))
    expect(await sign(paid(3, 2), paid(4, 3))).toMatchObject([signed, denial('window')])
  })

  test('is not opened by a clock that is set back', async () => {
    const warnings: string[] = []
    open(window(two))
    await sign(paid(1, 0))
    clock = start - 48 * hour
    await sign(paid(2, 1))
    expect(await sign(paid(3, 2))).toMatchObject([denial('window')])
    reopen(window(two), { warn: text => warnings.push(text) })
    expect(await sign(paid(3, 2))).toMatchObject([denial('window')])
    expect(warnings).toEqual([expect.stringContaining('172800 seconds behind')])
    // What was signed under the wrong clock counts from the time that was known by then.
    clock = start + 23 * hour
    reopen(window(two))
    expect(await sign(paid(3, 2))).toMatchObject([denial('window')])
    clock = start + 25 * hour
    expect(await sign(paid(3, 2))).toMatchObject([signed])
  })

  test('is of one network', async () => {
    open(window(two))
    await sign(paid(1, 0), paid(2, 1))
    reopen(window(two), { network: 'testnet' })
    const { id } = wallets.ethTestnet
    const [pending] = paid(4, 0)
    const other = { ...pending, hashes: [id], index: undefined }
    expect(await sign([other, {}])).toMatchObject([signed])
  })

  test('of each wallet is not filled by others', async () => {
    open({ ...window(cost(9)), cap: [{ ...window(cost(9)).cap[0], each: 'wallet' }] })
    const byKey = (n: number, nonce: number) => {
      const [pending] = paid(n, nonce)
      return [{ ...pending, hashes: [wallets.ethKey.id], index: undefined }, {}] as const
    }
    expect(await sign(paid(1, 0), byKey(2, 0), paid(3, 1), byKey(4, 1))).toMatchObject([
      signed,
      signed,
      denial(`of wallet ${wallets.ethMnemonic.id} is more than its window has room for`),
      denial(`of wallet ${wallets.ethKey.id} is more than its window has room for`),
    ])
  })

  test('says nothing of what leaves in another asset', async () => {
    open(window(0n))
    expect(await sign([btcPayment(1), {}])).toMatchObject([signed])
    expect(await sign(paid(1, 0))).toMatchObject([denial('window')])
  })
})

describe('a payment that a person has given an order about', () => {
  const id = pendingIdOf(1)
  const sol = (members: object) => ({
    default: 'allow',
    cap: [{ name: 'a day', asset: 'SOL', window: '24h', ...members }],
  })

  test('signed anew is judged, and counts once, with its newest bytes', async () => {
    open({ default: 'allow' })
    await sign([solPayment(1), withBlock(1)])
    const { amount, txId } = spentBy(id)
    reopen(sol({ total: `${amount - 1n}` }), { resign: id })
    await expect(resign(2, txId)).rejects.toMatchObject({ code: 'policy-denied' })
    reopen(sol({ total: `${amount}` }), { resign: id })
    clock += 12 * hour
    await resign(2, txId)
    reopen(sol({ total: `${2n * amount}` }))
    expect(await sign([solPayment(2), withBlock(3)], [solPayment(3), withBlock(4)])).toMatchObject([
      signed,
      denial('window'),
    ])
    // The first bytes are a day old, the second are not.
    clock += 12.5 * hour
    expect(await sign([solPayment(3), withBlock(4)])).toMatchObject([denial('window')])
  })

  test('cancelled counts as it was signed, and its replacement as nothing', async () => {
    open(window(0n))
    replaceBy({ default: 'allow' })
    await sign(paid(0, 0))
    reopen({ default: 'deny', cap: window(0n).cap }, { cancel: id })
    const price = '3000000000'
    expect(await signer.ask({ type: 'cancel', price })).toMatchObject({
      replacement: { txId: expect.stringMatching(/^0x/) },
    })
    reopen(window(cost(0) + cost(5)))
    expect(await sign(paid(5, 1), paid(6, 2))).toMatchObject([signed, denial('window')])
  })

  test('cancelled costs at most the fee that the policy allows', async () => {
    open({ default: 'allow' })
    await sign(paid(0, 0))
    reopen({ default: 'allow', fees: { ETH: `${fee}` } }, { cancel: id })
    await expect(signer.ask({ type: 'cancel', price: '3000000000' })).rejects.toMatchObject({
      code: 'policy-denied',
    })
  })

  function resign(block: number, expired: string) {
    const payment = { pending: solPayment(1), completion: withBlock(block) }
    return signer.ask({ type: 'resign', payment, expired })
  }

  function spentBy(pendingId: string) {
    const { intent } = judgedFrom('SOL', signer.ledger.facts(pendingId))
    const paidOut = intent.outputs.filter(({ own }) => !own).map(({ amount }) => amount)
    const amount = paidOut.reduce((sum, each) => sum + each, intent.fee?.amount ?? 0n)
    return { amount, txId: signer.ledger.find(pendingId)?.txId ?? '' }
  }
})

describe('a policy that is read again', () => {
  test('and is wrong leaves the one before in use', async () => {
    const warnings: string[] = []
    let isWrong = false
    const policy = () => {
      if (isWrong) throw new KmsError('usage', 'the policy is wrong at default: it must say so')
      return policyOf({ default: 'deny' })
    }
    signer = startSigner(folder, { policy, warn: text => warnings.push(text) })
    isWrong = true
    signer.policy.reload()
    expect(warnings).toEqual([
      'the policy was not read again, the one before stays in use: the policy is wrong at default: it must say so',
    ])
    expect(await sign(paid(1, 0))).toMatchObject([{ code: 'policy-denied' }])
  })

  describe('while payments are judged does not mix its half with that of the one before', () => {
    const tight = { ETH: `${fee - 1n}`, SOL: 1 }
    const ample = { ETH: `${fee}`, SOL: 1_000_000_000 }
    /** From now on `members` are read in the middle of each payment. */
    const interrupt = (members: object): Options => ({
      wrapChain: chain => ({
        ...chain,
        keys(pending) {
          replaceBy(members)
          return chain.keys(pending)
        },
      }),
    })

    test('in a batch', async () => {
      open({ default: 'allow', fees: tight }, interrupt({ default: 'deny', fees: ample }))
      expect(await sign(paid(1, 0), paid(2, 1))).toMatchObject([
        { code: 'policy-denied' },
        { code: 'policy-denied' },
      ])
      expect(await sign(paid(1, 0))).toMatchObject([denial('no rule allows this payment')])
    })

    test('in a payment that is signed anew', async () => {
      open({ default: 'allow' })
      const [first] = await sign([solPayment(1), withBlock(1)])
      if (first?.kind !== 'signed') throw new Error('it was not signed')
      const change = interrupt({ default: 'deny', fees: ample })
      reopen({ default: 'allow', fees: tight }, { ...change, resign: pendingIdOf(1) })
      const payment = { pending: solPayment(1), completion: withBlock(2) }
      expect(await signer.answer({ type: 'resign', payment, expired: first.txId })).toMatchObject({
        fault: { code: 'policy-denied' },
      })
    })

    test('in what approvers are shown', async () => {
      open({ default: 'deny' }, interrupt({ default: 'allow', fees: tight }))
      expect(await signer.answer({ type: 'review', pending: [ethPayment(1)] })).toMatchObject({
        ok: { results: [{ kind: 'refused', code: 'policy-denied' }] },
      })
    })
  })

  test('lifts and caps what chains deny by themselves', () => {
    open({ default: 'deny' })
    expect(signer.policy.chainSettings).toMatchObject({ lifted: [], feeCaps: {} })
    replaceBy({ default: 'deny', lift: ['XRP.SetRegularKey'], fees: { XRP: 5 } })
    expect(signer.policy.chainSettings).toMatchObject({
      lifted: ['XRP.SetRegularKey'],
      feeCaps: { XRP: '5' },
    })
  })
})

/** What is in use; the signer reads it when it is told to. */
let written: object = {}

type Options = Parameters<typeof startSigner>[1]

function open(members: object, options: Options = {}): void {
  written = members
  signer = startSigner(folder, { now: () => clock, policy: () => policyOf(written), ...options })
}

function reopen(members: object, options: Options = {}): void {
  signer[Symbol.dispose]()
  open(members, options)
}

function replaceBy(members: object): void {
  written = members
  signer.policy.reload()
}

function window(total: bigint) {
  return {
    default: 'allow',
    cap: [{ name: 'a day', asset: 'ETH', window: '24h', total: `${total}` }],
  }
}

function paid(n: number, nonce: number): readonly [ReturnType<typeof ethPayment>, Completion] {
  return [{ ...filledEthPayment(n, nonce), id: pendingIdOf(n + 1) }, {}]
}

async function sign(
  ...payments: readonly (readonly [unknown, Completion])[]
): Promise<readonly SignResult[]> {
  const asked = payments.map(([pending, added]) => ({ pending, completion: added }))
  return (await signer.ask({ type: 'sign', payments: asked })).results
}

function withBlock(n: number): Completion {
  return { ...completion, blockhash: toBase58(new Uint8Array(32).fill(n)) }
}

const signed = { kind: 'signed' } as const

function denial(reason: string) {
  const code = 'policy-denied'
  return { kind: 'refused', code, reason: expect.stringContaining(reason) } as const
}
