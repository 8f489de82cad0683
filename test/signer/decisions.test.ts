import { afterAll, afterEach, beforeEach, expect, test } from 'bun:test'
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { KmsError } from '../../src/base/errors.ts'
import { readLedger } from '../../src/signer/read-ledger.ts'
import { type InProcessSigner, startSigner } from '../support/in-process-signer.ts'
import { btcPayment, filledEthPayment, pendingIdOf, wallets } from '../support/payments.ts'
import { idOf, storeWallets } from '../support/test-vault.ts'

const template = mkdtempSync(join(tmpdir(), 'kms-decisions-'))
await storeWallets(template, Object.values(wallets))
afterAll(() => rmSync(template, { recursive: true }))

let folder: string
let signer: InProcessSigner

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'kms-decisions-'))
  cpSync(template, folder, { recursive: true })
  signer = startSigner(folder)
})

afterEach(() => {
  signer[Symbol.dispose]()
  rmSync(folder, { recursive: true })
})

const good = filledEthPayment(1, 7)
const sameNumber = filledEthPayment(2, 7)
const unknownWallet = btcPayment(3, { hashes: [idOf(99)] })
const unreadable = { ...btcPayment(4), serializedTransaction: '{}' }
const unknownChain = { ...btcPayment(5), chain: 'NONE' }

test('whatever the signer refuses is in the ledger, with what it signs in the same commit', async () => {
  await ask(good, sameNumber, unknownWallet, unreadable, unknownChain)
  expect(written()).toEqual([
    [1n, 'signed', 1],
    [1n, 'transaction-refused', 2],
    [1n, 'wallet-missing', 3],
    [1n, 'transaction-malformed', 4],
    [1n, 'transaction-malformed', 5],
  ])
})

test('what is asked for again and again is written once', async () => {
  for (let again = 0; again < 3; again++) await ask(sameNumber, unknownWallet, good, unreadable)
  expect(written()).toHaveLength(4)
  restart()
  for (let again = 0; again < 3; again++) await ask(unknownWallet, unreadable)
  expect(written()).toHaveLength(4)
})

test('what names no payment is answered and written nowhere', async () => {
  const nothing = [
    null,
    7,
    [],
    {},
    { id: 'a/b', chain: 'ETH' },
    { ...good, id: `${'1'.repeat(101)}` },
  ]
  for (const pending of nothing) {
    expect(await ask(pending)).toMatchObject({ ok: { results: [{ kind: 'refused' }] } })
  }
  expect(written()).toEqual([])
})

test('when a decision cannot be written, nothing is signed', async () => {
  restart({
    wrapLedger: ledger => ({
      ...ledger,
      commit(entries, decisions = []) {
        if (decisions.length > 0) throw new KmsError('disk', 'the disk is full')
        ledger.commit(entries)
      },
    }),
  })
  expect(await ask(good, unreadable)).toEqual({
    fault: { code: 'disk', message: 'the disk is full' },
  })
  expect(signer.ledger.count()).toBe(0)
  expect(await ask(good)).toMatchObject({ ok: { results: [{ kind: 'signed', repeated: false }] } })
})

function ask(...pending: readonly unknown[]): Promise<unknown> {
  const payments = pending.map(sent => ({ pending: sent, completion: {} }))
  return signer.answer({ type: 'sign', payments })
}

function restart(options: Parameters<typeof startSigner>[1] = {}): void {
  signer[Symbol.dispose]()
  signer = startSigner(folder, options)
}

/** By commit: what was decided of which payment. */
function written(): readonly unknown[] {
  using reader = readLedger(join(folder, 'wallet.dat.ledger'), signer.vault.auditKey)
  return [...reader.records()].map(record => [
    record.commit,
    record.kind === 'signed' ? 'signed' : record.code,
    [1, 2, 3, 4, 5].find(n => pendingIdOf(n) === record.pendingId),
  ])
}
