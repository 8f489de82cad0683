import { afterAll, afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { KmsError } from '../../src/base/errors.ts'
import type { Completion, Signature } from '../../src/base/model.ts'
import type { KeyRoom } from '../../src/secret/key-room.ts'
import type { SignResult } from '../../src/signer/messages.ts'
import { type InProcessSigner, startSigner } from '../support/in-process-signer.ts'
import { btcPayment, ethPayment, filledEthPayment, wallets } from '../support/payments.ts'
import { storeWallets } from '../support/test-vault.ts'

const template = mkdtempSync(join(tmpdir(), 'kms-batch-'))
await storeWallets(template, Object.values(wallets))
afterAll(() => rmSync(template, { recursive: true }))

let folder: string
let signer: InProcessSigner

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'kms-batch-'))
  cpSync(template, folder, { recursive: true })
  signer = startSigner(folder)
})

afterEach(() => {
  signer[Symbol.dispose]()
  rmSync(folder, { recursive: true })
})

describe('a nonce', () => {
  const inTransaction = (n: number, nonce: number) => [filledEthPayment(n, nonce), {}] as const
  const inCompletion = (n: number, nonce: number) =>
    [ethPayment(n), { nonce: `${nonce}`, gas: '21000', gasPrice: '2000000000' }] as const

  test.each([
    ['in the transaction', inTransaction],
    ['added by the front', inCompletion],
  ])('%s may be 1,000 ahead of the ledger and not more', async (_, payment) => {
    expect(await sign(payment(1, 7))).toMatchObject([{ kind: 'signed' }])
    const far = 'nonce 1009 is more than 1000 ahead of 8'
    expect(await sign(payment(2, 1_009))).toMatchObject([refusal(far)])
    expect(await sign(payment(2, 1_008))).toMatchObject([{ kind: 'signed' }])
    expect(await sign(payment(3, 2_009))).toMatchObject([{ kind: 'signed' }])
  })

  test.each([
    ['in the transaction', inTransaction],
    ['added by the front', inCompletion],
  ])('%s of an address unknown to the ledger may be any sane number', async (_, payment) => {
    const far = 'nonce 10000001 is above 10000000'
    expect(await sign(payment(1, 10_000_001))).toMatchObject([refusal(far)])
    expect(await sign(payment(1, 10_000_000))).toMatchObject([{ kind: 'signed' }])
  })

  test('may be far behind the ledger: a gap is filled', async () => {
    await sign(inTransaction(1, 5_000))
    expect(await sign(inTransaction(2, 3))).toMatchObject([{ kind: 'signed' }])
  })
})

test('what no network takes for more than a day is not signed', async () => {
  // The signer's clock.
  const now = 1_700_000_000
  const locked = (n: number, nLockTime: number, sequenceNumber = 0) => {
    const { serializedTransaction, ...rest } = btcPayment(n)
    const tx = JSON.parse(serializedTransaction)
    const inputs = [{ ...tx.inputs[0], sequenceNumber }]
    const text = JSON.stringify({ ...tx, version: 1, inputs, nLockTime })
    return [{ ...rest, serializedTransaction: text }, {}] as const
  }
  const refused = refusal('no network takes the transaction before more than 24 hours from now')
  expect(await sign(locked(1, now + 86_401))).toMatchObject([refused])
  expect(await sign(locked(1, 0xffff_ffff))).toMatchObject([refused])
  expect(await sign(locked(1, now + 86_400))).toMatchObject([{ kind: 'signed' }])
  // Nobody looks at the lock time of inputs that are final.
  expect(await sign(locked(2, 0xffff_ffff, 0xffff_ffff))).toMatchObject([{ kind: 'signed' }])
})

test('a payment whose key does not open leaves its nonce to the others of its batch', async () => {
  let opened = 0
  restart({
    wrapVault: vault => ({
      ...vault,
      revealNode(id) {
        if (opened++ === 0) throw new KmsError('vault-damaged', 'it does not open')
        return vault.revealNode(id)
      },
    }),
  })
  expect(await sign([filledEthPayment(1, 7), {}], [filledEthPayment(2, 7), {}])).toMatchObject([
    { kind: 'refused', code: 'vault-damaged' },
    { kind: 'signed' },
  ])
})

describe('a signature that does not verify', () => {
  test('is found at the first payment of each wallet, whatever was signed before', async () => {
    const isBroken = breakSignatures()
    expect(await sign([filledEthPayment(1, 0), {}])).toMatchObject([{ kind: 'signed' }])
    isBroken.now = true
    expect(
      await sign([
        { ...filledEthPayment(2, 0), hashes: [wallets.ethKey.id], index: undefined },
        {},
      ]),
    ).toMatchObject([{ kind: 'refused', reason: 'a signature just made does not verify' }])
    expect(signer.ledger.count()).toBe(1)
  })

  test('is looked for again after it was found', async () => {
    const isBroken = breakSignatures()
    isBroken.now = true
    for (const n of [1, 2, 3]) {
      expect(await sign([filledEthPayment(n, 0), {}])).toMatchObject([{ kind: 'refused' }])
    }
    isBroken.now = false
    expect(await sign([filledEthPayment(4, 0), {}])).toMatchObject([{ kind: 'signed' }])
  })

  test('of a key that was good once is found within 64 payments', async () => {
    const isBroken = breakSignatures()
    await sign([filledEthPayment(1, 0), {}])
    isBroken.now = true
    const results = await sign(
      ...Array.from({ length: 64 }, (_, i) => [filledEthPayment(i + 2, i + 1), {}] as const),
    )
    expect(results.filter(({ kind }) => kind === 'refused')).toHaveLength(1)
  })

  /** Low s either way: each signature is replaced by one over another message. */
  function breakSignatures(): { now: boolean } {
    const isBroken = { now: false }
    restart({
      wrapRoom: room => ({
        ...room,
        signAll: (tasks): ReturnType<KeyRoom['signAll']> =>
          room.signAll(
            tasks.map(({ key, request }) => ({
              key,
              request: isBroken.now
                ? { ...request, message: request.message.map(b => b ^ 1) }
                : request,
            })),
          ) as Promise<readonly (Signature | null)[]>,
      }),
    })
    return isBroken
  }
})

test('nothing is signed once memory cannot be locked any more', async () => {
  let reason: string | undefined
  restart({ lockingFailed: () => reason })
  expect(await sign([btcPayment(1), {}])).toMatchObject([{ kind: 'signed' }])
  reason = 'errno 12'
  const payments = [{ pending: btcPayment(2), completion: {} }]
  expect(await signer.answer({ type: 'sign', payments })).toEqual({
    fault: { code: 'memory', message: 'memory for the keys cannot be locked: errno 12' },
  })
  expect(signer.ledger.count()).toBe(1)
})

test('memory that fails while the keys of a batch are opened is noticed before they are used', async () => {
  let asked = 0
  restart({ lockingFailed: () => (asked++ === 0 ? undefined : 'errno 12') })
  const payments = [{ pending: btcPayment(1), completion: {} }]
  expect(await signer.answer({ type: 'sign', payments })).toMatchObject({
    fault: { code: 'memory' },
  })
  expect(signer.ledger.count()).toBe(0)
})

test('keys that are being used are not wiped before they are done, when the batch ends early', async () => {
  const used: number[] = []
  let begun = false
  restart({
    // Memory gives out while the second round is planned.
    lockingFailed: () => (begun ? 'errno 12' : undefined),
    wrapRoom: room => ({
      ...room,
      async signAll(tasks) {
        begun = true
        await Bun.sleep(50)
        used.push(...tasks.map(({ key }) => key.length))
        return room.signAll(tasks)
      },
    }),
  })
  const payments = Array.from({ length: 33 }, (_, n) => [filledEthPayment(n, n), {}] as const)
  const question = payments.map(([pending, completion]) => ({ pending, completion }))
  expect(await signer.answer({ type: 'sign', payments: question })).toMatchObject({
    fault: { code: 'memory' },
  })
  expect(used).toEqual(Array(32).fill(32))
  expect(signer.ledger.count()).toBe(0)
})

test('a batch of several rounds is answered in order, refusals among them', async () => {
  const payments = Array.from({ length: 70 }, (_, n) =>
    n % 10 === 7 ? ([btcPayment(1_000), {}] as const) : ([filledEthPayment(n, n), {}] as const),
  )
  const results = await sign(...payments)
  const ids = results.map((result, n) =>
    result.kind === 'signed'
      ? signer.ledger.find(payments[n]?.[0].id ?? '')?.txId === result.txId
      : null,
  )
  expect(ids).toEqual(Array(70).fill(true))
  expect(results.filter((_, n) => n % 10 === 7)).toMatchObject([
    { repeated: false },
    ...Array(6).fill({ repeated: true }),
  ])
  expect(signer.ledger.commits()).toBe(1)
})

describe('more than 2,500 keys', () => {
  const keys = (count: number) =>
    Array.from({ length: count }, (_, index) => ({ id: wallets.btcMnemonic.id, index }))

  test('for one payment are refused', async () => {
    const many = { hashes: [], signatures: keys(2_501) }
    expect(await sign([{ ...btcPayment(1), ...many }, {}])).toMatchObject([
      refusal('a payment with 2501 keys'),
    ])
  })

  test('in one question are refused', async () => {
    const refs = (count: number) =>
      keys(count).map(({ id: signatureId, index }) => ({ signatureId, index }))
    const ask = (count: number) =>
      signer.answer({ type: 'publicKeys', chain: 'BTC', refs: refs(count) })
    expect(await ask(2_501)).toMatchObject({ fault: { code: 'transaction-refused' } })
    expect(await ask(100)).toMatchObject({ ok: {} })
  })
})

test('a transaction with a member given twice is malformed', async () => {
  for (const payment of [filledEthPayment(1, 7), btcPayment(2)]) {
    const serializedTransaction = payment.serializedTransaction.replace('{', '{"to":"","to":"",')
    expect(await sign([{ ...payment, serializedTransaction }, {}])).toMatchObject([
      {
        kind: 'refused',
        code: 'transaction-malformed',
        reason: expect.stringContaining('a member is given twice'),
      },
    ])
  }
})

async function sign(
  ...payments: readonly (readonly [unknown, Completion])[]
): Promise<readonly SignResult[]> {
  const asked = payments.map(([pending, completion]) => ({ pending, completion }))
  return (await signer.ask({ type: 'sign', payments: asked })).results
}

function restart(options: Parameters<typeof startSigner>[1]): void {
  signer[Symbol.dispose]()
  signer = startSigner(folder, options)
}

function refusal(reason: string) {
  return {
    kind: 'refused',
    code: 'transaction-refused',
    reason: expect.stringContaining(reason),
  } as const
}
