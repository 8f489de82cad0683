import { afterAll, afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { SignResult } from '../../src/signer/messages.ts'
import { closingWallets, xrpPayment } from '../support/closing-payments.ts'
import { type InProcessSigner, startSigner } from '../support/in-process-signer.ts'
import {
  btcPayment,
  btcScript,
  ethAddress,
  ethPayment,
  pendingIdOf,
  wallets,
} from '../support/payments.ts'
import { storeWallets } from '../support/test-vault.ts'

const template = mkdtempSync(join(tmpdir(), 'kms-replacement-'))
await storeWallets(template, [...Object.values(wallets), closingWallets.xrp])
afterAll(() => rmSync(template, { recursive: true }))

let folder: string
let signer: InProcessSigner

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'kms-replacement-'))
  cpSync(template, folder, { recursive: true })
  signer = startSigner(folder, { allowReplacement: true })
})

afterEach(() => {
  signer[Symbol.dispose]()
  rmSync(folder, { recursive: true })
})

/** The payment `n` of the first amount, at a price. */
type Make = (n: number, fee: number) => object

const eth: Make = (n, fee) =>
  ethPayment(n, {}, { value: '1000', nonce: 7, gas: '21000', gasPrice: `${fee}000000000` })
const xrp: Make = (n, fee) => changed(xrpPayment(n, 7), { Amount: '25000000', Fee: `${fee}` })
const btc: Make = (n, fee) => btcWith(n, { change: 9_000 - fee })

describe.each([
  ['ETH', 'nonce', eth],
  ['XRP', 'sequence', xrp],
  ['BTC', 'output', btc],
] as const)('a payment of %s with the %s of another one', (chain, claim, make) => {
  test('takes its place when it is the same for a higher fee; both stay known', async () => {
    const [first] = await sign(make(1, 10))
    expect(await sign(make(2, 11))).toMatchObject([{ kind: 'signed' }])
    restart({ allowReplacement: true })
    expect(await sign(make(1, 10))).toMatchObject([{ ...first, repeated: true }])
    expect(signer.ledger.claims(pendingIdOf(1))).toEqual([])
    expect(signer.ledger.claims(pendingIdOf(2))).toMatchObject([
      expect.stringMatching(new RegExp(`^${claim}/`)),
    ])
  })

  test('is replaced in turn, and only by what pays more than the last one', async () => {
    await sign(make(1, 10))
    await sign(make(2, 20))
    const refused = refusal(pendingIdOf(2), 'no replacement: its fee is not higher')
    expect(await sign(make(3, 15))).toMatchObject([refused])
    expect(await sign(make(3, 20))).toMatchObject([refused])
    expect(await sign(make(3, 21))).toMatchObject([{ kind: 'signed' }])
  })

  test('is refused without --allow-replacement, which is named', async () => {
    restart({ allowReplacement: false })
    await sign(make(1, 10))
    expect(await sign(make(2, 11))).toMatchObject([
      refusal(pendingIdOf(1), 'to pay a higher fee: --allow-replacement'),
    ])
  })

  test('is refused beside it in one batch, and takes its place in the next', async () => {
    expect(await sign(make(1, 10), make(2, 11))).toMatchObject([
      { kind: 'signed' },
      refusal(pendingIdOf(1), ''),
    ])
    expect(await sign(make(2, 11))).toMatchObject([{ kind: 'signed' }])
  })

  test('leaves one for all that ask at once', async () => {
    await sign(make(1, 10))
    expect(await sign(make(2, 11), make(3, 12))).toMatchObject([
      { kind: 'signed' },
      refusal(pendingIdOf(2), ''),
    ])
  })

  test('is refused when that one was cancelled', async () => {
    // What was never signed has nothing to replace it with, on any chain.
    await sign(make(1, 10))
    const { ledger } = signer
    ledger.commit([cancellation(1, chain)])
    expect(await sign(make(2, 11))).toMatchObject([refusal(pendingIdOf(1), '')])
  })
})

describe('no replacement is what', () => {
  test.each([
    ['pays somebody else', { to: ethAddress }, 'recipients, amounts or assets differ'],
    ['pays more', { value: '1001' }, 'recipients, amounts or assets differ'],
    ['calls a contract', { data: '0x12345678', gas: '30000' }, 'it is not a plain transfer'],
  ])('%s, on Ethereum', async (_name, change, reason) => {
    await sign(eth(1, 10))
    const other = changed(eth(2, 20), change)
    expect(await sign(other)).toMatchObject([refusal(pendingIdOf(1), reason)])
  })

  test.each([
    ['pays with another tag', { DestinationTag: 8 }],
    ['says something else', { Memos: [{ Memo: { MemoData: 'AB' } }] }],
  ])('%s, on the XRP Ledger', async (_name, change) => {
    await sign(xrp(1, 10))
    const reason = 'recipients, amounts or assets differ'
    expect(await sign(changed(xrp(2, 20), change))).toMatchObject([refusal(pendingIdOf(1), reason)])
  })

  test.each([
    ['pays somebody else', { to: btcOther }, 'recipients, amounts or assets differ'],
    ['pays less', { pays: 79_999 }, 'recipients, amounts or assets differ'],
    ['spends less', { spends: [1], change: 1_000 }, 'it does not use all that the other one does'],
    ['spends otherwise', { spends: [1, 3] }, 'it does not use all that the other one does'],
  ])('%s, on Bitcoin', async (_name, change, reason) => {
    await sign(btcWith(1, { spends: [1, 2], change: 100_000 }))
    const other = btcWith(2, { spends: [1, 2], change: 90_000, ...change })
    expect(await sign(other)).toMatchObject([refusal(pendingIdOf(1), reason)])
  })

  test('takes the place of two', async () => {
    await sign(btcWith(1, { spends: [1] }))
    await sign(btcWith(2, { spends: [2] }))
    expect(await sign(btcWith(3, { spends: [1, 2], change: 50_000 }))).toMatchObject([
      refusal(pendingIdOf(2), 'one payment replaces one other'),
    ])
  })
})

test('a replacement may spend more on Bitcoin, and no third payment gets round the first', async () => {
  await sign(btcWith(1, { spends: [1] }))
  const wider = btcWith(2, { spends: [1, 2], change: 100_000 })
  expect(await sign(wider)).toMatchObject([{ kind: 'signed' }])
  // With the second input alone it would not rule the first payment out.
  const beside = btcWith(3, { spends: [2], change: 100 })
  expect(await sign(beside)).toMatchObject([refusal(pendingIdOf(2), 'it does not use all')])
})

test('the front cannot allow it', async () => {
  restart({ allowReplacement: false })
  await sign(eth(1, 10))
  const payments = [{ pending: eth(2, 11), completion: {}, allowReplacement: true }]
  expect(await signer.answer({ type: 'sign', payments, allowReplacement: true })).toMatchObject({
    ok: { results: [{ kind: 'refused' }] },
  })
})

test('what has been replaced cannot be cancelled: that is said of which payment', async () => {
  await sign(eth(1, 10))
  await sign(eth(2, 11))
  restart({ cancel: pendingIdOf(1) })
  const asked = signer.ask({ type: 'cancel', price: '20000000000' })
  await expect(asked).rejects.toThrow(
    `payment ${pendingIdOf(2)} has taken its place: cancel that one`,
  )
  restart({ cancel: pendingIdOf(2) })
  const { replacement } = await signer.ask({ type: 'cancel', price: '20000000000' })
  expect(replacement).not.toBeNull()
})

async function sign(...pending: readonly object[]): Promise<readonly SignResult[]> {
  const payments = pending.map(sent => ({ pending: sent, completion: {} }))
  return (await signer.ask({ type: 'sign', payments })).results
}

function restart(options: Parameters<typeof startSigner>[1]): void {
  signer[Symbol.dispose]()
  signer = startSigner(folder, options)
}

function refusal(owner: string, more: string) {
  return {
    kind: 'refused',
    code: 'transaction-refused',
    reason: expect.stringMatching(new RegExp(`is already used by payment ${owner}.*${more}`)),
  } as const
}

function changed<T extends object>(payment: T, change: object): T {
  const text = 'serializedTransaction' in payment ? String(payment.serializedTransaction) : '{}'
  return { ...payment, serializedTransaction: JSON.stringify({ ...JSON.parse(text), ...change }) }
}

type Spending = {
  readonly spends?: readonly number[]
  readonly pays?: number
  readonly to?: string
  readonly change?: number
}

const btcStranger = '76a914e0bb28afec292affc85b0b55dfcc3b15da91f42388ac'
const btcOther = btcStranger.replace('e0bb', 'e1bb')

/** Spends outputs of 100,000 each; what is neither paid nor change is the fee. */
function btcWith(
  n: number,
  { spends = [1], pays = 80_000, to = btcStranger, change = 9_000 }: Spending,
): object {
  const payment = btcPayment(n)
  const [input] = JSON.parse(payment.serializedTransaction).inputs
  const inputs = spends.map(spent => ({
    ...input,
    prevTxId: spent.toString(16).padStart(64, '0'),
  }))
  const outputs = [
    { satoshis: pays, script: to },
    { satoshis: change, script: btcScript },
  ]
  return changed(payment, { inputs, outputs })
}

function cancellation(n: number, chain: string) {
  const pendingId = `cancel/${pendingIdOf(n)}`
  const empty = { serializedHash: new Uint8Array(), txData: '', txId: '', facts: {}, claims: [] }
  return { pendingId, chain, network: 'mainnet', ...empty, signedAt: 0 } as const
}
