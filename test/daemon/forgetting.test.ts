import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findChain } from '../../src/chains/index.ts'
import { createForgetting } from '../../src/daemon/forgetting.ts'
import {
  type Journal,
  type PaymentRow,
  type PaymentState,
  paymentStates,
} from '../../src/daemon/journal.ts'
import { openJournal } from '../../src/daemon/journal-sqlite.ts'

const day = 86_400_000
const scope = { vaultId: 'v', network: 'mainnet' } as const
let folder: string
let journal: Journal
let now: number

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'kms-forgetting-'))
  now = 1_000 * day
  journal = await openJournal(join(folder, 'payments.sqlite'), scope, () => now)
})

afterEach(async () => {
  await journal.close()
  rmSync(folder, { recursive: true })
})

describe('a payment of long ago', () => {
  const hasBytes = (state: PaymentState): boolean => !['seen', 'denied', 'refused'].includes(state)

  test.each(paymentStates)('that is %s', async state => {
    const bytes = hasBytes(state) ? { txData: '00', txId: 'x' } : {}
    const reported = state === 'cancelled' ? { reported: 'cancelled' } : {}
    await journal.record(rowOf('a1', { state, ...bytes, ...reported }))
    now += 91 * day
    await forget()
    const isOver = ['seen', 'denied', 'sent', 'done', 'cancelled'].includes(state)
    expect({ state, isKept: (await journal.find('a1')) !== undefined }).toEqual({
      state,
      isKept: !isOver,
    })
  })

  test.each([
    ['has final bytes', { state: 'sent', finalData: '01', finalId: 'y' }],
    ['was told of as arrived', { state: 'sent', arrivalData: 'z' }],
    ['was sent on a chain that numbers, and is in no block', { state: 'sent', chain: 'ETH' }],
    ['is cancelled, and Tatum does not know', { state: 'cancelled' }],
  ] as const)('that %s stays', async (_, more) => {
    await journal.record(rowOf('a1', { txData: '00', txId: 'x', ...more }))
    now += 10_000 * day
    await forget()
    expect(await journal.find('a1')).toBeDefined()
  })

  test('is one that nothing has changed since', async () => {
    await journal.record(rowOf('a1', { state: 'signed', txData: '00', txId: 'x' }))
    now += 60 * day
    await journal.record(rowOf('a1', { state: 'sent', txData: '00', txId: 'x' }))
    now += 60 * day
    await forget()
    expect(await journal.find('a1')).toBeDefined()
  })

  test('of another vault or network is nobody else’s business', async () => {
    const path = join(folder, 'payments.sqlite')
    const other = await openJournal(path, { ...scope, network: 'testnet' }, () => now)
    await other.record(rowOf('a1', { state: 'seen' }))
    now += 91 * day
    await forget()
    expect(await other.find('a1')).toBeDefined()
    await other.close()
  })
})

test('many are forgotten a few in a round, and then nobody looks for an hour', async () => {
  await Promise.all(
    Array.from({ length: 1_200 }, (_, i) => journal.record(rowOf(`a${i}`, { state: 'seen' }))),
  )
  now += 91 * day
  let time = 0
  let looked = 0
  const forgetting = createForgetting({
    journal: {
      forget(...asked) {
        looked++
        return journal.forget(...asked)
      },
    },
    findChain,
    keepPaymentsMs: 90 * day,
    now: () => now,
    monotonic: () => time,
  })
  for (let round = 0; round < 10; round++) await forgetting()
  expect(looked).toBe(3)
  expect(await journal.find('a1199')).toBeUndefined()
  time += 3_600_000
  await forgetting()
  expect(looked).toBe(4)
})

function forget(): Promise<void> {
  const deps = { journal, findChain, keepPaymentsMs: 90 * day, now: () => now, monotonic: () => 0 }
  return createForgetting(deps)()
}

function rowOf(pendingId: string, more: Partial<PaymentRow>): PaymentRow {
  return {
    pendingId,
    chain: 'XRP',
    state: 'seen',
    contents: 'c',
    withdrawalId: null,
    lane: null,
    txData: null,
    txId: null,
    finalData: null,
    finalId: null,
    arrivalData: null,
    replacedId: null,
    code: null,
    reason: null,
    reported: null,
    ...more,
  }
}
