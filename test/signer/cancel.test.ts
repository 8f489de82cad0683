import { afterAll, afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { createHash } from 'node:crypto'
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseTransaction, recoverTransactionAddress } from 'viem'
import { KmsError } from '../../src/base/errors.ts'
import type { Completion } from '../../src/base/model.ts'
import type { Chain } from '../../src/chains/chain.ts'
import type { SignResult } from '../../src/signer/messages.ts'
import { closingWallets, solPayment, xrpPayment } from '../support/closing-payments.ts'
import { type InProcessSigner, startSigner } from '../support/in-process-signer.ts'
import {
  btcPayment,
  ethAddress,
  ethPayment,
  filledEthPayment,
  pendingIdOf,
  wallets,
} from '../support/payments.ts'
import { completion } from '../support/sol-payments.ts'
import { storeWallets } from '../support/test-vault.ts'

const template = mkdtempSync(join(tmpdir(), 'kms-cancel-'))
await storeWallets(template, [...Object.values(wallets), ...Object.values(closingWallets)])
afterAll(() => rmSync(template, { recursive: true }))

const price = '3000000000'
const cancelled = 'this payment was cancelled by its owner'

let folder: string
let signer: InProcessSigner

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'kms-cancel-'))
  cpSync(template, folder, { recursive: true })
  signer = startSigner(folder)
})

afterEach(() => {
  signer[Symbol.dispose]()
  rmSync(folder, { recursive: true })
})

describe('a payment with bytes', () => {
  test('is replaced by a transfer of nothing with its number, signed by its key', async () => {
    await sign([filledEthPayment(1, 7), {}])
    restart(pendingIdOf(1))
    const { payment, replacement: before } = await signer.ask({ type: 'cancellation' })
    const contents = createHash('sha256').update(ethPayment(1).serializedTransaction).digest('hex')
    expect(before).toBeNull()
    expect(payment).toMatchObject({ chain: 'ETH', txId: expect.stringMatching(/^0x/) })
    expect(payment?.contents).not.toBe(contents)
    const { replacement } = await signer.ask({ type: 'cancel', price })
    const txData = replacement?.txData as `0x02${string}`
    expect(parseTransaction(txData)).toMatchObject({
      nonce: 7,
      gas: 21_000n,
      gasPrice: 3n * 10n ** 9n,
    })
    expect(parseTransaction(txData).to?.toLowerCase()).toBe(ethAddress)
    const signedBy = await recoverTransactionAddress({ serializedTransaction: txData })
    expect(signedBy.toLowerCase()).toBe(ethAddress)
    expect(signer.ledger.claimant('ETH', 'mainnet', `nonce/${ethAddress}/7`)).toBe(pendingIdOf(1))
  })

  test('has the same replacement for ever, whatever the price is later', async () => {
    await sign([filledEthPayment(1, 7), {}])
    restart(pendingIdOf(1))
    const first = await signer.ask({ type: 'cancel', price })
    for (const later of ['1', '9'.repeat(18), null]) {
      expect(await signer.ask({ type: 'cancel', price: later })).toEqual(first)
    }
    restart(pendingIdOf(1))
    expect(await signer.ask({ type: 'cancel', price: '1' })).toEqual(first)
    expect((await signer.ask({ type: 'cancellation' })).replacement).toEqual(first.replacement)
    expect(signer.ledger.count()).toBe(2)
  })

  test('is neither signed nor handed out again, and its number is nobody else’s', async () => {
    await sign([filledEthPayment(1, 7), {}])
    restart(pendingIdOf(1))
    await signer.ask({ type: 'cancel', price })
    restart(null)
    const results = await sign([filledEthPayment(1, 7), {}], [filledEthPayment(2, 7), {}])
    expect(results).toMatchObject([
      { kind: 'refused', code: 'transaction-refused', reason: cancelled },
      { kind: 'refused', reason: expect.stringContaining('already used') },
    ])
    const { id: pendingId, serializedTransaction } = filledEthPayment(1, 7)
    const contents = createHash('sha256').update(serializedTransaction).digest('hex')
    const asked = { chain: 'ETH', pendingId, contents }
    expect(await signer.ask({ type: 'signed', payments: [asked] })).toEqual({
      results: [{ kind: 'refused', code: 'transaction-refused', reason: cancelled }],
    })
    expect(await signer.ask({ type: 'nextNonce', chain: 'ETH', address: ethAddress })).toEqual({
      next: '8',
    })
    expect(await sign([filledEthPayment(2, 8), {}])).toMatchObject([{ kind: 'signed' }])
  })

  test('of a chain that counts and has no replacements is not cancelled, and stays', async () => {
    const [signed] = await sign([filledEthPayment(1, 7), {}])
    signer[Symbol.dispose]()
    const wrapChain = ({ numbering: _, ...chain }: Chain): Chain => chain
    signer = startSigner(folder, { cancel: pendingIdOf(1), wrapChain })
    const message = 'a payment of Ethereum that was signed cannot be cancelled'
    expect(await signer.answer({ type: 'cancel', price })).toMatchObject({
      fault: { code: 'transaction-refused', message },
    })
    expect(signer.ledger.cancellation(pendingIdOf(1))).toBeUndefined()
    restart(null)
    expect(await sign([filledEthPayment(1, 7), {}])).toEqual([
      { ...signed, repeated: true } as SignResult,
    ])
    expect(await sign([filledEthPayment(2, 7), {}])).toMatchObject([{ kind: 'refused' }])
  })

  test('whose replacement would cost too much, or has no price, is not cancelled', async () => {
    const most = 10n ** 18n / 21_000n
    await sign([ethPayment(1, {}, { nonce: 7, gas: '21000', gasPrice: `${most}` }), {}])
    restart(pendingIdOf(1))
    expect(await signer.answer({ type: 'cancel', price })).toMatchObject({
      fault: { code: 'policy-denied' },
    })
    expect(await signer.answer({ type: 'cancel', price: null })).toMatchObject({
      fault: { message: 'a replacement needs the price of gas' },
    })
    expect((await signer.ask({ type: 'cancellation' })).replacement).toBeNull()
  })

  test('is not answered for when the ledger cannot be written', async () => {
    await sign([filledEthPayment(1, 7), {}])
    signer[Symbol.dispose]()
    const full = () => {
      throw new KmsError('disk', 'the ledger could not be written')
    }
    signer = startSigner(folder, {
      cancel: pendingIdOf(1),
      wrapLedger: ledger => ({ ...ledger, commit: full }),
    })
    expect(await signer.answer({ type: 'cancel', price })).toEqual({
      fault: { code: 'disk', message: 'the ledger could not be written' },
    })
    restart(null)
    expect(await sign([filledEthPayment(1, 7), {}])).toMatchObject([{ kind: 'signed' }])
  })

  test('whose wallet is gone is not cancelled', async () => {
    await sign([filledEthPayment(1, 7), {}])
    signer[Symbol.dispose]()
    signer = startSigner(folder, {
      cancel: pendingIdOf(1),
      wrapVault: vault => ({ ...vault, find: () => undefined }),
    })
    expect(await signer.answer({ type: 'cancel', price })).toMatchObject({
      fault: { code: 'wallet-missing' },
    })
  })

  test('whose number the ledger gives to another is not cancelled', async () => {
    await sign([filledEthPayment(1, 7), {}])
    signer[Symbol.dispose]()
    signer = startSigner(folder, {
      cancel: pendingIdOf(1),
      wrapLedger: ledger => ({ ...ledger, claimant: () => pendingIdOf(2) }),
    })
    expect(await signer.answer({ type: 'cancel', price })).toMatchObject({
      fault: { message: 'the ledger does not have the number of these bytes' },
    })
  })

  test('of the other network is not cancelled', async () => {
    await sign([filledEthPayment(1, 7), {}])
    signer[Symbol.dispose]()
    signer = startSigner(folder, { cancel: pendingIdOf(1), network: 'testnet' })
    for (const body of [{ type: 'cancellation' }, { type: 'cancel', price }]) {
      expect(await signer.answer(body)).toMatchObject({
        fault: { message: 'this payment is one of mainnet, not of testnet' },
      })
    }
  })

  test('whose signature does not verify is not cancelled', async () => {
    await sign([filledEthPayment(1, 7), {}])
    signer[Symbol.dispose]()
    signer = startSigner(folder, {
      cancel: pendingIdOf(1),
      wrapRoom: room => ({
        ...room,
        signAll: tasks =>
          room.signAll(
            tasks.map(({ key, request }) => ({
              key,
              request: { ...request, message: request.message.map(byte => byte ^ 1) },
            })),
          ),
      }),
    })
    expect(await signer.answer({ type: 'cancel', price })).toMatchObject({
      fault: { message: 'a signature just made does not verify' },
    })
    expect(signer.ledger.cancellation(pendingIdOf(1))).toBeUndefined()
  })
})

describe('a payment that is given up', () => {
  const sequence = 'sequence/rJSwo2hwCyWcuRbrGA4Cq8UESYqeE4GSFJ/7'
  const output = `output/${'1'.padStart(64, '0')}:0`

  test.each([
    ['XRP', xrpPayment(1, 7), xrpPayment(2, 7), sequence],
    ['BTC', btcPayment(1), btcPayment(2, {}, 1), output],
  ])('of %s leaves what it had claimed to another one', async (chain, given, next, claim) => {
    await sign([given, {}])
    expect(await sign([next, {}])).toMatchObject([
      {
        kind: 'refused',
        reason: `${claim} is already used by payment ${given.id} (see tatum-kms tx cancel ${given.id})`,
      },
    ])
    restart(given.id)
    const answer = { replacement: null, released: [claim] }
    expect(await signer.ask({ type: 'cancel', price: null })).toEqual(answer)
    expect(await signer.ask({ type: 'cancel', price })).toEqual(answer)
    expect(signer.ledger.claimant(chain, 'mainnet', claim)).toBeUndefined()
    restart(null)
    expect(signer.ledger.claimant(chain, 'mainnet', claim)).toBeUndefined()
    expect(await sign([next, {}])).toMatchObject([{ kind: 'signed', repeated: false }])
    expect(signer.ledger.claimant(chain, 'mainnet', claim)).toBe(next.id)
    // Its own bytes never leave this process again, nor does anybody get the claim a third time.
    expect(await sign([given, {}])).toMatchObject([{ kind: 'refused', reason: cancelled }])
    expect(await sign([{ ...next, id: pendingIdOf(3) }, {}])).toMatchObject([
      { kind: 'refused', reason: expect.stringContaining(`used by payment ${next.id}`) },
    ])
    restart(given.id)
    expect(await signer.ask({ type: 'cancel', price: null })).toEqual(answer)
  })

  test('is given up one after the other as often as it takes', async () => {
    for (const n of [1, 2, 3]) {
      restart(null)
      expect(await sign([xrpPayment(n, 7), {}])).toMatchObject([{ kind: 'signed' }])
      restart(pendingIdOf(n))
      await signer.ask({ type: 'cancel', price: null })
    }
    restart(null)
    expect(signer.ledger.claimant('XRP', 'mainnet', sequence)).toBeUndefined()
    expect(signer.ledger.count()).toBe(6)
  })

  test('of a chain whose payments do not stand in each other’s way is only closed', async () => {
    await sign([solPayment(1), completion])
    restart(pendingIdOf(1))
    expect(await signer.ask({ type: 'cancel', price: null })).toEqual({
      replacement: null,
      released: [],
    })
    restart(null)
    expect(await sign([solPayment(1), completion])).toMatchObject([{ reason: cancelled }])
  })
})

describe('a payment without bytes', () => {
  test.each([
    ['ETH', ethPayment(1)],
    ['BTC', btcPayment(1)],
  ])('of %s is never signed once it is cancelled', async (_, payment) => {
    restart(pendingIdOf(1))
    expect(await signer.ask({ type: 'cancellation' })).toEqual({ payment: null, replacement: null })
    const nothing = { replacement: null, released: [] }
    expect(await signer.ask({ type: 'cancel', price: null })).toEqual(nothing)
    expect(await signer.ask({ type: 'cancel', price })).toEqual(nothing)
    restart(null)
    const added = { nonce: '7', gas: '21000', gasPrice: '2000000000' }
    const other = { ...filledEthPayment(2, 8) }
    expect(await sign([payment, payment.chain === 'ETH' ? added : {}], [other, {}])).toMatchObject([
      { kind: 'refused', reason: cancelled },
      { kind: 'signed' },
    ])
  })
})

describe('a signer that was started to cancel', () => {
  test('signs nothing else, not even what it signed before', async () => {
    await sign([filledEthPayment(1, 7), {}], [filledEthPayment(2, 8), {}])
    restart(pendingIdOf(1))
    for (const pending of [filledEthPayment(1, 7), filledEthPayment(2, 8), btcPayment(3)]) {
      const payments = [{ pending, completion: {} }]
      expect(await signer.answer({ type: 'sign', payments })).toEqual({
        fault: {
          code: 'transaction-refused',
          message: 'this signer was started to cancel a payment',
        },
      })
    }
  })

  test('cancels what its own settings name, whatever the question says', async () => {
    await sign([filledEthPayment(1, 7), {}], [filledEthPayment(2, 8), {}])
    restart(pendingIdOf(1))
    const hostile = { type: 'cancel', price, pendingId: pendingIdOf(2), cancel: pendingIdOf(2) }
    expect(await signer.answer(hostile)).toMatchObject({ ok: {} })
    restart(null)
    const [first, second] = await sign([filledEthPayment(1, 7), {}], [filledEthPayment(2, 8), {}])
    expect(first).toMatchObject({ kind: 'refused', reason: cancelled })
    expect(second).toMatchObject({ kind: 'signed', repeated: true })
  })

  test.each(
    [0, 1, -1, '', '0', '-1', '1.5', '0x1', ' 1', '1'.repeat(20), {}, [], true].map(odd => [odd]),
  )('takes no price of %j', async odd => {
    await sign([filledEthPayment(1, 7), {}])
    restart(pendingIdOf(1))
    expect(await signer.answer({ type: 'cancel', price: odd })).toMatchObject({
      fault: { code: 'unexpected', message: expect.stringContaining('malformed message') },
    })
    expect(signer.ledger.count()).toBe(1)
  })

  test('asked twice at once has one replacement', async () => {
    await sign([filledEthPayment(1, 7), {}])
    restart(pendingIdOf(1))
    const prices = [price, '5000000000', '7000000000']
    const answers = await Promise.all(
      prices.map(each => signer.ask({ type: 'cancel', price: each })),
    )
    for (const answer of answers) expect(answer).toEqual(answers[0] ?? answer)
    expect(signer.ledger.count()).toBe(2)
  })
})

test('the signer of a daemon cancels nothing', async () => {
  await sign([filledEthPayment(1, 7), {}])
  for (const body of [
    { type: 'cancellation' },
    { type: 'cancel', price },
    { type: 'cancel', price, pendingId: pendingIdOf(1) },
  ]) {
    expect(await signer.answer(body)).toMatchObject({
      fault: { message: 'this signer was not started to cancel a payment' },
    })
  }
  // Nor is there a payment by which the ledger would take it for cancelled.
  const id = `cancel/${pendingIdOf(1)}`
  expect(await sign([{ ...filledEthPayment(2, 8), id }, {}])).toMatchObject([
    { kind: 'refused', code: 'transaction-malformed' },
  ])
})

describe('--accept-nonce', () => {
  const accept = (address: string) => {
    signer[Symbol.dispose]()
    signer = startSigner(folder, { acceptNonces: [address] })
  }
  beforeEach(async () => {
    await sign([filledEthPayment(1, 7), {}])
  })

  test('lets the nonces of its addresses be far ahead, once', async () => {
    const far = [filledEthPayment(2, 5_000_000), {}] as const
    const refused = { kind: 'refused', reason: expect.stringContaining('see --accept-nonce') }
    expect(await sign(far)).toMatchObject([refused])
    accept(`0x${'00'.repeat(20)}`)
    expect(await sign(far)).toMatchObject([refused])
    accept(ethAddress)
    expect(await sign(far)).toMatchObject([{ kind: 'signed' }])
    expect(await sign([filledEthPayment(3, 20_000_000), {}])).toMatchObject([{ kind: 'signed' }])
    restart(null)
    expect(await sign([filledEthPayment(4, 20_000_001), {}])).toMatchObject([{ kind: 'signed' }])
  })

  test('gives no number away that is taken', async () => {
    accept(ethAddress)
    expect(await sign([filledEthPayment(2, 7), {}])).toMatchObject([
      { kind: 'refused', reason: expect.stringContaining('already used') },
    ])
  })
})

async function sign(
  ...payments: readonly (readonly [unknown, Completion])[]
): Promise<readonly SignResult[]> {
  const asked = payments.map(([pending, completion]) => ({ pending, completion }))
  return (await signer.ask({ type: 'sign', payments: asked })).results
}

function restart(cancel: string | null): void {
  signer[Symbol.dispose]()
  signer = startSigner(folder, { cancel })
}
