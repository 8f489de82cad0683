import { afterAll, afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startApprover, type TestApprover } from '../support/approver.ts'
import { closingWallets, solPayment } from '../support/closing-payments.ts'
import { makeHome, runDaemonOnce, startDaemon, until } from '../support/daemon-process.ts'
import { type FakeTatum, startFakeTatum } from '../support/fake-tatum.ts'
import { btcPayment, ethAddress, ethPayment, pendingIdOf, wallets } from '../support/payments.ts'
import { binaryUnderTest } from '../support/script.ts'
import { storeWallets } from '../support/test-vault.ts'

// The daemon as it is started, and an approval server that has nothing in common with it.

const template = mkdtempSync(join(tmpdir(), 'kms-approvers-'))
await storeWallets(template, [...Object.values(wallets), closingWallets.sol])
afterAll(() => rmSync(template, { recursive: true }))

let home: ReturnType<typeof makeHome>
let tatum: FakeTatum
let approver: TestApprover
let rules: readonly string[]

beforeEach(() => {
  home = makeHome(template)
  tatum = startFakeTatum({ network: 'mainnet', nonces: { [ethAddress]: 5 } })
  approver = startApprover([1, 2, 3])
  const keys = approver.keys.map(key => `--approver-key=${key}`)
  rules = [`--external-url=${approver.url}`, ...keys, '--approvals=2']
})

afterEach(async () => {
  await approver[Symbol.asyncDispose]()
  await tatum.stop()
  home[Symbol.dispose]()
})

describe('a daemon with keys of approvers', () => {
  test('pays what two of three people have signed, and asks nobody again for its bytes', async () => {
    const ids = [tatum.queue(ethPayment(1)), tatum.queue(btcPayment(2))]
    approver.onAsked(body => approver.verdicts(body, 'approved', [0, 2]))
    tatum.fail('broadcast', { kind: 'answer', status: 500 })
    expect(await run()).toMatchObject({ status: 30 })
    tatum.heal()
    expect(await run()).toMatchObject({ status: 0 })
    for (const id of ids) expect(tatum.state.settled.get(id)).toHaveLength(1)
    expect(approver.asked).toHaveLength(2)
    const headers = approver.headers.flatMap(each => Object.keys(each))
    expect(headers.filter(name => /key|auth|cookie/.test(name))).toEqual([])
  }, 20_000)

  test('pays nothing with one of them, and again asks with the same nonce', async () => {
    const id = tatum.queue(btcPayment(1))
    approver.onAsked(body => approver.verdicts(body, 'approved', [1]))
    const daemon = startDaemon(home.folder, tatum, [...rules, '--period=0.05'])
    try {
      await until(() => approver.asked.length >= 3, daemon.said)
      approver.onAsked(body => approver.verdicts(body, 'approved', [1, 2]))
      await until(() => tatum.state.settled.has(id), daemon.said)
    } finally {
      daemon.kill('SIGTERM')
    }
    expect(await daemon.ended).toBe(0)
    expect(new Set(approver.asked.map(({ approval }) => approval.nonce)).size).toBe(1)
    expect(daemon.said()).toContain('1 of 2 signed approvals')
  }, 20_000)

  test('takes a signed no for an answer, for ever, also without its journal', async () => {
    const id = tatum.queue(btcPayment(1))
    approver.onAsked(body => approver.verdicts(body, 'denied', [1]))
    expect(await run()).toMatchObject({ status: 21 })
    approver.onAsked(body => approver.verdicts(body))
    expect(await run()).toMatchObject({ status: 21 })
    rmSync(join(home.folder, 'journal'), { recursive: true })
    const { status, said } = await run()
    expect(status).toBe(21)
    expect(said).toContain('"event":"payment denied"')
    expect(said).toContain('denied by key')
    expect(approver.asked).toHaveLength(1)
    // Nor is it paid when its owner asks for no signatures any more.
    expect(await runDaemonOnce(home.folder, tatum, asOriginal())).toMatchObject({ status: 21 })
    expect(tatum.state.broadcasts.has(id)).toBe(false)
    expect(tatum.state.reports).toEqual([])
  }, 20_000)

  test('asks anew after a restart: what was signed before is good for nothing', async () => {
    const id = tatum.queue(btcPayment(1))
    const kept: unknown[] = []
    approver.onAsked(async body => {
      kept.push(await approver.verdicts(body).json())
      return new Response(null, { status: 503 })
    })
    expect(await run()).toMatchObject({ status: 22 })
    approver.onAsked(() => Response.json(kept[0]))
    const { status, said } = await run()
    expect(status).toBe(22)
    expect(said).toContain('0 of 2 signed approvals (wrong signatures: 3)')
    expect(tatum.state.broadcasts.has(id)).toBe(false)
  }, 20_000)

  test('has a payment that is signed anew approved anew', async () => {
    tatum.stopMining()
    tatum.queue(solPayment(1))
    expect(await run()).toMatchObject({ status: 40 })
    tatum.mine()
    const command = [...binaryUnderTest, 'tx', 'resign', pendingIdOf(1)]
    expect(await startDaemon(home.folder, tatum, rules, { command }).ended).toBe(0)
    expect(approver.asked.map(({ approval }) => approval.signedBefore)).toEqual([0, 1])
    expect(new Set(approver.asked.map(({ approval }) => approval.digest)).size).toBe(2)
    expect(tatum.state.settled.get(pendingIdOf(1))).toHaveLength(1)
  }, 30_000)
})

function run() {
  return runDaemonOnce(home.folder, tatum, rules)
}

function asOriginal(): readonly string[] {
  return [`--external-url=${tatum.approverUrl}`]
}
