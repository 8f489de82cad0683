import { afterAll, afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { createHash } from 'node:crypto'
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { KmsError } from '../../src/base/errors.ts'
import type { Completion, Signed } from '../../src/base/model.ts'
import type { SignResult } from '../../src/signer/messages.ts'
import { closingWallets, solPayment } from '../support/closing-payments.ts'
import { type InProcessSigner, startSigner } from '../support/in-process-signer.ts'
import { btcPayment, pendingIdOf, wallets } from '../support/payments.ts'
import { completion } from '../support/sol-payments.ts'
import { toBase58 } from '../support/solana.ts'
import { storeWallets } from '../support/test-vault.ts'

// What the front says of a payment that is signed anew is checked as if it had never been signed.

const template = mkdtempSync(join(tmpdir(), 'kms-resign-'))
await storeWallets(template, [closingWallets.sol, wallets.btcKey])
afterAll(() => rmSync(template, { recursive: true }))

const id = pendingIdOf(1)

let folder: string
let signer: InProcessSigner
let first: Signed

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'kms-resign-'))
  cpSync(template, folder, { recursive: true })
  signer = startSigner(folder)
  first = signedIn(await sign(solPayment(1), withBlock(1)))
  restart({ resign: id })
})

afterEach(() => {
  signer[Symbol.dispose]()
  rmSync(folder, { recursive: true })
})

describe('a payment that is signed anew', () => {
  test('has other bytes beside those it had, which stay in the ledger', async () => {
    const second = await resign(withBlock(2), first.txId)
    expect(second.txData).not.toBe(first.txData)
    expect(signer.ledger.find(id)).toMatchObject(second)
    expect(signer.ledger.history(id)).toMatchObject([first, second])
    expect(signer.ledger.facts(`resign/1/${id}`)).toMatchObject({ resigns: id })
    restart({})
    expect(signer.ledger.history(id)).toMatchObject([first, second])
    const { serializedTransaction: text } = solPayment(1)
    const contents = createHash('sha256').update(text).digest('hex')
    const payments = [{ chain: 'SOL', pendingId: id, contents }]
    expect(await signer.ask({ type: 'signed', payments })).toEqual({
      results: [{ kind: 'found', ...second }],
    })
    expect(await sign(solPayment(1), withBlock(3))).toEqual({
      kind: 'signed',
      ...second,
      repeated: true,
    })
  })

  test('has no third bytes because of the second ones, however often they are asked for', async () => {
    const [second, ...others] = await Promise.all(
      [2, 3, 4].map(n => resign(withBlock(n), first.txId)),
    )
    for (const other of others) expect(other).toEqual(second as Signed)
    restart({ resign: id })
    expect(await resign(withBlock(5), first.txId)).toEqual(second as Signed)
    expect(signer.ledger.count()).toBe(2)
  })

  test('has no third bytes in one order, though the front says that the second have expired', async () => {
    const second = await resign(withBlock(2), first.txId)
    expect(await resign(withBlock(3), second.txId)).toEqual(second)
    expect(signer.ledger.count()).toBe(2)
  })

  test('is signed once more when its new bytes have expired, too', async () => {
    const second = await resign(withBlock(2), first.txId)
    restart({ resign: id })
    const third = await resign(withBlock(3), second.txId)
    expect(new Set([first.txData, second.txData, third.txData]).size).toBe(3)
    expect(signer.ledger.find(id)).toMatchObject(third)
    expect(await resign(withBlock(4), first.txId)).toEqual(third)
    expect(await signer.ask({ type: 'resignation' })).toEqual({
      payment: {
        chain: 'SOL',
        contents: expect.stringMatching(/^[0-9a-f]{64}$/),
        ...third,
        before: second,
        wallets: [closingWallets.sol.id],
      },
    })
  })

  test('keeps its claims, and others cannot have them', async () => {
    const before = signer.ledger.claims(id)
    await resign(withBlock(2), first.txId)
    const claims = signer.ledger.claims(id)
    expect(claims).toHaveLength(2 * before.length)
    for (const claim of claims) expect(signer.ledger.claimant('SOL', 'mainnet', claim)).toBe(id)
    restart({})
    expect(await sign(solPayment(2), withBlock(2))).toMatchObject({ kind: 'refused' })
    expect(await sign(solPayment(2), withBlock(3))).toMatchObject({ kind: 'signed' })
  })

  test('can be cancelled, and is neither signed nor signed anew then', async () => {
    const second = await resign(withBlock(2), first.txId)
    restart({ cancel: id })
    const { payment } = await signer.ask({ type: 'cancellation' })
    expect(payment).toMatchObject({ ...second, before: first })
    await signer.ask({ type: 'cancel', price: null })
    restart({ resign: id })
    const message = 'this payment was cancelled by its owner'
    for (const body of [{ type: 'resignation' }, question(withBlock(3), second.txId)]) {
      expect(await signer.answer(body)).toMatchObject({ fault: { message } })
    }
    expect(signer.ledger.count()).toBe(3)
  })
})

describe('nothing is signed anew', () => {
  const refused = async (body: unknown, message: string) => {
    const count = signer.ledger.count()
    expect(await signer.answer(body)).toMatchObject({ fault: { message } })
    expect(signer.ledger.count()).toBe(count)
  }

  test('by the signer of a daemon, or by one that is there to cancel', async () => {
    for (const settings of [{}, { cancel: id }]) {
      restart(settings)
      const message = 'this signer was not started to sign a payment anew'
      await refused(question(withBlock(2), first.txId), message)
      await refused({ type: 'resignation' }, message)
      await refused({ ...question(withBlock(2), first.txId), resign: id }, message)
    }
  })

  test('but the payment of the settings, whatever the front asks for', async () => {
    restart({})
    const other = signedIn(await sign(solPayment(2), withBlock(5)))
    restart({ resign: id })
    const asked = { pending: solPayment(2), completion: withBlock(6) }
    await refused(
      { type: 'resign', payment: asked, expired: other.txId, resign: pendingIdOf(2) },
      'this signer was not started to sign this payment anew',
    )
    await refused(
      { type: 'sign', payments: [{ pending: solPayment(3), completion: withBlock(6) }] },
      'this signer was started to sign a payment anew',
    )
    await refused(
      { type: 'cancel', price: null },
      'this signer was not started to cancel a payment',
    )
  })

  test('with other contents than before', async () => {
    const text = solPayment(1).serializedTransaction
    const last = text.lastIndexOf('2f68')
    const other = solPayment(1, {
      serializedTransaction: `${text.slice(0, last)}2f69${text.slice(last + 4)}`,
    })
    const payment = { pending: other, completion: withBlock(2) }
    await refused(
      { type: 'resign', payment, expired: first.txId },
      'this pending id was signed before with another transaction',
    )
  })

  test('that was never signed, nor in the place of bytes that never were', async () => {
    await refused(
      question(withBlock(2), 'an id that nothing has'),
      'the ledger does not have the bytes that have expired',
    )
    restart({ resign: pendingIdOf(2) })
    expect(await signer.ask({ type: 'resignation' })).toEqual({ payment: null })
    const payment = { pending: solPayment(2), completion: withBlock(2) }
    await refused(
      { type: 'resign', payment, expired: '' },
      'a payment that was never signed is not signed anew',
    )
  })

  test('to the bytes that have expired', async () => {
    await refused(
      question(withBlock(1), first.txId),
      'signed anew it would be the bytes that have expired',
    )
  })

  test('of a chain whose bytes do not expire', async () => {
    restart({})
    const { txId } = signedIn(await sign(btcPayment(4), {}))
    restart({ resign: pendingIdOf(4) })
    const payment = { pending: btcPayment(4), completion: {} }
    await refused(
      { type: 'resign', payment, expired: txId },
      'payments of Bitcoin are not signed anew',
    )
  })

  test('of the other network', async () => {
    restart({ resign: id, network: 'testnet' })
    const message = 'this payment is one of mainnet, not of testnet'
    await refused({ type: 'resignation' }, message)
    await refused(question(withBlock(2), first.txId), message)
  })

  test('when the ledger cannot be written: it is what it was', async () => {
    restart({
      resign: id,
      wrapLedger: ledger => ({
        ...ledger,
        commit() {
          throw new KmsError('disk', 'the ledger could not be written')
        },
      }),
    })
    await refused(question(withBlock(2), first.txId), 'the ledger could not be written')
    restart({ resign: id })
    expect(signer.ledger.find(id)).toMatchObject(first)
  })

  test('with keys in memory that is not locked, or a signature that does not verify', async () => {
    restart({ resign: id, lockingFailed: () => 'too much' })
    await refused(
      question(withBlock(2), first.txId),
      'memory for the keys cannot be locked: too much',
    )
    const wrong = { bytes: new Uint8Array(64), recovery: 0 }
    restart({
      resign: id,
      wrapRoom: room => ({ ...room, signAll: async tasks => tasks.map(() => wrong) }),
    })
    await refused(question(withBlock(2), first.txId), 'a signature just made does not verify')
  })

  test.each([
    ['no payment', { payment: undefined }],
    ['a payment that is none', { payment: { pending: 7, completion: {} } }],
    ['no completion', { payment: { pending: solPayment(1) } }],
    ['a completion of another kind', { payment: { pending: solPayment(1), completion: { a: 1 } } }],
    ['nothing that has expired', { expired: undefined }],
    ['something else that has expired', { expired: 7 }],
  ])('for a question with %s', async (_, change) => {
    const fault = await signer.answer({ ...question(withBlock(2), first.txId), ...change })
    expect(fault).toMatchObject({ fault: { message: expect.stringContaining('malformed') } })
    expect(signer.ledger.count()).toBe(1)
  })
})

function restart(settings: NonNullable<Parameters<typeof startSigner>[1]>): void {
  signer[Symbol.dispose]()
  signer = startSigner(folder, settings)
}

function question(added: Completion, expired: string) {
  const payment = { pending: solPayment(1), completion: added }
  return { type: 'resign', payment, expired } as const
}

function resign(added: Completion, expired: string): Promise<Signed> {
  return signer.ask(question(added, expired))
}

async function sign(pending: unknown, added: Completion): Promise<SignResult | undefined> {
  const payments = [{ pending, completion: added }]
  return (await signer.ask({ type: 'sign', payments })).results[0]
}

function signedIn(result: SignResult | undefined): Signed {
  if (result?.kind !== 'signed') throw new Error(`not signed: ${result?.reason}`)
  return { txData: result.txData, txId: result.txId }
}

function withBlock(n: number): Completion {
  return { ...completion, blockhash: toBase58(new Uint8Array(32).fill(n)) }
}
